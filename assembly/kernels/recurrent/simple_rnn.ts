/**
 * Simple recurrence over a whole sequence.
 *
 *   h = f(z),  z = x·W + b + (drop⊙h(t−1))·U
 *
 * x·W + b for all steps was written by one product before the call; each step adds the recurrent product in place.
 * Backward runs the steps in reverse and leaves the gradients of z where z was.
 *
 * Layout    N packed rows (lib/recurrent/sequence.ts); gates [N, panelWidth(H)]; states tight [N, H] or [B, H]; H any.
 * Aliasing  hT may be h0. Nothing else overlaps.
 * Accuracy  that of f; tanh, σ and relu are inlined, other functions cost a call per four units.
 * Cost      H·H multiply-adds per row.
 */
import { ANY, differentiate } from "../../lib/elementwise/activation";
import { flush, unitLanes } from "../../lib/recurrent/gates";
import { gemm } from "../../lib/linear/gemm";
import { panelWidth } from "../../lib/linear/panel";
import { copyRows, multiply, rowsAt, rowsOf } from "../../lib/recurrent/sequence";
import { Unary } from "../../lib/elementwise/unary_codes";
import { f32_simple_rnn_step } from "./steps";

/**
 * Runs every step of a batch.
 *
 * @param T, B, H  steps, rows, units
 * @param active   in      [T] | 0        rows alive at each step, never more than at the one before; 0 = B at each
 * @param u        in      [H, panelWidth(H)] in panels  recurrent weights
 * @param h0       in      [B, H] | 0     initial state, 0 = zeros
 * @param drop     in      [B, H] | 0     recurrent dropout: multiplied onto h(t−1) in the product
 * @param gates    in/out  [N, panelWidth(H)]  x·W + b in, pre-activations out
 * @param h        out     [N, H]         every output
 * @param hT       out     [B, H] | 0     output of each row after its last step
 * @param scratch          B·H floats
 * @param acts     in      [1] | 0        the activation (lib/elementwise/activation.ts), 0 = tanh
 */
export function f32_simple_rnn_seq_fwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  h0: usize,
  drop: usize,
  gates: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const width = panelWidth(H);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    if (h0) {
      if (drop) multiply(rows * H, h0, drop, scratch);
      gemm(rows, width, H, drop ? scratch : h0, H, u, gates, width, gates, width, <bool>(t & 1));
    }
    f32_simple_rnn_step(rows, H, gates, h, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    gates += (rows * width) << 2;
    rows = next;
  }
}

/** Gradients of one step's pre-activations, in their place. */
// @ts-ignore: decorator
@inline
function backwardStep(
  code: i32,
  rows: usize,
  H: usize,
  h: usize,
  dhs: usize,
  gates: usize,
  dh: usize,
  acts: usize,
): void {
  const width = panelWidth(H) << 2;
  for (; rows; rows--, gates += width, h += H << 2, dh += H << 2) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      let d = v128.load(dh + at);
      if (dhs) d = f32x4.add(d, v128.load(dhs + at));
      d = differentiate(code, acts, v128.load(gates + at), v128.load(h + at), d);
      v128.store(gates + at, flush(d, unitLanes(H, j)));
    }
    if (dhs) dhs += H << 2;
  }
}

/**
 * Gradients of every step, last to first. The recurrent weights' gradient is shiftedᵀ·gates, with f32_shift_rows.
 *
 * @param T, B, H, active, drop, acts  as in forward
 * @param ut       in      [panelWidth(H), panelWidth(H)] in panels  transposed recurrent weights
 * @param h        in      [N, H]         every output
 * @param dhs      in      [N, H] | 0     gradient of every output
 * @param gates    in/out  [N, panelWidth(H)]  pre-activations in, their gradients out, padding 0
 * @param dh       in/out  [B, H]         gradient of the final state in, of the initial state out
 * @param initial  0: nobody wants the gradient of the initial state; dh ends as anything
 */
export function f32_simple_rnn_seq_bwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  ut: usize,
  drop: usize,
  h: usize,
  dhs: usize,
  gates: usize,
  dh: usize,
  initial: i32,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const width = panelWidth(H);
  const code = acts ? load<i32>(acts) : Unary.TANH;
  const N = rowsOf(T, B, active);
  h += (N * H) << 2;
  if (dhs) dhs += (N * H) << 2;
  gates += (N * width) << 2;
  for (let t = T; t--;) {
    const rows = rowsAt(t, T, B, active);
    h -= (rows * H) << 2;
    if (dhs) dhs -= (rows * H) << 2;
    gates -= (rows * width) << 2;
    if (code == Unary.TANH) backwardStep(Unary.TANH, rows, H, h, dhs, gates, dh, acts);
    else if (code == Unary.SIGMOID) backwardStep(Unary.SIGMOID, rows, H, h, dhs, gates, dh, acts);
    else if (code == Unary.RELU) backwardStep(Unary.RELU, rows, H, h, dhs, gates, dh, acts);
    else backwardStep(ANY, rows, H, h, dhs, gates, dh, acts);
    if (t == 0 && !initial) break;
    gemm(rows, H, width, gates, width, ut, 0, 0, dh, H, <bool>(t & 1));
    if (drop) multiply(rows * H, dh, drop, dh);
  }
}
