/**
 * One row at a time, of any length: tails are masked, so nothing past the row gets into a result, and never more
 * than 12 bytes past it are read.
 *
 *   first(3)   ▓▓▓░   all ones in the lanes that belong to the row
 */
import { exp } from "./expf";
import { LANES, madd } from "./f32x4";

const MASKS = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);
const LOWEST = memory.data<v128>([f32x4.splat(-Infinity)]);

/** All ones in the first `count` (1…4) lanes. */
// @ts-ignore: decorator
@inline
export function first(count: usize): v128 {
  return v128.load(MASKS + ((LANES - count) << 2));
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumOf(v: v128): f32 {
  v = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
}

/** Largest of N ≥ 1 floats. NaN is passed over: the sum of exponentials finds it. */
export function rowMax(N: usize, x: usize): f32 {
  assert(N > 0, "rows must not be empty");
  const lowest = v128.load(LOWEST);
  let a = lowest;
  let b = lowest;
  for (; N > 2 * LANES; N -= 2 * LANES, x += 32) {
    a = f32x4.pmax(a, v128.load(x));
    b = f32x4.pmax(b, v128.load(x, 16));
  }
  a = f32x4.pmax(a, b);
  if (N > LANES) {
    a = f32x4.pmax(a, v128.load(x));
    N -= LANES;
    x += 16;
  }
  a = f32x4.pmax(a, v128.bitselect(v128.load(x), lowest, first(N)));
  a = f32x4.pmax(a, i32x4.shuffle(a, a, 2, 3, 0, 1));
  return max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1));
}

/** Σ a over N ≥ 1 floats. */
export function rowSum(N: usize, a: usize): f32 {
  let sum = f32x4.splat(0);
  for (; N > LANES; N -= LANES, a += 16) sum = f32x4.add(sum, v128.load(a));
  return sumOf(f32x4.add(sum, v128.and(v128.load(a), first(N))));
}

/** Σ a⊙b over N ≥ 1 floats. */
export function rowDot(N: usize, a: usize, b: usize): f32 {
  let sum = f32x4.splat(0);
  for (; N > LANES; N -= LANES, a += 16, b += 16) sum = madd(v128.load(a), v128.load(b), sum);
  return sumOf(f32x4.add(sum, v128.and(f32x4.mul(v128.load(a), v128.load(b)), first(N))));
}

/** Σ exp(x − shift) over N ≥ 1 floats. */
export function sumExp(N: usize, x: usize, shift: f32): f32 {
  const by = f32x4.splat(shift);
  let sum = f32x4.splat(0);
  for (; N > LANES; N -= LANES, x += 16) sum = f32x4.add(sum, exp(f32x4.sub(v128.load(x), by)));
  return sumOf(f32x4.add(sum, v128.and(exp(f32x4.sub(v128.load(x), by)), first(N))));
}
