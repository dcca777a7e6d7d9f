/**
 * tanh and the logistic sigmoid of four floats: the inner loop of every gate.
 *
 *   tanh x = sign x · (1 − w) / (1 + w),  w = e^(−2|x|)        σ(x) = w / (1 + w),  w = eˣ
 *
 * Both split the exponential as in expf.ts, w = s·(1 + p) with s = 2ⁿ, and add s and s·p to 1 apart: 1 ± s is exact
 * where it matters, so nothing cancels in tanh near 0, and numerator and denominator do not wait for each other.
 *
 * Accuracy  `tanh`, `sigmoid` in accuracy.json, for every float. tanh is odd to the bit, −0 included; σ below 2⁻¹²⁶·⁵
 *           becomes 0; NaN stays NaN.
 * Cost      tanh 28 operations, 20 in the relaxed build; σ 26 and 17; one of them a division.
 */
import { madd, nmadd } from "../f32x4";
import { expm1Reduced, LOG2E, LOWEST, ONE, remainder, ROUND } from "./expf";

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
  const rr = f32x4.mul(r, r);
  const high = madd(rr, v128.load(T4), madd(r, v128.load(T3), v128.load(T2)));
  const q = madd(rr, high, madd(r, v128.load(T1), v128.load(T0)));
  const p = madd(rr, q, f32x4.add(r, r));
  const y = f32x4.div(nmadd(p, s, f32x4.sub(one, s)), madd(p, s, f32x4.add(one, s)));
  return v128.or(y, v128.and(x, sign));
}

/** σ rounds to 1 from here on. */
const HIGHEST = memory.data<v128>([f32x4.splat(18)]);

/** 1 / (1 + e^(−x)). */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const z = f32x4.pmin(f32x4.pmax(x, v128.load(LOWEST)), v128.load(HIGHEST));
  const t = madd(z, v128.load(LOG2E), v128.load(ROUND));
  const n = f32x4.sub(t, v128.load(ROUND));
  const s = i32x4.shl(t, 23);
  const p = expm1Reduced(remainder(z, n));
  return f32x4.div(madd(p, s, s), madd(p, s, f32x4.add(v128.load(ONE), s)));
}
