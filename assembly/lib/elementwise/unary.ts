/**
 * Any elementwise function by its code: what the cells and kernels without a loop of their own call.
 *
 * NaN goes in and comes out (of the steps as of sign: 0). Derivatives are in unary_grad.ts.
 */
import { expm1Negative } from "./expf";
import { log, log1pUnit } from "./logf";
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

export { Unary } from "./unary_codes";
export { unaryGrad } from "./unary_grad";

/** a·(e^z − 1) where x ≤ 0, b·x above. */
function exponentialUnit(x: v128, z: v128, a: f32, b: f32): v128 {
  const below = f32x4.mul(expm1Negative(z), f32x4.splat(a));
  return v128.bitselect(f32x4.mul(x, f32x4.splat(b)), below, f32x4.gt(x, f32x4.splat(0)));
}

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)), accurate far below 0 too. */
function softplus(x: v128): v128 {
  const e = callExp(f32x4.neg(f32x4.abs(x)));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log1pUnit(e));
}

/** (1 + eˣ)² − 1 = e·(e + 2), x cut off where tanh(softplus x) is 1: what mish is made of. */
function mishWeight(x: v128): v128 {
  const e = callExp(f32x4.pmin(x, f32x4.splat(20)));
  const n = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)));
  return f32x4.div(n, f32x4.add(n, f32x4.splat(2)));
}

/** ½·(x + √(x² + b)) as max(x, 0) + ½·b / (|x| + √(x² + b)): nothing cancels far below 0. */
// @ts-ignore: decorator
@inline
function squareplus(x: v128, b: v128): v128 {
  const tail = f32x4.div(
    f32x4.mul(b, f32x4.splat(0.5)),
    f32x4.add(f32x4.abs(x), f32x4.sqrt(f32x4.add(f32x4.mul(x, x), b))),
  );
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), tail);
}

/**
 * f(x) for the function with this code.
 *
 * @param code   one of Unary; anything else is linear
 * @param x
 * @param alpha  first parameter of those that have one
 * @param beta   second parameter
 */
export function unary(code: i32, x: v128, alpha: f32, beta: f32): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const a = f32x4.splat(alpha);
  switch (code) {
    case Unary.TANH:
      return callTanh(x);
    case Unary.SIGMOID:
      return callSigmoid(x);
    case Unary.RELU:
      return f32x4.pmax(x, zero);
    case Unary.EXP:
      return callExp(x);
    case Unary.LOG:
      return log(x);
    case Unary.SQRT:
      return f32x4.sqrt(x);
    case Unary.SQUARE:
      return f32x4.mul(x, x);
    case Unary.ABS:
      return f32x4.abs(x);
    case Unary.NEG:
      return f32x4.neg(x);
    case Unary.RECIPROCAL:
      return f32x4.div(one, x);
    case Unary.ELU:
      return exponentialUnit(x, x, alpha, 1);
    case Unary.LEAKY_RELU:
      return v128.bitselect(x, f32x4.mul(x, a), f32x4.gt(x, zero));
    case Unary.SOFTPLUS:
      return softplus(x);
    case Unary.SOFTSIGN:
      return f32x4.div(x, f32x4.add(one, f32x4.abs(x)));
    case Unary.HARD_SIGMOID:
      return clip(affine(x, 1.0 / 6.0, 0.5), 0, 1);
    case Unary.HARD_SIGMOID_KERAS2:
      return clip(affine(x, 0.2, 0.5), 0, 1);
    case Unary.SELU:
      return exponentialUnit(x, x, SELU_SCALE * SELU_ALPHA, SELU_SCALE);
    case Unary.RELU6:
      return clip(x, 0, 6);
    case Unary.SILU:
      return f32x4.mul(x, callSigmoid(x));
    case Unary.GELU_TANH:
      return f32x4.mul(x, callSigmoid(f32x4.mul(x, affine(f32x4.mul(x, x), GELU_CUBIC, GELU_LINEAR))));
    case Unary.GELU_ERF:
      return f32x4.mul(x, phi(x));
    case Unary.MISH:
      return f32x4.mul(x, mishWeight(x));
    case Unary.LOG_SIGMOID:
      return f32x4.neg(softplus(f32x4.neg(x)));
    case Unary.TANHSHRINK:
      return f32x4.sub(x, callTanh(x));
    case Unary.HARD_SILU:
      return f32x4.mul(x, clip(affine(x, 1.0 / 6.0, 0.5), 0, 1));
    case Unary.CELU:
      return exponentialUnit(x, f32x4.div(x, a), alpha, 1);
    case Unary.AFFINE:
      return affine(x, alpha, beta);
    case Unary.SCALED_TANH:
      return f32x4.mul(a, callTanh(f32x4.mul(x, f32x4.splat(beta))));
    case Unary.THRESHOLDED_RELU:
      return v128.and(x, v128.not(f32x4.le(x, a)));
    case Unary.CLIPPED_AFFINE:
      return clip(affine(x, alpha, beta), 0, 1);
    case Unary.CLIP:
      return clip(x, alpha, beta);
    case Unary.RSQRT:
      return f32x4.div(one, f32x4.sqrt(x));
    case Unary.SIGN:
      return f32x4.sub(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), one));
    case Unary.SOFT_SHRINK:
      return f32x4.sub(x, clip(x, -alpha, alpha));
    case Unary.HARD_SHRINK:
      return v128.and(x, v128.not(f32x4.le(f32x4.abs(x), a)));
    case Unary.SQUAREPLUS:
      return squareplus(x, a);
    default:
      return x;
  }
}
