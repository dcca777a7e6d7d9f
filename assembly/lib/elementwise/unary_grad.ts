/**
 * Derivatives of the elementwise functions by code.
 *
 * Both x and y = f(x) are given, because some functions are not monotone and others are cheaper from y. At corners the
 * value is PyTorch's: 0 for |x|′, relu′, relu6′ and the hard sigmoid's at their bounds; clip′ is 1 at its bounds.
 */
import { phi } from "./phi";
import {
  affine,
  callExp,
  callSigmoid,
  callTanh,
  clip,
  GELU_CUBIC,
  GELU_LINEAR,
  SELU_ALPHA,
  SELU_SCALE,
} from "./unary_cores";
import { Unary } from "./unary_codes";

// @ts-ignore: decorator
@inline
const NORMAL_PEAK: f32 = 0.3989422804014327; // 1 / √(2π)

/** `value` where low < x < high, else 0. */
// @ts-ignore: decorator
@inline
function inside(x: v128, low: f32, high: f32, value: f32): v128 {
  const mask = v128.and(f32x4.gt(x, f32x4.splat(low)), f32x4.lt(x, f32x4.splat(high)));
  return v128.and(mask, f32x4.splat(value));
}

/** b where x > 0, else a·e^z. */
function exponentialUnitGrad(x: v128, z: v128, a: f32, b: f32): v128 {
  return v128.bitselect(f32x4.splat(b), f32x4.mul(callExp(z), f32x4.splat(a)), f32x4.gt(x, f32x4.splat(0)));
}

/** 1 − t². */
// @ts-ignore: decorator
@inline
function tanhGrad(t: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(t, t));
}

/** s·(1 + z·(1 − s)·slope): of x·σ(u), with slope = u′ and z = x, cut off where σ is 0 or 1. */
// @ts-ignore: decorator
@inline
function gatedGrad(s: v128, z: v128, slope: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.mul(s, f32x4.add(one, f32x4.mul(z, f32x4.mul(f32x4.sub(one, s), slope))));
}

function geluTanhGrad(x: v128): v128 {
  const z = clip(x, -20, 20);
  const zz = f32x4.mul(z, z);
  const s = callSigmoid(f32x4.mul(z, affine(zz, GELU_CUBIC, GELU_LINEAR)));
  return gatedGrad(s, z, affine(zz, 3 * GELU_CUBIC, GELU_LINEAR));
}

/** Φ(x) + x·φ(x). */
function geluErfGrad(x: v128): v128 {
  const z = clip(x, -20, 20);
  const density = f32x4.mul(callExp(f32x4.mul(f32x4.mul(z, z), f32x4.splat(-0.5))), f32x4.splat(NORMAL_PEAK));
  return f32x4.add(phi(x), f32x4.mul(z, density));
}

/** With e = eˣ and n = e·(e + 2): n / (n + 2) + 4·x·e·(e + 1) / (n + 2)². */
function mishGrad(x: v128): v128 {
  const z = f32x4.pmin(x, f32x4.splat(20));
  const e = callExp(z);
  const n = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)));
  const m = f32x4.add(n, f32x4.splat(2));
  const top = f32x4.mul(f32x4.mul(f32x4.splat(4), z), f32x4.mul(e, f32x4.add(e, f32x4.splat(1))));
  return f32x4.div(f32x4.add(n, f32x4.div(top, m)), m);
}

/**
 * f′(x) for the function with this code.
 *
 * @param code   one of Unary; anything else is linear
 * @param x
 * @param y      f(x)
 * @param alpha  as given to unary
 * @param beta
 */
export function unaryGrad(code: i32, x: v128, y: v128, alpha: f32, beta: f32): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  const a = f32x4.splat(alpha);
  switch (code) {
    case Unary.TANH:
      return tanhGrad(y);
    case Unary.SIGMOID:
      return f32x4.mul(y, f32x4.sub(one, y));
    case Unary.RELU:
      return v128.and(f32x4.gt(x, zero), one);
    case Unary.EXP:
      return y;
    case Unary.LOG:
      return f32x4.div(one, x);
    case Unary.SQRT:
      return f32x4.div(half, y);
    case Unary.SQUARE:
      return f32x4.add(x, x);
    case Unary.ABS:
      return f32x4.sub(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), one));
    case Unary.NEG:
      return f32x4.splat(-1);
    case Unary.RECIPROCAL:
      return f32x4.neg(f32x4.mul(y, y));
    case Unary.ELU:
      return exponentialUnitGrad(x, x, alpha, 1);
    case Unary.LEAKY_RELU:
      return v128.bitselect(one, a, f32x4.gt(x, zero));
    case Unary.SOFTPLUS:
      return callSigmoid(x);
    case Unary.SOFTSIGN: {
      const d = f32x4.div(one, f32x4.add(one, f32x4.abs(x)));
      return f32x4.mul(d, d);
    }
    case Unary.HARD_SIGMOID:
      return inside(x, -3, 3, 1.0 / 6.0);
    case Unary.HARD_SIGMOID_KERAS2:
      return inside(x, -2.5, 2.5, 0.2);
    case Unary.SELU:
      return exponentialUnitGrad(x, x, SELU_SCALE * SELU_ALPHA, SELU_SCALE);
    case Unary.RELU6:
      return inside(x, 0, 6, 1);
    case Unary.SILU:
      return gatedGrad(callSigmoid(x), x, one);
    case Unary.GELU_TANH:
      return geluTanhGrad(x);
    case Unary.GELU_ERF:
      return geluErfGrad(x);
    case Unary.MISH:
      return mishGrad(x);
    case Unary.LOG_SIGMOID:
      return callSigmoid(f32x4.neg(x));
    case Unary.TANHSHRINK: {
      const t = callTanh(x);
      return f32x4.mul(t, t);
    }
    case Unary.HARD_SILU: {
      const slope = v128.and(affine(x, 1.0 / 3.0, 0.5), f32x4.gt(x, f32x4.splat(-3)));
      return v128.bitselect(slope, one, f32x4.lt(x, f32x4.splat(3)));
    }
    case Unary.CELU:
      return exponentialUnitGrad(x, f32x4.div(x, a), 1, 1);
    case Unary.AFFINE:
      return a;
    case Unary.SCALED_TANH:
      return f32x4.mul(f32x4.splat(alpha * beta), tanhGrad(callTanh(f32x4.mul(x, f32x4.splat(beta)))));
    case Unary.THRESHOLDED_RELU:
      return v128.and(f32x4.gt(x, a), one);
    case Unary.CLIPPED_AFFINE: {
      const z = affine(x, alpha, beta);
      return v128.and(a, v128.and(f32x4.gt(z, zero), f32x4.lt(z, one)));
    }
    case Unary.CLIP:
      return v128.and(one, v128.and(f32x4.ge(x, a), f32x4.le(x, f32x4.splat(beta))));
    case Unary.RSQRT:
      return f32x4.mul(f32x4.splat(-0.5), f32x4.mul(y, f32x4.mul(y, y)));
    case Unary.SIGN:
      return zero;
    case Unary.SOFT_SHRINK: // as HARD_SHRINK
    case Unary.HARD_SHRINK:
      return v128.and(f32x4.gt(f32x4.abs(x), a), one);
    case Unary.SQUAREPLUS:
      return f32x4.div(y, f32x4.add(f32x4.sub(y, x), y));
    default:
      return one;
  }
}
