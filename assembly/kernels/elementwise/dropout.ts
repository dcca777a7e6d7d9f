/**
 * Inverted dropout.
 *
 *   y = 0 where u < rate, x / (1 − rate) elsewhere        u = upper 24 bits of hash(seed, counter, site, i) / 2²⁴
 *
 * The mask is never stored: the gradient is the same kernel on dy with the same state and site.
 *
 * Layout    state [3] u32: seed, counter and first row, written by TypeScript; site tells the dropouts of one step
 *           apart. Threads that share a batch count i on from their first row, so that every row drops what it would
 *           alone.
 * Aliasing  y may be x.
 * Accuracy  u is exact in a float, so every build drops the same elements; rate 0 keeps and rate 1 drops all of them.
 *           What is dropped is +0 even where x is not finite.
 * Cost      16 operations per 4 elements.
 */
import { f32_fill } from "./copy";
import { firstKey, hash, secondKey } from "../../lib/elementwise/hash";
import { LANES, storePartial } from "../../lib/f32x4";

const FIRST_FOUR = memory.data<v128>([i32x4(0, 1, 2, 3)]);
const TWO_24: f32 = 16777216;

/** All ones in the lanes to keep. */
// @ts-ignore: decorator
@inline
function kept(numbers: v128, second: v128, limit: v128): v128 {
  return f32x4.ge(f32x4.convert_i32x4_s(i32x4.shr_u(hash(numbers, second), 8)), limit);
}

/**
 * Drops elements and scales the others up.
 *
 * @param n      elements
 * @param x      in   [n]
 * @param state  in   [3] u32  seed, counter, first row
 * @param y      out  [n]
 * @param site   number of this dropout among those of a step
 * @param row    elements of a row; 0 when they are not of rows
 * @param rate   share that is dropped, 0…1
 */
export function f32_dropout_fwd(n: usize, x: usize, state: usize, y: usize, site: i32, row: i32, rate: f32): void {
  assert(rate >= 0 && rate <= 1, "rate must be 0…1");
  let numbers = i32x4.add(i32x4.splat(firstKey(state, site) + row * load<i32>(state, 8)), v128.load(FIRST_FOUR));
  const second = i32x4.splat(secondKey(state, site));
  const limit = f32x4.splat(rate * TWO_24);
  const scale = f32x4.splat(1 / (1 - rate));
  for (; n >= LANES; n -= LANES, x += 16, y += 16) {
    v128.store(y, v128.and(f32x4.mul(v128.load(x), scale), kept(numbers, second, limit)));
    numbers = i32x4.add(numbers, i32x4.splat(4));
  }
  if (n) storePartial(y, v128.and(f32x4.mul(v128.load(x), scale), kept(numbers, second, limit)), n);
}

/**
 * The mask by itself, for those who apply it many times.
 *
 * @param n      elements
 * @param state  in   [3] u32  seed, counter, first row
 * @param y      out  [n]      0 or 1 / (1 − rate)
 * @param site   as above
 * @param row    as above
 * @param rate   share that is dropped, 0…1
 */
export function f32_dropout_mask(n: usize, state: usize, y: usize, site: i32, row: i32, rate: f32): void {
  f32_fill(n, y, 1);
  f32_dropout_fwd(n, y, state, y, site, row, rate);
}
