/** Where a packed weight lies: twin of assembly/lib/panel.ts, which draws it. */

/** Columns that the panels of an N-column matrix hold. */
export function panelWidth(N: number): number {
  const tail = N % 8;
  return N - tail + (tail === 0 ? 0 : tail <= 4 ? 4 : 8);
}

/** Float offset of element (k, n) of a packed [K, N]. */
export function panelOffset(K: number, N: number, k: number, n: number): number {
  const first = n - (n % 8);
  const width = N - first > 4 ? 8 : 4;
  return first * K + k * width + (n % 8);
}

/** Column, in panel order, of unit j of gate g among G gates of H units. */
export function gateColumn(G: number, H: number, g: number, j: number): number {
  const block = j - (j % 8);
  const width = H - block > 4 ? 8 : 4;
  return G * block + g * width + (j % 8);
}
