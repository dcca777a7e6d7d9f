/** Where the largest element is: the first of equals, and the first NaN before anything else. */
import { LANES } from "../f32x4";

/** Whether v takes the place of `best`: it is larger, or the first NaN. */
// @ts-ignore: decorator
@inline
export function beats(v: f32, best: f32): bool {
  return !(v <= best) && best == best;
}

/** beats for four pairs, as a mask. */
// @ts-ignore: decorator
@inline
export function beats4(v: v128, best: v128): v128 {
  return v128.andnot(f32x4.eq(best, best), f32x4.le(v, best));
}

/** The index of the largest of n ≥ 1 floats. */
export function argmax(n: usize, x: usize): usize {
  let at: usize = 0;
  let i: usize = 1;
  if (n >= 2 * LANES) {
    // each lane keeps the first best of its quarter; the lanes' winners then meet in order of index
    let best = v128.load(x);
    let where = i32x4(0, 1, 2, 3);
    let index = where;
    for (i = LANES; i + LANES <= n; i += LANES) {
      const v = v128.load(x + (i << 2));
      index = i32x4.add(index, i32x4.splat(4));
      const won = beats4(v, best);
      best = v128.bitselect(v, best, won);
      where = v128.bitselect(index, where, won);
    }
    at = i32x4.extract_lane(where, 0);
    at = earlier(x, at, i32x4.extract_lane(where, 1));
    at = earlier(x, at, i32x4.extract_lane(where, 2));
    at = earlier(x, at, i32x4.extract_lane(where, 3));
  }
  for (; i < n; i++) if (beats(load<f32>(x + (i << 2)), load<f32>(x + (at << 2)))) at = i;
  return at;
}

/** Of two indices the one with the larger element, the smaller index when they are equal. */
function earlier(x: usize, a: usize, b: usize): usize {
  const first = min(a, b);
  const second = max(a, b);
  return beats(load<f32>(x + (second << 2)), load<f32>(x + (first << 2))) ? second : first;
}
