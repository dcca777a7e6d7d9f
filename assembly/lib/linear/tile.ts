/**
 * Register tiles: MR rows by one panel of a product.
 *
 *   c[m, n] = init[m, n] + Σₖ a(m, k) · panel[k, n]        a(m, k) at a + m·rs + k·cs
 *
 * Two strides let the product with A and the one with Aᵀ share a body. Its shape is made for V8 (all measured):
 * - 15 vector registers, so 6×8 with a fused multiply-add; without it every product needs one more, and 4×8 is the
 *   best.
 * - The test stands at the top of the loop and rows are summed in the order in which they are stored. In any other
 *   order older engines move all loads above the arithmetic, spill, and run at half the speed.
 * - k is not unrolled, here or by the engine: lib/linear/tiles.ts.
 */
import { madd, storePartial } from "../f32x4";

/** Rows of the largest tile. */
export const MAX_ROWS: usize = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/** The first `count` (1…8, NR 4: 1…4) floats of one row of a tile. */
// @ts-ignore: decorator
@inline
export function storeRow(NR: i32, c: usize, lo: v128, hi: v128, count: usize): void {
  if (NR == 4) {
    storePartial(c, lo, count);
  } else {
    v128.store(c, lo);
    if (count >= 8) v128.store(c, hi, 16);
    else storePartial(c + 16, hi, count - 4);
  }
}

/**
 * The body of all tiles. Strides in bytes.
 *
 * @param MR, NR     literals: rows 1…6, width of the panel 8 or 4
 * @param count      columns to store, 5… (NR 4: 1…4)
 * @param K          terms of the sums
 * @param a, rs, cs  in   left operand, its stride by row and by term
 * @param panel      in   [K, NR]
 * @param init, is   in   what is added and its row stride
 * @param c, os      out  result and its row stride
 */
// @ts-ignore: decorator
@inline
export function tile(
  MR: i32,
  NR: i32,
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  const zero = f32x4.splat(0);
  let s0 = v128.load(init),
    t0 = NR > 4 ? v128.load(init, 16) : zero;
  let s1 = MR > 1 ? v128.load((init += is)) : zero,
    t1 = MR > 1 && NR > 4 ? v128.load(init, 16) : zero;
  let s2 = MR > 2 ? v128.load((init += is)) : zero,
    t2 = MR > 2 && NR > 4 ? v128.load(init, 16) : zero;
  let s3 = MR > 3 ? v128.load((init += is)) : zero,
    t3 = MR > 3 && NR > 4 ? v128.load(init, 16) : zero;
  let s4 = MR > 4 ? v128.load((init += is)) : zero,
    t4 = MR > 4 && NR > 4 ? v128.load(init, 16) : zero;
  let s5 = MR > 5 ? v128.load((init += is)) : zero,
    t5 = MR > 5 && NR > 4 ? v128.load(init, 16) : zero;
  let a0 = a,
    a1 = a0 + rs,
    a2 = a1 + rs,
    a3 = a2 + rs,
    a4 = a3 + rs,
    a5 = a4 + rs;
  const end = panel + K * ((<usize>NR) << 2);
  while (panel != end) {
    const lo = v128.load(panel),
      hi = NR > 4 ? v128.load(panel, 16) : zero;
    let x = v128.load32_splat(a0);
    s0 = madd(x, lo, s0);
    if (NR > 4) t0 = madd(x, hi, t0);
    if (MR > 1) x = v128.load32_splat(a1);
    if (MR > 1) s1 = madd(x, lo, s1);
    if (MR > 1 && NR > 4) t1 = madd(x, hi, t1);
    if (MR > 2) x = v128.load32_splat(a2);
    if (MR > 2) s2 = madd(x, lo, s2);
    if (MR > 2 && NR > 4) t2 = madd(x, hi, t2);
    if (MR > 3) x = v128.load32_splat(a3);
    if (MR > 3) s3 = madd(x, lo, s3);
    if (MR > 3 && NR > 4) t3 = madd(x, hi, t3);
    if (MR > 4) x = v128.load32_splat(a4);
    if (MR > 4) s4 = madd(x, lo, s4);
    if (MR > 4 && NR > 4) t4 = madd(x, hi, t4);
    if (MR > 5) x = v128.load32_splat(a5);
    if (MR > 5) s5 = madd(x, lo, s5);
    if (MR > 5 && NR > 4) t5 = madd(x, hi, t5);
    a0 += cs;
    if (MR > 1) a1 += cs;
    if (MR > 2) a2 += cs;
    if (MR > 3) a3 += cs;
    if (MR > 4) a4 += cs;
    if (MR > 5) a5 += cs;
    panel += (<usize>NR) << 2;
  }
  storeRow(NR, c, s0, t0, count);
  if (MR > 1) storeRow(NR, (c += os), s1, t1, count);
  if (MR > 2) storeRow(NR, (c += os), s2, t2, count);
  if (MR > 3) storeRow(NR, (c += os), s3, t3, count);
  if (MR > 4) storeRow(NR, (c += os), s4, t4, count);
  if (MR > 5) storeRow(NR, (c += os), s5, t5, count);
}
