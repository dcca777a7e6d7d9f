/**
 * What the elementwise functions and their derivatives share.
 *
 * The transcendental cores are called here, not inlined: each then exists once in the module, and code that can meet
 * any activation has no inner loop to speak of.
 */
import { exp } from "./expf";
import { sigmoid, tanh } from "./tanhf";

export const SELU_ALPHA: f32 = 1.6732632423543772;
export const SELU_SCALE: f32 = 1.0507009873554805;
/** The GELU by tanh is x·σ(GELU_LINEAR·x + GELU_CUBIC·x³): 2·√(2/π), and 0.044715 times that. */
export const GELU_LINEAR: f32 = 1.5957691216057308;
export const GELU_CUBIC: f32 = 0.07135481627260025;

export function callExp(x: v128): v128 {
  return exp(x);
}

export function callTanh(x: v128): v128 {
  return tanh(x);
}

export function callSigmoid(x: v128): v128 {
  return sigmoid(x);
}

/** min(max(x, low), high); NaN stays. */
// @ts-ignore: decorator
@inline
export function clip(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high));
}

/** a·x + b, with two roundings in every build. */
// @ts-ignore: decorator
@inline
export function affine(x: v128, a: f32, b: f32): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(a)), f32x4.splat(b));
}
