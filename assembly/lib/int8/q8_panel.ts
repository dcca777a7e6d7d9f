/**
 * Where an int8 weight lies, and the rows that are multiplied with it.
 *
 * A matrix [K, N] of int8 with a scale per column is packed as lib/linear/panel.ts packs floats, but four terms of a
 * sum stand together, as the dot products of lib/int8/q8_dot.ts take them: a panel of 8 columns is K/4 groups of 8 · 4
 * bytes. K is padded to 4 with zeros. Sums of 14-bit activations fill an i32 after 2048 terms, so longer matrices are
 * cut into several of at most 2048 rows, whose products are added as floats.
 *
 *   scales [Np] f32 │ −Σ of the columns [Np] i32 │ panels of rows 0…2047 │ −Σ │ panels of rows 2048… │ …
 *
 *   Np = panelWidth(N)
 *
 *   a group of a panel    w00 w10 w20 w30 │ w01 w11 w21 w31 │ … │ w07 w17 w27 w37
 *
 * Activations become integers row by row: q = round(x · L / max|x|), L = 63 or 8191, scale max|x| / L.
 *
 *   simd      q as int16: 2·Kp bytes a row
 *   relaxed   q + 64 in a byte, or q + 8192 as two limbs of 7 bits in two rows of bytes, the low ones first: the second
 *             operand of its dot must be 0…127. What the offset adds, −Σ takes back.
 */
import { panelWidth } from "../linear/panel";

/** Rows whose products with 14 bits fit an i32: 127 · 8191 · 2048 < 2³¹. */
export const CHUNK: usize = 2048;

/** Rows of activations that are quantised before they are multiplied. */
export const BLOCK: usize = 96;

/** Bytes of the scales in front of a block of quantised rows. */
export const ROW_SCALES: usize = BLOCK << 2;

/** Bytes of a tile's sums between those scales and the rows. */
export const TILE_SUMS: usize = 192;

/** Rows of bytes that a row of activations fills. */
// @ts-ignore: decorator
@inline
export function limbsOf(bits: usize): usize {
  return ASC_FEATURE_RELAXED_SIMD && bits == 14 ? 2 : 1;
}

/** Bytes from one row of integers, or limb of one, to the next. */
// @ts-ignore: decorator
@inline
export function limbBytes(K: usize): usize {
  const Kp = (K + 15) & ~15;
  return ASC_FEATURE_RELAXED_SIMD ? Kp : Kp << 1;
}

/** Bytes of a chunk's panels of 8 columns. */
// @ts-ignore: decorator
@inline
export function panelBytes(K: usize): usize {
  return ((K + 3) & ~3) << 3;
}

/** Bytes of a chunk of K rows: sums and panels. */
// @ts-ignore: decorator
@inline
export function chunkBytes(K: usize, N: usize): usize {
  return panelWidth(N) * (((K + 3) & ~3) + 4);
}
