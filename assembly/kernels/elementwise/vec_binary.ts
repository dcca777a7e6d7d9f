/**
 * Elementwise arithmetic of two operands, comparisons and the fused updates made of them.
 *
 * Aliasing   an output may be any of the inputs. Nothing overlaps partly.
 * Accuracy   one rounding per operation; products that are added are fused in the relaxed build.
 * Cost       bound by loads and stores.
 */
import { madd, storePartial } from "../../lib/f32x4";

const enum Op {
  ADD,
  SUB,
  MUL,
  DIV,
  MAXIMUM,
  MINIMUM,
  GREATER,
  GREATER_EQUAL,
  EQUAL,
  EQUAL_I32,
  MUL_ADD,
  SCALE_ADD,
  AFFINE,
  SELECT,
}

/** Four results: op is a literal at each call, so that the branches fold. a, b, c are addresses, s and t scalars. */
// @ts-ignore: decorator
@inline
function apply(op: Op, a: usize, b: usize, c: usize, s: v128, t: v128): v128 {
  if (op == Op.ADD) return f32x4.add(v128.load(a), v128.load(b));
  if (op == Op.SUB) return f32x4.sub(v128.load(a), v128.load(b));
  if (op == Op.MUL) return f32x4.mul(v128.load(a), v128.load(b));
  if (op == Op.DIV) return f32x4.div(v128.load(a), v128.load(b));
  if (op == Op.MAXIMUM) return f32x4.max(v128.load(a), v128.load(b));
  if (op == Op.MINIMUM) return f32x4.min(v128.load(a), v128.load(b));
  if (op == Op.GREATER) return v128.and(f32x4.gt(v128.load(a), v128.load(b)), f32x4.splat(1));
  if (op == Op.GREATER_EQUAL) return v128.and(f32x4.ge(v128.load(a), v128.load(b)), f32x4.splat(1));
  if (op == Op.EQUAL) return v128.and(f32x4.eq(v128.load(a), v128.load(b)), f32x4.splat(1));
  if (op == Op.EQUAL_I32) return v128.and(i32x4.eq(v128.load(a), v128.load(b)), f32x4.splat(1));
  if (op == Op.MUL_ADD) return madd(v128.load(a), v128.load(b), v128.load(c));
  if (op == Op.SCALE_ADD) return madd(v128.load(a), s, v128.load(b));
  if (op == Op.AFFINE) return madd(v128.load(a), s, t);
  return v128.bitselect(v128.load(a), v128.load(b), f32x4.ne(v128.load(c), f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function map(op: Op, n: usize, a: usize, b: usize, c: usize, y: usize, s: f32, t: f32): void {
  const scale = f32x4.splat(s);
  const shift = f32x4.splat(t);
  let at: usize = 0;
  for (const whole = (n & ~3) << 2; at < whole; at += 16)
    v128.store(y + at, apply(op, a + at, b + at, c + at, scale, shift));
  if (n & 3) storePartial(y + at, apply(op, a + at, b + at, c + at, scale, shift), n & 3);
}

/** y = a + b. Here and below: a, b in [n]; y out [n], may be a or b. */
export function f32_vadd(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.ADD, n, a, b, 0, y, 0, 0);
}

/** y = a − b. */
export function f32_vsub(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.SUB, n, a, b, 0, y, 0, 0);
}

/** y = a ⊙ b. */
export function f32_vmul(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.MUL, n, a, b, 0, y, 0, 0);
}

/** y = a / b. */
export function f32_vdiv(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.DIV, n, a, b, 0, y, 0, 0);
}

/** The larger of each pair, NaN where either is. */
export function f32_vmaximum(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.MAXIMUM, n, a, b, 0, y, 0, 0);
}

/** The smaller of each pair, NaN where either is. */
export function f32_vminimum(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.MINIMUM, n, a, b, 0, y, 0, 0);
}

/** y = 1 where a > b, else 0. */
export function f32_vgreater(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.GREATER, n, a, b, 0, y, 0, 0);
}

/** y = 1 where a ≥ b, else 0. */
export function f32_vgreater_equal(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.GREATER_EQUAL, n, a, b, 0, y, 0, 0);
}

/** y = 1 where a = b, else 0. */
export function f32_vequal(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.EQUAL, n, a, b, 0, y, 0, 0);
}

/** y (f32) = 1 where the integers a and b are equal, else 0. */
export function i32_vequal(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.EQUAL_I32, n, a, b, 0, y, 0, 0);
}

/** y += a ⊙ b. */
export function f32_vmul_acc(n: usize, a: usize, b: usize, y: usize): void {
  map(Op.MUL_ADD, n, a, b, y, y, 0, 0);
}

/** y += a·x. */
export function f32_vaxpy_acc(n: usize, x: usize, y: usize, a: f32): void {
  map(Op.SCALE_ADD, n, x, y, 0, y, a, 0);
}

/** y = scale·x + shift. */
export function f32_vaffine(n: usize, x: usize, y: usize, scale: f32, shift: f32): void {
  map(Op.AFFINE, n, x, 0, 0, y, scale, shift);
}

/**
 * y = x times one number from memory: a scalar that changes from call to call.
 *
 * @param n   elements
 * @param x   in   [n]
 * @param y   out  [n]
 * @param by  in   [1]
 */
export function f32_vscale(n: usize, x: usize, y: usize, by: usize): void {
  map(Op.AFFINE, n, x, 0, 0, y, load<f32>(by), -0.0); // p + −0 is p, also for p = −0
}

/**
 * y = a where the condition is not 0, else b.
 *
 * @param n     elements
 * @param cond  in   [n]  floats; NaN counts as true
 * @param a     in   [n]
 * @param b     in   [n]
 * @param y     out  [n]  may be any of them
 */
export function f32_vselect(n: usize, cond: usize, a: usize, b: usize, y: usize): void {
  map(Op.SELECT, n, a, b, cond, y, 0, 0);
}
