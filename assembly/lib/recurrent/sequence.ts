/**
 * The time line of a recurrent layer over packed rows.
 *
 * Rows are sorted longest first and packed time-major, so the rows alive at a step are the first ones of the batch,
 * they lie side by side, and the row that continues row b of one step is row b of the next.
 *
 *   active = 4 2 1        step 0  r0 r1 r2 r3 │ step 1  r0 r1 │ step 2  r0        N = 7
 */
import { LANES } from "../f32x4";

/** Rows alive at step t of T; 0 outside of the sequence. */
export function rowsAt(t: usize, T: usize, B: usize, active: usize): usize {
  if (t >= T) return 0; // t = −1 too
  return active ? <usize>load<i32>(active + (t << 2)) : B;
}

/** Packed rows of all steps. */
export function rowsOf(T: usize, B: usize, active: usize): usize {
  if (!active) return T * B;
  let N: usize = 0;
  for (let t: usize = 0; t < T; t++) N += load<i32>(active + (t << 2));
  return N;
}

/** Rows `from`…`to` of x, or zeros when x is 0, to the same rows of y, if there is one. Tight rows of H. */
export function copyRows(from: usize, to: usize, H: usize, x: usize, y: usize): void {
  if (!y || from >= to) return;
  const at = (from * H) << 2;
  const bytes = ((to - from) * H) << 2;
  if (x) memory.copy(y + at, x + at, bytes);
  else memory.fill(y + at, 0, bytes);
}

/** y = x ⊙ mask. */
export function multiply(n: usize, x: usize, mask: usize, y: usize): void {
  const end = x + (n << 2);
  const whole = x + ((n & ~(LANES - 1)) << 2);
  for (; x != whole; x += 16, mask += 16, y += 16) v128.store(y, f32x4.mul(v128.load(x), v128.load(mask)));
  for (; x != end; x += 4, mask += 4, y += 4) store<f32>(y, load<f32>(x) * load<f32>(mask));
}

/** y += x ⊙ mask, or y += x. */
export function addMasked(n: usize, x: usize, mask: usize, y: usize): void {
  const end = x + (n << 2);
  const whole = x + ((n & ~(LANES - 1)) << 2);
  if (mask) multiply(n, x, mask, x);
  for (; x != whole; x += 16, y += 16) v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
  for (; x != end; x += 4, y += 4) store<f32>(y, load<f32>(y) + load<f32>(x));
}
