/**
 * Four floats at a time: the only file that knows the strict build from the relaxed one.
 */

/** Floats in a v128. */
export const LANES: usize = 4;

/** a·b + c, with one rounding in the relaxed build and two in the strict one. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b, rounded like madd. */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** The first `count` (1…4) floats at p, zeros in the other lanes; reads nothing past them. */
export function loadPartial(p: usize, count: usize): v128 {
  if (count >= 4) return v128.load(p);
  if (count == 3) return v128.load32_lane(p + 8, v128.load64_zero(p), 2);
  if (count == 2) return v128.load64_zero(p);
  return v128.load32_zero(p);
}

/** Writes the first `count` (1…4) lanes of v. */
export function storePartial(p: usize, v: v128, count: usize): void {
  if (count >= 4) {
    v128.store(p, v);
    return;
  }
  if (count == 1) {
    v128.store32_lane(p, v, 0);
    return;
  }
  v128.store64_lane(p, v, 0);
  if (count == 3) v128.store32_lane(p + 8, v, 2);
}

const LANE_MASKS = memory.data<i32>([-1, -1, -1, -1, 0, 0, 0, 0], 16);

/** All ones in the first `count` (0…4) lanes. */
// @ts-ignore: decorator
@inline
export function firstLanes(count: usize): v128 {
  return v128.load(LANE_MASKS + ((LANES - count) << 2));
}

const MAGNITUDE = memory.data<v128>([i32x4.splat(0x7fffffff)]);
const TINY = memory.data<v128>([f32x4.splat(1e-30)]);

/** x, or 0 where |x| < 1e-30: what shrinks step by step must not end among the denormals, which are slow. NaN stays. */
// @ts-ignore: decorator
@inline
export function flushTiny(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(v128.and(x, v128.load(MAGNITUDE)), v128.load(TINY)));
}
