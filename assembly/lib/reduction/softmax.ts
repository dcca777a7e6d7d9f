/**
 * Softmax of one row of any length, in parts: tails are masked, so nothing past the row gets into a result, and never
 * more than 12 bytes past it are read.
 */
import { exp } from "../elementwise/expf";
import { firstLanes, LANES } from "../f32x4";

const LOWEST = memory.data<v128>([f32x4.splat(-Infinity)]);

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
  a = f32x4.pmax(a, v128.bitselect(v128.load(x), lowest, firstLanes(N)));
  a = f32x4.pmax(a, i32x4.shuffle(a, a, 2, 3, 0, 1));
  return max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1));
}

/** Σ exp(x − shift) over N ≥ 1 floats. */
export function sumExp(N: usize, x: usize, shift: f32): f32 {
  const by = f32x4.splat(shift);
  let sum = f32x4.splat(0);
  for (; N > LANES; N -= LANES, x += 16) sum = f32x4.add(sum, exp(f32x4.sub(v128.load(x), by)));
  return sumOf(f32x4.add(sum, v128.and(exp(f32x4.sub(v128.load(x), by)), firstLanes(N))));
}
