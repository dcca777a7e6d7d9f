/**
 * The inner loop of int8 products: R rows of integers by U units of a panel (lib/int8/q8_dot.ts), as sums of 32 bits.
 *
 * R·U accumulators hide the latency and fit the registers: 12 where the sums wait for nothing but themselves (8 reach
 * 85 % of that, measured), 8 for four rows, and in simd, where widening takes as long. Unlike floats the sums may be
 * taken in any order.
 */
import { dot, TERMS, terms, UNIT, UNITS, weights } from "./q8_dot";

/** Units of a tile of one row; of two rows half as many. */
export const WIDEST: usize = ASC_FEATURE_RELAXED_SIMD ? 12 : 8;

/** Where unit u lies, in the panels at q0, q1, q2 and q3. */
// @ts-ignore: decorator
@inline
function unit(u: usize, q0: usize, q1: usize, q2: usize, q3: usize): usize {
  const panel = u / UNITS;
  return (panel == 0 ? q0 : panel == 1 ? q1 : panel == 2 ? q2 : q3) + (u % UNITS) * UNIT;
}

/** One row by U = 12 (relaxed only), 8, 4, 2 or 1 units. */
// @ts-ignore: decorator
@inline
function oneRow(U: i32, groups: usize, x: usize, q0: usize, stride: usize, group: usize, sums: usize): void {
  const zero = i32x4.splat(0);
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero,
    s4 = zero,
    s5 = zero,
    s6 = zero,
    s7 = zero;
  let s8 = zero,
    s9 = zero,
    s10 = zero,
    s11 = zero;
  let q1 = q0 + stride,
    q2 = q1 + stride,
    q3 = q2 + stride,
    q4 = q3 + stride,
    q5 = q4 + stride;
  for (const end = x + groups * TERMS; x != end; x += TERMS) {
    const a = terms(x);
    s0 = dot(weights(unit(0, q0, q1, q2, q3)), a, s0);
    if (U > 1) s1 = dot(weights(unit(1, q0, q1, q2, q3)), a, s1);
    if (U > 2) s2 = dot(weights(unit(2, q0, q1, q2, q3)), a, s2);
    if (U > 2) s3 = dot(weights(unit(3, q0, q1, q2, q3)), a, s3);
    if (U > 4) s4 = dot(weights(unit(4, q0, q1, q2, q3)), a, s4);
    if (U > 4) s5 = dot(weights(unit(5, q0, q1, q2, q3)), a, s5);
    if (U > 4) s6 = dot(weights(unit(6, q0, q1, q2, q3)), a, s6);
    if (U > 4) s7 = dot(weights(unit(7, q0, q1, q2, q3)), a, s7);
    if (U > 8) s8 = dot(weights(q4), a, s8);
    if (U > 8) s9 = dot(weights(q4 + UNIT), a, s9);
    if (U > 8) s10 = dot(weights(q5), a, s10);
    if (U > 8) s11 = dot(weights(q5 + UNIT), a, s11);
    q0 += group;
    q1 += group;
    if (UNITS == 2) q2 += group;
    if (UNITS == 2) q3 += group;
    if (U > 8) q4 += group;
    if (U > 8) q5 += group;
  }
  v128.store(sums, s0);
  if (U > 1) v128.store(sums, s1, 16);
  if (U > 2) v128.store(sums, s2, 32);
  if (U > 2) v128.store(sums, s3, 48);
  if (U > 4) v128.store(sums, s4, 64);
  if (U > 4) v128.store(sums, s5, 80);
  if (U > 4) v128.store(sums, s6, 96);
  if (U > 4) v128.store(sums, s7, 112);
  if (U > 8) v128.store(sums, s8, 128);
  if (U > 8) v128.store(sums, s9, 144);
  if (U > 8) v128.store(sums, s10, 160);
  if (U > 8) v128.store(sums, s11, 176);
}

