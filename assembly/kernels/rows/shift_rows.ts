/** States one step earlier: the left operand of the recurrent weights' gradient. */
import { copyRows, multiply, rowsAt } from "../../lib/recurrent/sequence";

/**
 * Every packed row's h(t−1), as the recurrent product saw it.
 *
 * @param T, B, H  steps, rows, units
 * @param active   in   [T] | 0     rows alive at each step; 0 = B at each
 * @param h0       in   [B, H] | 0  initial state, 0 = zeros
 * @param drop     in   [B, H] | 0  recurrent dropout
 * @param h        in   [N, H]      every state
 * @param y        out  [N, H]      drop⊙h(t−1), or h(t−1)
 */
export function f32_shift_rows(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  h0: usize,
  drop: usize,
  h: usize,
  y: usize,
): void {
  for (let t: usize = 0; t < T; t++) {
    const rows = rowsAt(t, T, B, active);
    if (h0 && drop) multiply(rows * H, h0, drop, y);
    else copyRows(0, rows, H, h0, y);
    h0 = h;
    h += (rows * H) << 2;
    y += (rows * H) << 2;
  }
}
