/**
 * Where a packed weight lies.
 *
 * A matrix [K, N] is kept as panels of 8 columns, each K rows of 8 floats, one panel after the other. The last panel is
 * 4 wide when that is enough (N % 8 in 1…4); its columns beyond N are 0.
 *
 *   N = 12, K = 3        panel 0, width 8          panel 1, width 4
 *                        w00 w01 … w07             w08 w09 w0a w0b
 *                        w10 w11 … w17             w18 w19 w1a w1b
 *                        w20 w21 … w27             w28 w29 w2a w2b
 *
 * Gates are interleaved in panel order: units in blocks as wide as the panels would be over H columns, and in each
 * block all its units of gate 0, then of gate 1, …: the accumulators that finish together are the gates of the same
 * units.
 *
 *   H = 12, G = 4     i0…i7 f0…f7 g0…g7 o0…o7 │ i8…i11 f8…f11 g8…g11 o8…o11
 */

/** Columns of a full panel. */
export const PANEL: usize = 8;

/** What a product starts from when it is given nothing: a row of 0 as wide as six panels. */
export const ZEROS: usize = memory.data<f32>(
  [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0,
  ],
  16,
);

/** Columns that the panels of an N-column matrix hold: N rounded up to 8, or to 4 when the last panel is narrow. */
// @ts-ignore: decorator
@inline
export function panelWidth(N: usize): usize {
  const up = (N + 3) & ~3;
  return (N & 7) > 4 ? (up + 7) & ~7 : up;
}

/** Width, 8 or 4, of the panel (or block of units) that begins at column n, a multiple of 8 below N. */
// @ts-ignore: decorator
@inline
export function widthAt(N: usize, n: usize): usize {
  return N - n > 4 ? 8 : 4;
}

/** Column, in panel order, of unit j of gate g among G gates of H units. */
// @ts-ignore: decorator
@inline
export function gateColumn(G: usize, H: usize, g: usize, j: usize): usize {
  const block = j & ~7;
  return G * block + g * widthAt(H, block) + (j & 7);
}

/** Bytes from the first gate of a row to gate 0 of unit j, a multiple of 4. */
// @ts-ignore: decorator
@inline
export function gateOffset(G: usize, j: usize): usize {
  return (G * (j & ~7) + (j & 7)) << 2;
}

/** Bytes from a gate of unit j to the next gate of the unit: 32, or 16 in a narrow last block. */
// @ts-ignore: decorator
@inline
export function gateStride(H: usize, j: usize): usize {
  return widthAt(H, j & ~7) << 2;
}
