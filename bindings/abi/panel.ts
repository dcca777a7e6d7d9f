/** Where a packed weight lies, and a gate in a row of gates: twin of assembly/lib/linear/panel.ts, which draws both. */

/** Columns of a panel. */
const PANEL = 8;

/** Columns of the last panel, when no more are left. */
const NARROW = 4;

/** First column of the panel that column n is in. */
export const panelStart = (n: number): number => n - (n % PANEL);

/** Width of the panel that column n of N is in. */
export const widthAt = (N: number, n: number): number => (N - panelStart(n) > NARROW ? PANEL : NARROW);

/** Columns that the panels of an N-column matrix hold: N rounded up to 8, or to 4 when the last panel is narrow. */
export const panelWidth = (N: number): number => (N === 0 ? 0 : panelStart(N - 1) + widthAt(N, N - 1));

/** Float offset of element (k, n) of a packed [K, N]. */
export const panelOffset = (K: number, N: number, k: number, n: number): number =>
  panelStart(n) * K + k * widthAt(N, n) + (n % PANEL);

/** Column, in panel order, of unit j of gate g among G gates of H units. */
export const gateColumn = (G: number, H: number, g: number, j: number): number =>
  G * panelStart(j) + g * widthAt(H, j) + (j % PANEL);
