/**
 * Gated recurrent unit over a whole sequence, reset before the product (the unit as first published; Keras 1, ONNX's
 * default).
 *
 *   z = σ(xz + hm·Uz)   r = σ(xr + hm·Ur)   n = tanh(xn + (r⊙hm)·Un)        hm = drop⊙h(t−1)
 *   h = z⊙h(t−1) + (1 − z)⊙n
 *
 * x·W + b for all steps was written by one product before the call. A step takes two products, since the second
 * multiplies what r has left of the state; both go to scratch. The rest of the step is
 * lib/recurrent/gru_reset_before_step.ts.
 *
 * Layout    N packed rows (lib/recurrent/sequence.ts); gates and pre [N, 3·panelWidth(H)] in panel order, z r n; the
 *           operands of the two products [N, 2·panelWidth(H)], z r, and [N, panelWidth(H)] (lib/linear/panel.ts);
 *           states tight; H any.
 * Aliasing  hT may be h0. Nothing else overlaps.
 * Accuracy  σ and tanh as in accuracy.json.
 * Cost      3·H·H multiply-adds per row, and 3 transcendentals per unit.
 */
import { ANY, isUsual } from "../../lib/elementwise/activation";
import { gemm } from "../../lib/linear/gemm";
import { blendBackward, resetBackward } from "../../lib/recurrent/gru_reset_before_step";
import { panelWidth } from "../../lib/linear/panel";
import { addMasked, copyRows, multiply, rowsAt, rowsOf } from "../../lib/recurrent/sequence";
import { Unary } from "../../lib/elementwise/unary_codes";
import { f32_gru_blend_step, f32_gru_reset_step } from "./steps";

/**
 * Runs every step of a batch.
 *
 * @param T, B, H  steps, rows, units
 * @param active   in      [T] | 0        rows alive at each step, never more than at the one before; 0 = B at each
 * @param u_zr     in      [H, 2·panelWidth(H)] in panels  recurrent weights of z and r, columns in panel order
 * @param u_n      in      [H, panelWidth(H)] in panels    recurrent weights of n
 * @param h0       in      [B, H] | 0     initial state, 0 = zeros
 * @param drop     in      [B, H] | 0     recurrent dropout: multiplied onto h(t−1) in the products
 * @param gates    in/out  [N, 3·panelWidth(H)]  x·W + b in, activations out
 * @param pre      out     [N, 3·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param rh       out     [N, H]         r⊙hm of every step; without keep a workspace [B, H]
 * @param h        out     [N, H]         every state
 * @param hT       out     [B, H] | 0     state of each row after its last step
 * @param scratch          B·(2·panelWidth(H) + H) floats
 * @param keep     1 = backward will follow, 0 = it will not
 * @param acts     in      [2] | 0        activation and recurrent activation (lib/elementwise/activation.ts)
 */
export function f32_gru_reset_before_seq_fwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u_zr: usize,
  u_n: usize,
  h0: usize,
  drop: usize,
  gates: usize,
  pre: usize,
  rh: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  keep: usize,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const Hp = panelWidth(H);
  const dropped = scratch + ((2 * B * Hp) << 2);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    // no state, no terms
    const K = h0 ? H : 0;
    if (!h0) {
      copyRows(0, rows, H, 0, h);
      h0 = h;
    }
    if (drop) multiply(rows * H, h0, drop, dropped);
    const hm = drop ? dropped : h0;
    gemm(rows, 2 * Hp, K, hm, H, u_zr, 0, 0, scratch, 2 * Hp, <bool>(t & 1));
    f32_gru_reset_step(rows, H, hm, scratch, gates, pre, rh, acts);
    gemm(rows, Hp, K, rh, H, u_n, 0, 0, scratch, Hp, <bool>(t & 1));
    f32_gru_blend_step(rows, H, h0, scratch, gates, pre, h, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    if (keep) rh += (rows * H) << 2;
    gates += (3 * rows * Hp) << 2;
    if (pre) pre += (3 * rows * Hp) << 2;
    rows = next;
  }
}

/**
 * Gradients of every step, last to first. The recurrent weights' gradients are shiftedᵀ·dzr, with f32_shift_rows, and
 * rhᵀ·dn.
 *
 * @param T, B, H, active, h0, drop, acts  as in forward
 * @param ut_zr    in      [2·panelWidth(H), panelWidth(H)] in panels  transposed weights of z, r, rows in panel order
 * @param ut_n     in      [panelWidth(H), panelWidth(H)] in panels    transposed weights of n
 * @param pre      in      [N, 3·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param h        in      [N, H]         every state
 * @param dhs      in      [N, H] | 0     gradient of every state
 * @param gates    in/out  [N, 3·panelWidth(H)]  activations in, gradients of the pre-activations out, padding 0
 * @param dzr      out     [N, 2·panelWidth(H)]  those of z and r again
 * @param dn       out     [N, panelWidth(H)]    those of n again
 * @param dh       in/out  [B, H]         gradient of the final state in, of the initial state out
 * @param scratch          2·B·H floats
 * @param initial  0: nobody wants the gradient of the initial state; dh ends as anything
 */
export function f32_gru_reset_before_seq_bwd(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  ut_zr: usize,
  ut_n: usize,
  h0: usize,
  drop: usize,
  pre: usize,
  h: usize,
  dhs: usize,
  gates: usize,
  dzr: usize,
  dn: usize,
  dh: usize,
  scratch: usize,
  initial: i32,
  acts: usize,
): void {
  assert(H > 0, "H must not be 0");
  const Hp = panelWidth(H);
  const usual = isUsual(acts);
  const N = rowsOf(T, B, active);
  gates += (3 * N * Hp) << 2;
  if (pre) pre += (3 * N * Hp) << 2;
  dzr += (2 * N * Hp) << 2;
  dn += (N * Hp) << 2;
  h += (N * H) << 2;
  if (dhs) dhs += (N * H) << 2;
  if (!h0) {
    h0 = scratch + ((B * H) << 2);
    copyRows(0, B, H, 0, h0);
  }
  for (let t = T; t--;) {
    const rows = rowsAt(t, T, B, active);
    gates -= (3 * rows * Hp) << 2;
    if (pre) pre -= (3 * rows * Hp) << 2;
    dzr -= (2 * rows * Hp) << 2;
    dn -= (rows * Hp) << 2;
    h -= (rows * H) << 2;
    if (dhs) dhs -= (rows * H) << 2;
    const before = t ? h - ((rowsAt(t - 1, T, B, active) * H) << 2) : h0;
    if (usual) blendBackward(Unary.TANH, Unary.SIGMOID, rows, H, before, pre, dhs, gates, dzr, dn, dh, acts);
    else blendBackward(ANY, ANY, rows, H, before, pre, dhs, gates, dzr, dn, dh, acts);
    gemm(rows, H, Hp, dn, Hp, ut_n, 0, 0, scratch, H, <bool>(t & 1));
    if (usual) resetBackward(Unary.SIGMOID, rows, H, before, drop, pre, gates, dzr, scratch, acts);
    else resetBackward(ANY, rows, H, before, drop, pre, gates, dzr, scratch, acts);
    if (t == 0 && !initial) break;
    gemm(rows, H, 2 * Hp, dzr, 2 * Hp, ut_zr, scratch, H, scratch, H, <bool>(t & 1));
    addMasked(rows * H, scratch, drop, dh);
  }
}
