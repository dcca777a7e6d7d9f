/**
 * Long short-term memory over a whole sequence.
 *
 *   i = σ(zi + pi⊙c(t−1))   f = σ(zf + pf⊙c(t−1))   g = tanh(zg)        z = x·W + b + (drop⊙h(t−1))·U
 *   c = f⊙c(t−1) + i⊙g      o = σ(zo + po⊙c)        h = o⊙tanh(c)
 *
 * x·W + b for all steps was written by one product before the call. Each step adds the recurrent product in place, then
 * gates, cell and output are computed four units at a time (lib/recurrent/lstm_step.ts). Backward runs the steps in
 * reverse and leaves the gradients of the pre-activations where the gates were.
 *
 * Layout    N packed rows (lib/recurrent/sequence.ts); gates and pre [N, 4·panelWidth(H)] in panel order, i f g o
 *           (lib/linear/panel.ts); states tight [N, H] or [B, H]; H any.
 * Aliasing  hT may be h0, cT may be c0, and without `keep` c may be c0. Nothing else overlaps.
 * Accuracy  σ and tanh as in accuracy.json.
 * Cost      4·H·H multiply-adds per row, and 5 transcendentals per unit.
 */
import { isUsual } from "../../lib/elementwise/activation";
import { gemm } from "../../lib/linear/gemm";
import { lstmBackward } from "../../lib/recurrent/lstm_step";
import { panelWidth } from "../../lib/linear/panel";
import { copyRows, multiply, rowsAt, rowsOf } from "../../lib/recurrent/sequence";
import { f32_lstm_step } from "./steps";

/**
 * Runs every step of a batch.
 *
 * @param T, B, H  steps, rows, units
 * @param active   in      [T] | 0        rows alive at each step, never more than at the one before; 0 = B at each
 * @param u        in      [H, 4·panelWidth(H)] in panels  recurrent weights, columns in panel order
 * @param h0, c0   in      [B, H] | 0     initial state, 0 = zeros
 * @param drop     in      [B, H] | 0     recurrent dropout: multiplied onto h(t−1) in the product
 * @param peep_i, peep_f, peep_o  in [H] | 0  peepholes
 * @param gates    in/out  [N, 4·panelWidth(H)]  x·W + b in, activations out (any state without keep)
 * @param pre      out     [N, 4·panelWidth(H)] | 0  pre-activations: with keep and another pair than tanh, σ
 * @param h        out     [N, H]         every output
 * @param c        out     [N, H]         every cell state; without keep a workspace [B, H]
 * @param hT, cT   out     [B, H] | 0     state of each row after its last step
 * @param scratch          B·H floats
 * @param keep     1 = backward will follow, 0 = it will not
 * @param acts     in      [2] | 0        activation and recurrent activation (lib/elementwise/activation.ts)
 */
export function f32_lstm_seq_fwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  h0: usize,
  c0: usize,
  drop: usize,
  peep_i: usize,
  peep_f: usize,
  peep_o: usize,
  gates: usize,
  pre: usize,
  h: usize,
  c: usize,
  hT: usize,
  cT: usize,
  scratch: usize,
  keep: usize,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const width = panelWidth(H) * 4;
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  copyRows(rows, B, H, c0, cT);
  for (let t: usize = 0; t < T; t++) {
    if (h0) {
      if (drop) multiply(rows * H, h0, drop, scratch);
      gemm(rows, width, H, drop ? scratch : h0, H, u, gates, width, gates, width, <bool>(t & 1));
    }
    if (!c0) {
      copyRows(0, rows, H, 0, c);
      c0 = c;
    }
    f32_lstm_step(rows, H, c0, peep_i, peep_f, peep_o, gates, pre, h, c, keep, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    copyRows(next, rows, H, c, cT);
    h0 = h;
    c0 = c;
    h += (rows * H) << 2;
    if (keep) c += (rows * H) << 2;
    gates += (rows * width) << 2;
    if (pre) pre += (rows * width) << 2;
    rows = next;
  }
}

/**
 * Gradients of every step, last to first. The recurrent weights' gradient is shiftedᵀ·gates, with f32_shift_rows.
 *
 * @param T, B, H, active, c0, drop, peep_i, peep_f, peep_o, acts  as in forward
 * @param ut       in      [4·panelWidth(H), panelWidth(H)] in panels  transposed recurrent weights, rows in panel order
 * @param pre      in      [N, 4·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param c        in      [N, H]         every cell state
 * @param dhs      in      [N, H] | 0     gradient of every output
 * @param gates    in/out  [N, 4·panelWidth(H)]  activations in, gradients of the pre-activations out, padding 0
 * @param dh, dc   in/out  [B, H]         gradient of the final state in, of the initial state out
 * @param dpeep_i, dpeep_f, dpeep_o  in/out  [H] | 0  gradients of the peepholes, added to
 * @param scratch          B·H floats
 * @param initial  0: nobody wants the gradient of the initial h; dh ends as anything
 */
export function f32_lstm_seq_bwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  ut: usize,
  c0: usize,
  drop: usize,
  peep_i: usize,
  peep_f: usize,
  peep_o: usize,
  pre: usize,
  c: usize,
  dhs: usize,
  gates: usize,
  dh: usize,
  dc: usize,
  dpeep_i: usize,
  dpeep_f: usize,
  dpeep_o: usize,
  scratch: usize,
  initial: i32,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const width = panelWidth(H) * 4;
  const usual = isUsual(acts);
  const N = rowsOf(T, B, active);
  gates += (N * width) << 2;
  if (pre) pre += (N * width) << 2;
  c += (N * H) << 2;
  if (dhs) dhs += (N * H) << 2;
  if (!c0) {
    memory.fill(scratch, 0, (B * H) << 2);
    c0 = scratch;
  }
  for (let t = T; t--;) {
    const rows = rowsAt(t, T, B, active);
    gates -= (rows * width) << 2;
    if (pre) pre -= (rows * width) << 2;
    c -= (rows * H) << 2;
    if (dhs) dhs -= (rows * H) << 2;
    const before = t ? c - ((rowsAt(t - 1, T, B, active) * H) << 2) : c0;
    lstmBackward(
      usual,
      rows,
      H,
      before,
      peep_i,
      peep_f,
      peep_o,
      pre,
      c,
      dhs,
      gates,
      dh,
      dc,
      dpeep_i,
      dpeep_f,
      dpeep_o,
      acts,
    );
    if (t == 0 && !initial) break;
    gemm(rows, H, width, gates, width, ut, 0, 0, dh, H, <bool>(t & 1));
    if (drop) multiply(rows * H, dh, drop, dh);
  }
}
