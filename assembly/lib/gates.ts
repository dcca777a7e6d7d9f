/**
 * Gates of four units at a time, in panel order.
 *
 *   H = 12, G = 4     i0…i7 f0…f7 g0…g7 o0…o7 │ i8…i11 f8…f11 g8…g11 o8…o11
 *
 * Rows of gates are padded to whole vectors, rows of states are not: a vector of states may hold the next row's in its
 * last lanes. These lanes are computed like the others; states are stored without them and gradients with zeros there.
 */
import { firstLanes, flushTiny, LANES, storePartial } from "./f32x4";
import { widthAt } from "./panel";

/** Bytes from the first gate of a row to gate 0 of unit j, a multiple of 4. */
// @ts-ignore: decorator
@inline
export function gateOffset(G: usize, j: usize): usize {
  return (G * (j & ~7) + (j & 7)) << 2;
}

/** Bytes from a gate of unit j to the next gate of the unit: 32, or 16 in a narrow last block. */
// @ts-ignore: decorator
@inline
export function gateStride(H: usize, j: usize): usize {
  return widthAt(H, j & ~7) << 2;
}

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
