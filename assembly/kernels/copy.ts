/** Moving floats: fill and copy. */
import { LANES } from "../lib/f32x4";

/**
 * Sets every element.
 *
 * @param n      elements
 * @param y      out  [n]
 * @param value
 */
export function f32_fill(n: usize, y: usize, value: f32): void {
  const v = f32x4.splat(value);
  let i: usize = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + (i << 2), v);
  for (; i < n; i++) store<f32>(y + (i << 2), value);
}

/**
 * Copies x to y, which may not overlap it partly.
 *
 * @param n  elements
 * @param x  in   [n]
 * @param y  out  [n]
 */
export function f32_copy(n: usize, x: usize, y: usize): void {
  memory.copy(y, x, n << 2);
}
