/**
 * ln x and ln(1 + u) of four floats.
 *
 *   x = 2ᵉ·(1 + f),  √½ ≤ 1 + f < √2        ln x = e·ln 2 + f − f²/2 + f³·P(f)
 *
 * Subtracting the bits of √½ before the exponent is shifted out rounds e to the nearest octave in one operation.
 *
 * Accuracy  `log`, `softplus` in accuracy.json, subnormals included; ±0 → −Inf, x < 0 → NaN.
 * Cost      ln x takes no division; not tuned, since a loss takes one logarithm per row.
 * Constants P minimises the largest error relative to ln(1 + f), coefficient after coefficient rounded to float.
 */
import { madd } from "../f32x4";
import { LN2_HIGH, LN2_LOW, ONE } from "./expf";

const SQRT_HALF = memory.data<v128>([f32x4.splat(0.70710677)]);
const MINUS_HALF = memory.data<v128>([f32x4.splat(-0.5)]);
const INFINITE = memory.data<v128>([f32x4.splat(Infinity)]);
const NOT_A_NUMBER = memory.data<v128>([f32x4.splat(NaN)]);
const SMALLEST_NORMAL = memory.data<v128>([f32x4.splat(1.1754943508222875e-38)]);
const TWO_23 = memory.data<v128>([f32x4.splat(8388608)]);
const TWENTY_THREE = memory.data<v128>([i32x4.splat(23)]);

const P0 = memory.data<v128>([f32x4.splat(0.33333313)]);
const P1 = memory.data<v128>([f32x4.splat(-0.2500001)]);
const P2 = memory.data<v128>([f32x4.splat(0.20002076)]);
const P3 = memory.data<v128>([f32x4.splat(-0.16667993)]);
const P4 = memory.data<v128>([f32x4.splat(0.14220208)]);
const P5 = memory.data<v128>([f32x4.splat(-0.12406004)]);
const P6 = memory.data<v128>([f32x4.splat(0.11884766)]);
const P7 = memory.data<v128>([f32x4.splat(-0.11672435)]);
const P8 = memory.data<v128>([f32x4.splat(0.06749129)]);

/** ln(x). */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, v128.load(SMALLEST_NORMAL));
  const bits = v128.bitselect(f32x4.mul(x, v128.load(TWO_23)), x, tiny);
  const octave = i32x4.shr_s(i32x4.sub(bits, v128.load(SQRT_HALF)), 23);
  const f = f32x4.sub(i32x4.sub(bits, i32x4.shl(octave, 23)), v128.load(ONE));
  const e = f32x4.convert_i32x4_s(i32x4.sub(octave, v128.and(tiny, v128.load(TWENTY_THREE))));

  let p = madd(f, v128.load(P8), v128.load(P7));
  p = madd(p, f, v128.load(P6));
  p = madd(p, f, v128.load(P5));
  p = madd(p, f, v128.load(P4));
  p = madd(p, f, v128.load(P3));
  p = madd(p, f, v128.load(P2));
  p = madd(p, f, v128.load(P1));
  p = madd(p, f, v128.load(P0));
  const ff = f32x4.mul(f, f);
  // the smallest terms first
  let y = madd(e, v128.load(LN2_LOW), f32x4.mul(f32x4.mul(p, ff), f));
  y = f32x4.add(madd(ff, v128.load(MINUS_HALF), y), f);
  y = madd(e, v128.load(LN2_HIGH), y);

  const infinite = v128.load(INFINITE);
  y = v128.bitselect(y, x, f32x4.lt(x, infinite)); // +Inf and NaN as they came
  const zero = f32x4.splat(0);
  y = v128.bitselect(f32x4.neg(infinite), y, f32x4.eq(x, zero));
  return v128.bitselect(v128.load(NOT_A_NUMBER), y, f32x4.lt(x, zero));
}

/**
 * ln(1 + u) for u in 0…1: what the soft units need.
 *
 * With w = 1 + u as rounded, ln(w)·u / (w − 1) makes good what the sum lost (Kahan).
 */
// @ts-ignore: decorator
@inline
export function log1pUnit(u: v128): v128 {
  const one = v128.load(ONE);
  const w = f32x4.add(one, u);
  const d = f32x4.sub(w, one);
  const y = f32x4.mul(log(w), f32x4.div(u, d));
  return v128.bitselect(u, y, f32x4.eq(d, f32x4.splat(0)));
}
