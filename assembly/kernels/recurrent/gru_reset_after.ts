/**
 * Gated recurrent unit over a whole sequence, reset after the product (Keras' default, PyTorch's and cuDNN's unit).
 *
 *   z = σ(xz + hUz + bz)   r = σ(xr + hUr + br)   n = tanh(xn + r⊙hn),  hn = hUn + bn
 *   h = z⊙h(t−1) + (1 − z)⊙n                      hU = (drop⊙h(t−1))·U
 *
 * The two GRUs have a file each: they share the last line only. x·W + b for all steps was written by one product before
 * the call. The recurrent product of a step goes to scratch, because r multiplies its third part alone; the rest of the
 * step is lib/recurrent/gru_reset_after_step.ts.
 *
 * Layout    N packed rows (lib/recurrent/sequence.ts); gates, pre, dr [N, 3·panelWidth(H)] in panel order, z r n
 *           (lib/linear/panel.ts); hn [N, panelWidth(H)]; states tight [N, H] or [B, H]; H any.
 * Aliasing  hT may be h0. Nothing else overlaps.
 * Accuracy  σ and tanh as in accuracy.json.
 * Cost      3·H·H multiply-adds per row, and 3 transcendentals per unit.
 */
import { ANY, isUsual } from "../../lib/elementwise/activation";
import { gemm } from "../../lib/linear/gemm";
import { gruBackward } from "../../lib/recurrent/gru_reset_after_step";
import { panelWidth } from "../../lib/linear/panel";
import { addMasked, copyRows, multiply, rowsAt, rowsOf } from "../../lib/recurrent/sequence";
import { Unary } from "../../lib/elementwise/unary_codes";
import { f32_gru_reset_after_step } from "./steps";

/**
 * Runs every step of a batch.
 *
 * @param T, B, H  steps, rows, units
 * @param active   in      [T] | 0        rows alive at each step, never more than at the one before; 0 = B at each
 * @param u        in      [H, 3·panelWidth(H)] in panels  recurrent weights, columns in panel order
 * @param bu       in      [3·panelWidth(H)] | 0  recurrent bias in panel order
 * @param h0       in      [B, H] | 0     initial state, 0 = zeros
 * @param drop     in      [B, H] | 0     recurrent dropout: multiplied onto h(t−1) in the product
 * @param gates    in/out  [N, 3·panelWidth(H)]  x·W + b in, activations out (any state without keep)
 * @param pre      out     [N, 3·panelWidth(H)] | 0  pre-activations: with keep and another pair than tanh, σ
 * @param hn       out     [N, panelWidth(H)]  the part of the product that r multiplies; 0 without keep
 * @param h        out     [N, H]         every state
 * @param hT       out     [B, H] | 0     state of each row after its last step
 * @param scratch          B·(3·panelWidth(H) + H) floats
 * @param keep     1 = backward will follow, 0 = it will not
 * @param acts     in      [2] | 0        activation and recurrent activation (lib/elementwise/activation.ts)
 */
export function f32_gru_reset_after_seq_fwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  bu: usize,
  h0: usize,
  drop: usize,
  gates: usize,
  pre: usize,
  hn: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  keep: usize,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const Hp = panelWidth(H);
  const width = Hp * 3;
  const dropped = scratch + ((B * width) << 2);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    if (drop && h0) multiply(rows * H, h0, drop, dropped);
    // no state, no terms: the product is the bias
    gemm(rows, width, h0 ? H : 0, drop ? dropped : h0, H, u, bu, 0, scratch, width, <bool>(t & 1));
    if (!h0) {
      copyRows(0, rows, H, 0, h);
      h0 = h;
    }
    f32_gru_reset_after_step(rows, H, h0, scratch, gates, pre, hn, h, keep, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    hn += (rows * Hp) << 2;
    gates += (rows * width) << 2;
    if (pre) pre += (rows * width) << 2;
    rows = next;
  }
}

/**
 * Gradients of every step, last to first. The recurrent weights' gradient is shiftedᵀ·dr, with f32_shift_rows.
 *
 * @param T, B, H, active, h0, drop, acts  as in forward
 * @param ut       in      [3·panelWidth(H), panelWidth(H)] in panels  transposed recurrent weights, rows in panel order
 * @param pre      in      [N, 3·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param hn       in      [N, panelWidth(H)]  the part of the product that r multiplied
 * @param h        in      [N, H]         every state
 * @param dhs      in      [N, H] | 0     gradient of every state
 * @param gates    in/out  [N, 3·panelWidth(H)]  activations in, gradients of x·W + b out, padding 0
 * @param dr       out     [N, 3·panelWidth(H)]  gradients of h(t−1)·U + bu, padding 0
 * @param dh       in/out  [B, H]         gradient of the final state in, of the initial state out
 * @param scratch          B·H floats
 * @param initial  0: nobody wants the gradient of the initial state; dh ends as anything
 */
export function f32_gru_reset_after_seq_bwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  ut: usize,
  h0: usize,
  drop: usize,
  pre: usize,
  hn: usize,
  h: usize,
  dhs: usize,
  gates: usize,
  dr: usize,
  dh: usize,
  scratch: usize,
  initial: i32,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const Hp = panelWidth(H);
  const width = Hp * 3;
  const usual = isUsual(acts);
  const N = rowsOf(T, B, active);
  gates += (N * width) << 2;
  dr += (N * width) << 2;
  if (pre) pre += (N * width) << 2;
  hn += (N * Hp) << 2;
  h += (N * H) << 2;
  if (dhs) dhs += (N * H) << 2;
  for (let t = T; t--;) {
    const rows = rowsAt(t, T, B, active);
    gates -= (rows * width) << 2;
    dr -= (rows * width) << 2;
    if (pre) pre -= (rows * width) << 2;
    hn -= (rows * Hp) << 2;
    h -= (rows * H) << 2;
    if (dhs) dhs -= (rows * H) << 2;
    let before = t ? h - ((rowsAt(t - 1, T, B, active) * H) << 2) : h0;
    if (!before) {
      copyRows(0, rows, H, 0, scratch);
      before = scratch;
    }
    if (usual) gruBackward(Unary.TANH, Unary.SIGMOID, rows, H, before, pre, hn, dhs, gates, dr, dh, acts);
    else gruBackward(ANY, ANY, rows, H, before, pre, hn, dhs, gates, dr, dh, acts);
    if (t == 0 && !initial) break;
    gemm(rows, H, width, dr, width, ut, 0, 0, scratch, H, <bool>(t & 1));
    addMasked(rows * H, scratch, drop, dh);
  }
}
