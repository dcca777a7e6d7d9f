/**
 * Elementwise functions of one operand, by code.
 *
 *   fwd  y = f(x)        bwd  dx = dy ⊙ f′
 *
 * Codes      assembly/lib/elementwise/unary_codes.ts. tanh, sigmoid, relu and exp have loops of their own (measured: a
 *            call and a switch per vector make tanh 1.7 times as slow); the others share one.
 * Aliasing   y may be x; dx may be dy. Nothing else overlaps.
 * Accuracy   accuracy.json.
 */
import { exp } from "../../lib/elementwise/expf";
import { LANES, storePartial } from "../../lib/f32x4";
import { sigmoid, tanh } from "../../lib/elementwise/tanhf";
import { Unary, unary, unaryGrad } from "../../lib/elementwise/unary";

/** unary with the literal `code` of a hot function: the branches fold. */
// @ts-ignore: decorator
@inline
function hot(code: Unary, x: v128): v128 {
  if (code == Unary.TANH) return tanh(x);
  if (code == Unary.SIGMOID) return sigmoid(x);
  if (code == Unary.RELU) return f32x4.pmax(x, f32x4.splat(0));
  return exp(x);
}

/** dy ⊙ f′ likewise. */
// @ts-ignore: decorator
@inline
function hotGrad(code: Unary, x: v128, y: v128, dy: v128): v128 {
  if (code == Unary.TANH) return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)));
  if (code == Unary.SIGMOID) return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)));
  if (code == Unary.RELU) return v128.and(dy, f32x4.gt(x, f32x4.splat(0)));
  return f32x4.mul(dy, y);
}

// @ts-ignore: decorator
@inline
function mapHot(code: Unary, n: usize, x: usize, y: usize): void {
  let at: usize = 0;
  for (const whole = (n & ~3) << 2; at < whole; at += 16) v128.store(y + at, hot(code, v128.load(x + at)));
  if (n & 3) storePartial(y + at, hot(code, v128.load(x + at)), n & 3);
}

// @ts-ignore: decorator
@inline
function mapHotGrad(code: Unary, n: usize, x: usize, y: usize, dy: usize, dx: usize): void {
  let at: usize = 0;
  for (const whole = (n & ~3) << 2; at < whole; at += 16) {
    v128.store(dx + at, hotGrad(code, v128.load(x + at), v128.load(y + at), v128.load(dy + at)));
  }
  if (n & 3) storePartial(dx + at, hotGrad(code, v128.load(x + at), v128.load(y + at), v128.load(dy + at)), n & 3);
}

/**
 * y = f(x).
 *
 * @param n      elements
 * @param x      in   [n]
 * @param y      out  [n]  may be x
 * @param code   which function
 * @param alpha  its first parameter
 * @param beta   its second parameter
 */
export function f32_unary_fwd(n: usize, x: usize, y: usize, code: i32, alpha: f32, beta: f32): void {
  switch (code) {
    case Unary.TANH:
      mapHot(Unary.TANH, n, x, y);
      return;
    case Unary.SIGMOID:
      mapHot(Unary.SIGMOID, n, x, y);
      return;
    case Unary.RELU:
      mapHot(Unary.RELU, n, x, y);
      return;
    case Unary.EXP:
      mapHot(Unary.EXP, n, x, y);
      return;
  }
  for (let i: usize = 0; i < n; i += LANES) {
    const v = unary(code, v128.load(x + (i << 2)), alpha, beta);
    storePartial(y + (i << 2), v, min(LANES, n - i));
  }
}

/**
 * dx = dy ⊙ f′(x).
 *
 * @param n      elements
 * @param x      in   [n]
 * @param y      in   [n]  f(x)
 * @param dy     in   [n]  gradient of y
 * @param dx     out  [n]  gradient of x, may be dy
 * @param code   which function
 * @param alpha  its first parameter
 * @param beta   its second parameter
 */
export function f32_unary_bwd(
  n: usize,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  code: i32,
  alpha: f32,
  beta: f32,
): void {
  switch (code) {
    case Unary.TANH:
      mapHotGrad(Unary.TANH, n, x, y, dy, dx);
      return;
    case Unary.SIGMOID:
      mapHotGrad(Unary.SIGMOID, n, x, y, dy, dx);
      return;
    case Unary.RELU:
      mapHotGrad(Unary.RELU, n, x, y, dy, dx);
      return;
    case Unary.EXP:
      mapHotGrad(Unary.EXP, n, x, y, dy, dx);
      return;
  }
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const slope = unaryGrad(code, v128.load(x + at), v128.load(y + at), alpha, beta);
    storePartial(dx + at, f32x4.mul(v128.load(dy + at), slope), min(LANES, n - i));
  }
}
