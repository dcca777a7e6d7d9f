/**
 * tanh and the logistic sigmoid of four floats: the inner loop of every gate.
 *
 *   tanh x = sign x · (1 − w) / (1 + w),  w = e^(−2|x|)        σ(x) = 1 / (1 + e^(−x))
 *
 * Both split the exponential as in expf.ts: w = s·(1 + p) with s = 2ⁿ and p = e^(2r) − 1. In tanh the two halves meet
 * as (1 − s) − s·p and (1 + s) + s·p: 1 ± s is exact, so nothing cancels near 0, and neither sum waits for the other.
 * In σ, e^(−x) overflows to +Inf where σ is below 2⁻¹²⁷·⁵, which makes the quotient 0 there.
 *
 * Accuracy  `tanh`, `sigmoid` in accuracy.json, for every float. tanh is odd to the bit, −0 included.
 * Cost      tanh 27 operations, 19 in the relaxed build; σ 25 and 16; a division in each. NaN stays NaN.
 */
import { madd, nmadd } from "./f32x4";
import { LN2_HIGH, LN2_LOW, LOG2E, ONE, Q0, Q2, Q4, ROUND } from "./expf";

const SIGN = memory.data<v128>([i32x4.splat(0x80000000)]);

/** tanh rounds to −1 from here on. */
const SATURATED = memory.data<v128>([f32x4.splat(-9.02)]);
const TWO_LOG2E = memory.data<v128>([f32x4.splat(2.88539008)]);
/** One float is enough of ln 2 / 2: n goes to −26 only, and errors in r shrink with w. */
const HALF_LN2 = memory.data<v128>([f32x4.splat(0.34657359)]);

/** (e^(2r) − 1 − 2r) / r², fitted relative to e^(2r) − 1 for |r| ≤ ln 2 / 4. */
const T0 = memory.data<v128>([f32x4.splat(1.99999988)]);
const T1 = memory.data<v128>([f32x4.splat(1.33332368)]);
const T2 = memory.data<v128>([f32x4.splat(0.66667896)]);
const T3 = memory.data<v128>([f32x4.splat(0.267720384)]);
const T4 = memory.data<v128>([f32x4.splat(0.0887722)]);

/** tanh(x). */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const sign = v128.load(SIGN);
  const one = v128.load(ONE);
  // pmax gives its first operand when that is NaN
  const z = f32x4.pmax(v128.or(x, sign), v128.load(SATURATED));
  const t = madd(z, v128.load(TWO_LOG2E), v128.load(ROUND));
  const n = f32x4.sub(t, v128.load(ROUND));
  const s = i32x4.shl(t, 23);
  const r = nmadd(n, v128.load(HALF_LN2), z);
  let p = madd(r, v128.load(T4), v128.load(T3));
  p = madd(p, r, v128.load(T2));
  p = madd(p, r, v128.load(T1));
  p = madd(p, r, v128.load(T0));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, r));
  const y = f32x4.div(nmadd(p, s, f32x4.sub(one, s)), madd(p, s, f32x4.add(one, s)));
  return v128.or(y, v128.and(x, sign));
}

/** The arguments between which σ is neither 0 nor 1. */
const LOWEST = memory.data<v128>([f32x4.splat(-89)]);
const HIGHEST = memory.data<v128>([f32x4.splat(88)]);

/** The odd coefficients of eʳ negated: the polynomial takes −r. */
const MINUS_ONE = memory.data<v128>([f32x4.splat(-1)]);
const MINUS_Q1 = memory.data<v128>([f32x4.splat(-0.16666521)]);
const MINUS_Q3 = memory.data<v128>([f32x4.splat(-0.008368677)]);
const MINUS_LOG2E = memory.data<v128>([f32x4.splat(-1.44269504)]);

/** 1 / (1 + e^(−x)). */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = v128.load(ONE);
  const z = f32x4.pmin(f32x4.pmax(x, v128.load(LOWEST)), v128.load(HIGHEST));
  const t = madd(z, v128.load(MINUS_LOG2E), v128.load(ROUND));
  const n = f32x4.sub(t, v128.load(ROUND));
  const s = i32x4.shl(t, 23);
  const r = madd(n, v128.load(LN2_LOW), madd(n, v128.load(LN2_HIGH), z)); // −x = n·ln 2 − r
  let p = madd(r, v128.load(Q4), v128.load(MINUS_Q3));
  p = madd(p, r, v128.load(Q2));
  p = madd(p, r, v128.load(MINUS_Q1));
  p = madd(p, r, v128.load(Q0));
  p = madd(p, r, v128.load(MINUS_ONE));
  p = madd(p, r, one);
  return f32x4.div(one, madd(p, s, one));
}
