/**
 * What happens to gradients between backward and the update: clipping, sums over
 * several steps, and the question whether they are finite.
 *
 *   value   g ← min(max(g, −limit), limit)        norm   g ← g·min(1, limit / (‖g‖ + epsilon))
 *
 * Layout    g [n] floats; sumsq points at an f64 that f32_rsumsq_acc has filled, of one tensor or of all.
 * Accuracy  gradients within the limit keep every bit. NaN stays NaN, and makes all of a clipped norm NaN.
 * Cost      a load and a store per 4 floats; norm: only when something is to be clipped.
 */
import { LANES, storePartial } from "../../lib/f32x4";

/**
 * Elements beyond ±limit become ±limit.
 *
 * @param n      elements
 * @param g      in/out  [n]
 * @param limit  largest magnitude
 */
export function f32_clip_value(n: usize, g: usize, limit: f32): void {
  const low = f32x4.splat(-limit);
  const high = f32x4.splat(limit);
  for (let i: usize = 0; i < n; i += LANES) {
    // pmax and pmin give their first operand when it is NaN
    const clipped = f32x4.pmin(f32x4.pmax(v128.load(g + (i << 2)), low), high);
    storePartial(g + (i << 2), clipped, n - i);
  }
}

/**
 * Scales g down to a norm of limit, when it is above.
 *
 * @param n        elements
 * @param g        in/out  [n]
 * @param sumsq    in      [1] f64  square of the norm
 * @param limit    largest norm
 * @param epsilon  added to the norm (PyTorch: 1e-6)
 */
export function f32_clip_norm(n: usize, g: usize, sumsq: usize, limit: f32, epsilon: f32): void {
  const factor = <f64>limit / (sqrt(load<f64>(sumsq)) + <f64>epsilon);
  if (factor >= 1) return;
  const scale = f32x4.splat(<f32>factor);
  for (let i: usize = 0; i < n; i += LANES) {
    storePartial(g + (i << 2), f32x4.mul(v128.load(g + (i << 2)), scale), n - i);
  }
}

/**
 * Whether a step may be taken: 1 when gradients and loss are finite, else 0.
 *
 * @param sumsq  in   [1] f64      of all gradients
 * @param loss   in   [1] f32
 * @param due    in   [1] | 0 i32  0 there: no step, whatever the gradients are; no pointer: no question
 * @param guard  out  [1] i32
 */
export function f32_guard(sumsq: usize, loss: usize, due: usize, guard: usize): void {
  const wanted = due == 0 || load<i32>(due) != 0;
  store<i32>(guard, i32(wanted && isFinite(load<f64>(sumsq)) && isFinite(load<f32>(loss))));
}

/**
 * Keeps a sum of gradients for the next step, or hands out the mean and starts again.
 *
 * @param n      elements
 * @param g      in/out  [n]      sum so far; what is handed out
 * @param sum    out     [n]      what is kept
 * @param due    in      [1] i32  not 0: hands out
 * @param guard  in      [1] i32  0: touches nothing
 * @param share  of the sum in the mean
 */
export function f32_accumulate(n: usize, g: usize, sum: usize, due: usize, guard: usize, share: f32): void {
  if (load<i32>(guard) == 0) return;
  if (load<i32>(due) == 0) {
    memory.copy(sum, g, n << 2);
    return;
  }
  memory.fill(sum, 0, n << 2);
  const scale = f32x4.splat(share);
  for (let i: usize = 0; i < n; i += LANES)
    storePartial(g + (i << 2), f32x4.mul(v128.load(g + (i << 2)), scale), n - i);
}
