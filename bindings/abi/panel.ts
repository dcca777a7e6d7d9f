/** Where a packed weight lies, and a gate in a row of gates: twin of assembly/lib/linear/panel.ts, which draws both. */

/** Columns of a panel. */
const PANEL = 8;

/** Columns of the last panel, when no more are left. */
const NARROW = 4;

/** First column of the panel that holds column n. */
const panelStart = (n: number): number => n - (n % PANEL);

/** Width of the panel that begins at column `first` of N. */
const widthAt = (N: number, first: number): number => (N - first > NARROW ? PANEL : NARROW);

/** Where a column stands: the first column of its panel, the width of that, and the place of the column in it. */
export interface PanelPlace {
  readonly first: number;
  readonly width: number;
  readonly column: number;
}

/** The place of column n of N. */
export function panelPlace(N: number, n: number): PanelPlace {
  const first = panelStart(n);
  return { first, width: widthAt(N, first), column: n - first };
}

/** Columns that the panels of an N-column matrix hold: N rounded up to 8, or to 4 when the last panel is narrow. */
export function panelWidth(N: number): number {
  if (N === 0) return 0;
  const last = panelStart(N - 1);
  return last + widthAt(N, last);
}

/** Float offset of element (k, n) of a packed [K, N]. */
export function panelOffset(K: number, N: number, k: number, n: number): number {
  const { first, width, column } = panelPlace(N, n);
  return first * K + k * width + column;
}

/** Column, in panel order, of unit j of gate g among G gates of H units. */
export function gateColumn(G: number, H: number, g: number, j: number): number {
  const { first, width, column } = panelPlace(H, j);
  return G * first + g * width + column;
}
