/**
 * The normal distribution function Φ of four floats, for the exact GELU.
 *
 *   Φ(−|x|) = e^(−x²/2)·t·P(t),  t = 1 / (1 + |x| / √8)        Φ(|x|) = 1 − Φ(−|x|)
 *
 * Accuracy  relative, also far below 0, as far as x² / 2 in float carries it.
 * Constants P minimises the largest error relative to ½·erfc(z)·e^(z²) / t (Hastings' form, own fit).
 */
import { exp } from "./expf";
import { madd } from "../f32x4";

/** Φ(x). */
export function phi(x: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, madd(f32x4.abs(x), f32x4.splat(0.353553391), one));
  let p = madd(t, f32x4.splat(-0.029444277), f32x4.splat(0.14184594));
  p = madd(p, t, f32x4.splat(-0.24268217));
  p = madd(p, t, f32x4.splat(0.13797885));
  p = madd(p, t, f32x4.splat(-0.012582368));
  p = madd(p, t, f32x4.splat(0.10103241));
  p = madd(p, t, f32x4.splat(0.12163108));
  p = madd(p, t, f32x4.splat(0.14117667));
  p = madd(p, t, f32x4.splat(0.14104384));
  const tail = f32x4.mul(f32x4.mul(p, t), exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))));
  return v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(x, f32x4.splat(0)));
}
