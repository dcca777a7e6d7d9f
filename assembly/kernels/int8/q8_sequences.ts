/**
 * The recurrent cells with int8 recurrent weights, over a whole sequence: what the f32 kernels of the same names do
 * forward, but h is quantised at every step, row by row, and the product sums integers (lib/int8/q8_gemm.ts). x·W + b
 * was written before the call. The elementwise half of a step is a kernel of the other module
 * (kernels/recurrent/steps.ts).
 *
 * Layout    N packed rows (lib/recurrent/sequence.ts); gates [N, G·panelWidth(H)] in panel order; states tight [N, H]
 *           or [B, H]; H any.
 * Aliasing  hT may be h0, cT may be c0, and without `keep` c may be c0. Nothing else overlaps.
 * Accuracy  that of h in 7 or 14 bits.
 * Cost      bench/README.md.
 *
 * All of them:
 *
 * @param T, B, H  steps, rows, units
 * @param active   in      [T] | 0        rows alive at each step, never more than at the one before; 0 = B at each
 * @param u        in      [H, G·panelWidth(H)] in int8 panels  recurrent weights
 * @param h0, c0   in      [B, H] | 0     initial state, 0 = zeros
 * @param gates    in/out  x·W + b in, activations out (any state without keep)
 * @param h, c     out     [N, H]         every output, every cell state; without keep c is a workspace [B, H]
 * @param hT, cT   out     [B, H] | 0     state of each row after its last step
 * @param scratch          scratch of q8_gemm_nn for B rows of H, and then room for the product where it is not added
 *                         to the gates: B·3·panelWidth(H) floats
 * @param keep     1 = the gates are wanted, 0 = they are not
 * @param acts     in      records of the activations | 0 (lib/elementwise/activation.ts)
 * @param bits     of the activations in products: 7 or 14
 */
import { panelWidth } from "../../lib/linear/panel";
import { gemm, scratchBytes } from "../../lib/int8/q8_gemm";
import { blendStep, gruStep, lstmStep, resetStep, simpleRnnStep } from "../../lib/int8/q8_steps";
import { copyRows, rowsAt } from "../../lib/recurrent/sequence";

/** Simple recurrence. */
export function q8_simple_rnn_seq(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  h0: usize,
  gates: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  acts: usize,
  bits: usize,
): void {
  const width = panelWidth(H);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    if (h0) gemm(rows, width, H, h0, H, u, gates, width, gates, width, scratch, bits);
    simpleRnnStep(rows, H, gates, h, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    gates += (rows * width) << 2;
    rows = next;
  }
}

/** Long short-term memory; peepholes in [H] | 0. */
export function q8_lstm_seq(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  h0: usize,
  c0: usize,
  peep_i: usize,
  peep_f: usize,
  peep_o: usize,
  gates: usize,
  h: usize,
  c: usize,
  hT: usize,
  cT: usize,
  scratch: usize,
  keep: usize,
  acts: usize,
  bits: usize,
): void {
  const width = panelWidth(H) * 4;
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  copyRows(rows, B, H, c0, cT);
  for (let t: usize = 0; t < T; t++) {
    if (h0) gemm(rows, width, H, h0, H, u, gates, width, gates, width, scratch, bits);
    if (!c0) {
      copyRows(0, rows, H, 0, c);
      c0 = c;
    }
    lstmStep(rows, H, c0, peep_i, peep_f, peep_o, gates, 0, h, c, keep, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    copyRows(next, rows, H, c, cT);
    h0 = h;
    c0 = c;
    h += (rows * H) << 2;
    if (keep) c += (rows * H) << 2;
    gates += (rows * width) << 2;
    rows = next;
  }
}

/**
 * The GRU that resets after the product; bu in [3·panelWidth(H)] | 0 the recurrent bias in panel order, hn a workspace
 * [B, panelWidth(H)] | 0, given when the gates are wanted.
 */
export function q8_gru_reset_after_seq(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u: usize,
  bu: usize,
  h0: usize,
  gates: usize,
  hn: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  acts: usize,
  bits: usize,
): void {
  const width = panelWidth(H) * 3;
  const a = scratch + scratchBytes(B, H);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    if (!h0) {
      copyRows(0, rows, H, 0, h);
      h0 = h;
    }
    gemm(rows, width, H, h0, H, u, bu, 0, a, width, scratch, bits);
    gruStep(rows, H, h0, a, gates, 0, hn, h, hn ? 1 : 0, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    gates += (rows * width) << 2;
    rows = next;
  }
}

/** The GRU that resets before the product: u_zr and u_n in int8 panels; rh [B, H] a workspace. */
export function q8_gru_reset_before_seq(
  T: usize,
  B: usize,
  H: usize,
  active: usize,
  u_zr: usize,
  u_n: usize,
  h0: usize,
  gates: usize,
  rh: usize,
  h: usize,
  hT: usize,
  scratch: usize,
  acts: usize,
  bits: usize,
): void {
  const Hp = panelWidth(H);
  const a = scratch + scratchBytes(B, H);
  let rows = rowsAt(0, T, B, active);
  copyRows(rows, B, H, h0, hT);
  for (let t: usize = 0; t < T; t++) {
    if (!h0) {
      copyRows(0, rows, H, 0, h);
      h0 = h;
    }
    gemm(rows, 2 * Hp, H, h0, H, u_zr, 0, 0, a, 2 * Hp, scratch, bits);
    resetStep(rows, H, h0, a, gates, 0, rh, acts);
    gemm(rows, Hp, H, rh, H, u_n, 0, 0, a, Hp, scratch, bits);
    blendStep(rows, H, h0, a, gates, 0, h, acts);
    const next = rowsAt(t + 1, T, B, active);
    copyRows(next, rows, H, h, hT);
    h0 = h;
    h += (rows * H) << 2;
    gates += (3 * rows * Hp) << 2;
    rows = next;
  }
}
