/**
 * Dot products of int8 weights with integers of a row: the only code of a tile that differs between the builds.
 *
 *   relaxed   a unit is 4 columns: 16 bytes of weights, 4 terms each, by 4 bytes of a row: i32x4.relaxed_dot …
 *   simd      a unit is 2 columns: 8 bytes, widened to int16, by 4 int16 of a row: i32x4.dot_i16x8_s gives two sums
 *             of 2 terms a column, which lib/int8/q8_gemm.ts adds
 *
 * Both give the same integers.
 */

/** Units of a panel of 8 columns. */
export const UNITS: usize = ASC_FEATURE_RELAXED_SIMD ? 2 : 4;
/** Columns of a unit. */
export const COLUMNS: usize = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Bytes of four terms in a unit. */
export const UNIT: usize = ASC_FEATURE_RELAXED_SIMD ? 16 : 8;
/** Bytes of four terms in a row. */
export const TERMS: usize = ASC_FEATURE_RELAXED_SIMD ? 4 : 8;

/** Four terms of the columns of a unit. */
// @ts-ignore: decorator
@inline
export function weights(p: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.load(p) : v128.load8x8_s(p);
}

/** Four terms of a row, for every column. */
// @ts-ignore: decorator
@inline
export function terms(x: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.load32_splat(x) : v128.load64_splat(x);
}

/** sum + w·x. */
// @ts-ignore: decorator
@inline
export function dot(w: v128, x: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return i32x4.add(i32x4.dot_i16x8_s(w, x), sum);
}
