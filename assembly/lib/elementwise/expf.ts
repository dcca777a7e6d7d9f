/**
 * exp and exp − 1 of four floats.
 *
 *   x = n·ln 2 + r,  |r| ≤ ln 2 / 2        eˣ = 2ⁿ·eʳ,  eʳ = 1 + r + r²·q(r)
 *   eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1)        so that nothing cancels near 0
 *
 * Adding 1.5·2²³ + 127 rounds x / ln 2 to an integer and leaves that integer, biased, in the low bits of the sum:
 * shifted into the exponent they are 2ⁿ (0 from n = −127 on, +Inf at n = 128).
 *
 * Accuracy  `exp`, `elu` in accuracy.json; results below 2⁻¹²⁶·⁵ become 0.
 * Cost      exp 27 operations, 18 in the relaxed build; no division.
 * Constants q minimises the largest error relative to eʳ, coefficient after coefficient rounded to float; they are
 *           loaded because V8 rebuilds splatted literals at each use.
 */
import { madd, nmadd } from "../f32x4";

export const ONE = memory.data<v128>([f32x4.splat(1)]);
export const LOG2E = memory.data<v128>([f32x4.splat(1.44269504)]);
/** 1.5·2²³ + 127. */
export const ROUND = memory.data<v128>([f32x4.splat(12583039)]);
/** The first 15 bits of ln 2 (so that n·LN2_HIGH is exact), and the rest. */
export const LN2_HIGH = memory.data<v128>([f32x4.splat(0.693145752)]);
export const LN2_LOW = memory.data<v128>([f32x4.splat(1.42860677e-6)]);

/** q(r) = (eʳ − 1 − r) / r², the constant term first. */
const Q0 = memory.data<v128>([f32x4.splat(0.49999994)]);
const Q1 = memory.data<v128>([f32x4.splat(0.16666521)]);
const Q2 = memory.data<v128>([f32x4.splat(0.041668266)]);
const Q3 = memory.data<v128>([f32x4.splat(0.008368677)]);
const Q4 = memory.data<v128>([f32x4.splat(0.0013820734)]);

/** Beyond these eˣ is 0 and +Inf. */
export const LOWEST = memory.data<v128>([f32x4.splat(-88)]);
const HIGHEST = memory.data<v128>([f32x4.splat(89)]);
const TWO_127 = memory.data<v128>([f32x4.splat(1.7014118346046923e38)]);

/** eʳ − 1 = r + r²·q(r), in pairs of terms: a shorter chain than Horner's (measured: 5 to 15 % of a sigmoid). */
// @ts-ignore: decorator
@inline
export function expm1Reduced(r: v128): v128 {
  const rr = f32x4.mul(r, r);
  const high = madd(rr, v128.load(Q4), madd(r, v128.load(Q3), v128.load(Q2)));
  const q = madd(rr, high, madd(r, v128.load(Q1), v128.load(Q0)));
  return madd(rr, q, r);
}

/** z − n·ln 2. */
// @ts-ignore: decorator
@inline
export function remainder(z: v128, n: v128): v128 {
  return nmadd(n, v128.load(LN2_LOW), nmadd(n, v128.load(LN2_HIGH), z));
}

/** eˣ. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  // pmax and pmin give their first operand when it is NaN
  const z = f32x4.pmin(f32x4.pmax(x, v128.load(LOWEST)), v128.load(HIGHEST));
  const t = madd(z, v128.load(LOG2E), v128.load(ROUND));
  const n = f32x4.sub(t, v128.load(ROUND));
  const s = i32x4.shl(t, 23);
  const p = expm1Reduced(remainder(z, n));
  // 2¹²⁸ is no float: there 2¹²⁷ is used and the result doubled, which overflows where it should
  const half = v128.load(TWO_127);
  const h = f32x4.pmin(s, half);
  const y = madd(p, h, h);
  return f32x4.add(y, v128.and(y, f32x4.gt(s, half)));
}

/** eˣ − 1 for x ≤ 0 (larger x are taken as 0): what the exponential units need, with −0 for −0. */
// @ts-ignore: decorator
@inline
export function expm1Negative(x: v128): v128 {
  const zero = f32x4.splat(0);
  const one = v128.load(ONE);
  const z = f32x4.pmin(f32x4.pmax(x, v128.load(LOWEST)), zero);
  const t = madd(z, v128.load(LOG2E), v128.load(ROUND));
  const n = f32x4.sub(t, v128.load(ROUND));
  const s = i32x4.shl(t, 23);
  const y = madd(expm1Reduced(remainder(z, n)), s, f32x4.sub(s, one));
  return v128.bitselect(z, y, f32x4.eq(z, zero));
}