/** Two rows, `ld` bytes apart, by U = 6 (relaxed only), 4, 2 or 1 units. */
// @ts-ignore: decorator
@inline
function twoRows(
  U: i32,
  groups: usize,
  x: usize,
  ld: usize,
  q0: usize,
  stride: usize,
  group: usize,
  sums: usize,
): void {
  const zero = i32x4.splat(0);
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero,
    t0 = zero,
    t1 = zero,
    t2 = zero,
    t3 = zero;
  let s4 = zero,
    s5 = zero,
    t4 = zero,
    t5 = zero;
  let q1 = q0 + stride,
    q2 = q1 + stride,
    y = x + ld;
  for (const end = x + groups * TERMS; x != end; x += TERMS, y += TERMS) {
    const a = terms(x),
      b = terms(y);
    const w0 = weights(q0);
    s0 = dot(w0, a, s0);
    t0 = dot(w0, b, t0);
    const w1 = U > 1 ? weights(unit(1, q0, q1, q1, q1)) : zero;
    if (U > 1) s1 = dot(w1, a, s1);
    if (U > 1) t1 = dot(w1, b, t1);
    const w2 = U > 2 ? weights(unit(2, q0, q1, q1, q1)) : zero;
    if (U > 2) s2 = dot(w2, a, s2);
    if (U > 2) t2 = dot(w2, b, t2);
    const w3 = U > 2 ? weights(unit(3, q0, q1, q1, q1)) : zero;
    if (U > 2) s3 = dot(w3, a, s3);
    if (U > 2) t3 = dot(w3, b, t3);
    const w4 = U > 4 ? weights(q2) : zero;
    if (U > 4) s4 = dot(w4, a, s4);
    if (U > 4) t4 = dot(w4, b, t4);
    const w5 = U > 4 ? weights(q2 + UNIT) : zero;
    if (U > 4) s5 = dot(w5, a, s5);
    if (U > 4) t5 = dot(w5, b, t5);
    q0 += group;
    if (UNITS == 2) q1 += group;
    if (U > 4) q2 += group;
  }
  const next = sums + (U << 4);
  v128.store(sums, s0);
  v128.store(next, t0);
  if (U > 1) v128.store(sums, s1, 16);
  if (U > 1) v128.store(next, t1, 16);
  if (U > 2) v128.store(sums, s2, 32);
  if (U > 2) v128.store(next, t2, 32);
  if (U > 2) v128.store(sums, s3, 48);
  if (U > 2) v128.store(next, t3, 48);
  if (U > 4) v128.store(sums, s4, 64);
  if (U > 4) v128.store(next, t4, 64);
  if (U > 4) v128.store(sums, s5, 80);
  if (U > 4) v128.store(next, t5, 80);
}

/** Four rows, `ld` bytes apart, by U = 2 or 1 units. */
// @ts-ignore: decorator
@inline
function fourRows(U: i32, groups: usize, x: usize, ld: usize, q0: usize, group: usize, sums: usize): void {
  const zero = i32x4.splat(0);
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero,
    t0 = zero,
    t1 = zero,
    t2 = zero,
    t3 = zero;
  let x1 = x + ld,
    x2 = x1 + ld,
    x3 = x2 + ld;
  for (const end = x + groups * TERMS; x != end; x += TERMS, x1 += TERMS, x2 += TERMS, x3 += TERMS) {
    const w0 = weights(q0);
    const w1 = U > 1 ? weights(q0 + UNIT) : zero;
    const a = terms(x);
    s0 = dot(w0, a, s0);
    if (U > 1) t0 = dot(w1, a, t0);
    const b = terms(x1);
    s1 = dot(w0, b, s1);
    if (U > 1) t1 = dot(w1, b, t1);
    const c = terms(x2);
    s2 = dot(w0, c, s2);
    if (U > 1) t2 = dot(w1, c, t2);
    const d = terms(x3);
    s3 = dot(w0, d, s3);
    if (U > 1) t3 = dot(w1, d, t3);
    q0 += group;
  }
  const row = U << 4;
  v128.store(sums, s0);
  v128.store(sums + row, s1);
  v128.store(sums + 2 * row, s2);
  v128.store(sums + 3 * row, s3);
  if (U < 2) return;
  v128.store(sums, t0, 16);
  v128.store(sums, t1, 48);
  v128.store(sums, t2, 80);
  v128.store(sums, t3, 112);
}

/**
 * Integer sums of a tile.
 *
 * @param R, U     rows and units: 1 by WIDEST, 8, 4, 2, 1; 2 by WIDEST / 2, 4, 2, 1; 4 by 2, 1
 * @param groups   terms / 4
 * @param x, ld    in   rows of integers, bytes from one to the next
 * @param p        in   the first unit
 * @param stride   bytes from one panel to the next
 * @param group    bytes of four terms of a panel: 32, or 16 in a narrow one
 * @param sums     out  [R, U] vectors
 */
export function tile(
  R: usize,
  U: usize,
  groups: usize,
  x: usize,
  ld: usize,
  p: usize,
  stride: usize,
  group: usize,
  sums: usize,
): void {
  if (R == 1) {
    if (ASC_FEATURE_RELAXED_SIMD && U == 12) oneRow(12, groups, x, p, stride, 32, sums);
    else if (U == 8) oneRow(8, groups, x, p, stride, 32, sums);
    else if (U == 4) oneRow(4, groups, x, p, stride, 32, sums);
    else if (U == 2) oneRow(2, groups, x, p, stride, group, sums);
    else oneRow(1, groups, x, p, stride, group, sums);
  } else if (R == 2) {
    if (ASC_FEATURE_RELAXED_SIMD && U == 6) twoRows(6, groups, x, ld, p, stride, 32, sums);
    else if (U == 4) twoRows(4, groups, x, ld, p, stride, 32, sums);
    else if (U == 2) twoRows(2, groups, x, ld, p, stride, group, sums);
    else twoRows(1, groups, x, ld, p, stride, group, sums);
  } else if (U == 2) fourRows(2, groups, x, ld, p, group, sums);
  else fourRows(1, groups, x, ld, p, group, sums);
}
