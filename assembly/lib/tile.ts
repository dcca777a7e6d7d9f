/**
 * Register tiles: MR rows by one panel of a product, MR and NR (8 or 4) literal at the call so that the rest folds away.
 *
 *   c[m, n] = init[m, n] + Σₖ a(m, k) · panel[k, n]        a(m, k) at a + m·rs + k·cs
 *
 * The two strides let a product with A and one with Aᵀ share the body. k is not unrolled (measured: unrolling loses up
 * to 40 %). 6×8 needs the fused multiply-add: without it a temporary more spills, and 5×8 is the largest.
 */
import { madd, storePartial } from "./f32x4";

/** Rows of the largest tile. */
export const MAX_ROWS: usize = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** The first `count` (1…8) of the 8 (NR 4: 4) floats of a tile's row. */
// @ts-ignore: decorator
@inline
function storeRow(NR: i32, c: usize, lo: v128, hi: v128, count: usize): void {
  if (NR == 8) {
    if (count >= 8) {
      v128.store(c, lo);
      v128.store(c, hi, 16);
    } else {
      v128.store(c, lo);
      storePartial(c + 16, hi, count - 4);
    }
  } else {
    storePartial(c, lo, count);
  }
}

/**
 * One tile. Strides in bytes.
 *
 * @param MR, NR      literals, 1…6 and 8 or 4
 * @param count       columns to store, 5…8 (NR 4: 1…4)
 * @param K           terms of the sums
 * @param a, rs, cs   in   left operand, its stride by row and by term
 * @param panel       in   [K, NR]
 * @param init, is    in   what is added, its row stride; 0 = zeros
 * @param c, os       out  result, its row stride
 */
// @ts-ignore: decorator
@inline
export function tile(
  MR: i32, NR: i32, count: usize, K: usize, a: usize, rs: usize, cs: usize, panel: usize,
  init: usize, is: usize, c: usize, os: usize,
): void {
  const zero = f32x4.splat(0);
  let s0 = zero, t0 = zero, s1 = zero, t1 = zero, s2 = zero, t2 = zero;
  let s3 = zero, t3 = zero, s4 = zero, t4 = zero, s5 = zero, t5 = zero;
  if (init) {
    s0 = v128.load(init);
    if (NR == 8) t0 = v128.load(init, 16);
    if (MR > 1) s1 = v128.load(init += is);
    if (MR > 1 && NR == 8) t1 = v128.load(init, 16);
    if (MR > 2) s2 = v128.load(init += is);
    if (MR > 2 && NR == 8) t2 = v128.load(init, 16);
    if (MR > 3) s3 = v128.load(init += is);
    if (MR > 3 && NR == 8) t3 = v128.load(init, 16);
    if (MR > 4) s4 = v128.load(init += is);
    if (MR > 4 && NR == 8) t4 = v128.load(init, 16);
    if (MR > 5) s5 = v128.load(init += is);
    if (MR > 5 && NR == 8) t5 = v128.load(init, 16);
  }
  let a0 = a, a1 = a0 + rs, a2 = a1 + rs, a3 = a2 + rs, a4 = a3 + rs, a5 = a4 + rs;
  const end = panel + K * (<usize>NR << 2);
  while (panel != end) {
    const lo = v128.load(panel);
    const hi = NR == 8 ? v128.load(panel, 16) : zero;
    let x = v128.load32_splat(a0);
    s0 = madd(x, lo, s0);
    if (NR == 8) t0 = madd(x, hi, t0);
    if (MR > 1) {
      x = v128.load32_splat(a1);
      s1 = madd(x, lo, s1);
      if (NR == 8) t1 = madd(x, hi, t1);
    }
    if (MR > 2) {
      x = v128.load32_splat(a2);
      s2 = madd(x, lo, s2);
      if (NR == 8) t2 = madd(x, hi, t2);
    }
    if (MR > 3) {
      x = v128.load32_splat(a3);
      s3 = madd(x, lo, s3);
      if (NR == 8) t3 = madd(x, hi, t3);
    }
    if (MR > 4) {
      x = v128.load32_splat(a4);
      s4 = madd(x, lo, s4);
      if (NR == 8) t4 = madd(x, hi, t4);
    }
    if (MR > 5) {
      x = v128.load32_splat(a5);
      s5 = madd(x, lo, s5);
      if (NR == 8) t5 = madd(x, hi, t5);
    }
    a0 += cs;
    if (MR > 1) a1 += cs;
    if (MR > 2) a2 += cs;
    if (MR > 3) a3 += cs;
    if (MR > 4) a4 += cs;
    if (MR > 5) a5 += cs;
    panel += <usize>NR << 2;
  }
  storeRow(NR, c, s0, t0, count);
  if (MR > 1) storeRow(NR, c + os, s1, t1, count);
  if (MR > 2) storeRow(NR, c + 2 * os, s2, t2, count);
  if (MR > 3) storeRow(NR, c + 3 * os, s3, t3, count);
  if (MR > 4) storeRow(NR, c + 4 * os, s4, t4, count);
  if (MR > 5) storeRow(NR, c + 5 * os, s5, t5, count);
}
