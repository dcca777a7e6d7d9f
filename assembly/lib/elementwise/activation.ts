/**
 * The activations of a cell.
 *
 *   acts → { i32 code, f32 alpha, f32 beta, i32 unused } of the activation, then the same of the recurrent one
 *
 * `code` is literal at the call. The usual functions are inlined, and tanh and σ know their slopes from their values;
 * ANY looks the function up in its record at every call, and its slope may need the argument.
 */
import { sigmoid, tanh } from "./tanhf";
import { Unary, unary, unaryGrad } from "./unary";

/** A literal code that stands for whatever the record says. */
export const ANY = -1;

/** Bytes of a record: from the activation to the recurrent activation. */
export const RECURRENT: usize = 16;

/** Whether the pair is the usual one, tanh and σ: it is without records. */
export function isUsual(acts: usize): bool {
  return !acts || (load<i32>(acts) == Unary.TANH && load<i32>(acts, RECURRENT) == Unary.SIGMOID);
}

/** f(x). */
// @ts-ignore: decorator
@inline
export function activate(code: i32, record: usize, x: v128): v128 {
  if (code == Unary.TANH) return tanh(x);
  if (code == Unary.SIGMOID) return sigmoid(x);
  if (code == Unary.RELU) return f32x4.pmax(x, f32x4.splat(0));
  return unary(load<i32>(record), x, load<f32>(record, 4), load<f32>(record, 8));
}

/** d · f′(x), where f(x) = y. */
// @ts-ignore: decorator
@inline
export function differentiate(code: i32, record: usize, x: v128, y: v128, d: v128): v128 {
  if (code == Unary.TANH) return f32x4.mul(d, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
  if (code == Unary.SIGMOID) return f32x4.mul(d, f32x4.sub(y, f32x4.mul(y, y)));
  if (code == Unary.RELU) return v128.and(d, f32x4.gt(x, f32x4.splat(0)));
  return f32x4.mul(d, unaryGrad(load<i32>(record), x, y, load<f32>(record, 4), load<f32>(record, 8)));
}
