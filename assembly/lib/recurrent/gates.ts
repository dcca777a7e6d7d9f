/**
 * States and gradients of gates, four units at a time. Both become 0 below 1e-30: a state that fades by a factor every
 * step would end among the denormals, which are slow.
 *
 * Rows of gates are padded to whole vectors, rows of states are not: a vector of states may hold the next row's in its
 * last lanes. These lanes are computed like the others; states are stored without them and gradients with zeros there.
 */
import { firstLanes, flushTiny, LANES, storePartial } from "../f32x4";

/** Stores a vector of states: units j… of H. */
// @ts-ignore: decorator
@inline
export function storeUnits(p: usize, v: v128, H: usize, j: usize): void {
  if (H - j >= 4) v128.store(p, v);
  else storePartial(p, v, H - j);
}

/** Which lanes of the vector at unit j hold one of H units. */
// @ts-ignore: decorator
@inline
export function unitLanes(H: usize, j: usize): v128 {
  return firstLanes(min<usize>(H - j, LANES));
}

/** A gradient, with 0 outside of `lanes` and where it has vanished: denormals would slow the products down. */
// @ts-ignore: decorator
@inline
export function flush(d: v128, lanes: v128): v128 {
  return v128.and(flushTiny(d), lanes);
}
