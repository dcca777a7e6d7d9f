/**
 * The elementwise half of one time step, for sequences whose product is computed elsewhere: kernels/q8_*.ts. The whole
 * sequences of the other kernels run through these too.
 *
 * Layout    rows of one step; gates in panel order (lib/linear/panel.ts), products added already unless an argument
 *           brings them.
 * Aliasing  c may be c0. Nothing else overlaps.
 * Accuracy  σ and tanh as in accuracy.json; states below 1e-30 become 0.
 */
import { activate, ANY, isUsual } from "../../lib/elementwise/activation";
import { flushTiny, LANES, storePartial } from "../../lib/f32x4";
import { gruForward } from "../../lib/recurrent/gru_reset_after_step";
import { blendForward, resetForward } from "../../lib/recurrent/gru_reset_before_step";
import { lstmForward } from "../../lib/recurrent/lstm_step";
import { panelWidth } from "../../lib/linear/panel";
import { Unary } from "../../lib/elementwise/unary_codes";

// @ts-ignore: decorator
@inline
function simpleRnn(code: i32, rows: usize, H: usize, gates: usize, h: usize, acts: usize): void {
  const width = panelWidth(H) << 2,
    whole = (H & ~(LANES - 1)) << 2;
  for (; rows; rows--, gates += width, h += H << 2) {
    let at: usize = 0;
    for (; at != whole; at += 16) v128.store(h + at, flushTiny(activate(code, acts, v128.load(gates + at))));
    if (H & (LANES - 1)) storePartial(h + at, flushTiny(activate(code, acts, v128.load(gates + at))), H & (LANES - 1));
  }
}

/**
 * h = f(z).
 *
 * @param B, H   rows, units
 * @param gates  in   [B, panelWidth(H)]  z
 * @param h      out  [B, H]
 * @param acts   in   [1] | 0             the activation (lib/elementwise/activation.ts), 0 = tanh
 */
export function f32_simple_rnn_step(B: usize, H: usize, gates: usize, h: usize, acts: usize): void {
  const code = acts ? load<i32>(acts) : Unary.TANH;
  if (code == Unary.TANH) simpleRnn(Unary.TANH, B, H, gates, h, acts);
  else if (code == Unary.SIGMOID) simpleRnn(Unary.SIGMOID, B, H, gates, h, acts);
  else if (code == Unary.RELU) simpleRnn(Unary.RELU, B, H, gates, h, acts);
  else simpleRnn(ANY, B, H, gates, h, acts);
}

/**
 * Gates, cell and output of an LSTM.
 *
 * @param B, H    rows, units
 * @param c0      in      [B, H]       cell state before
 * @param peep_i, peep_f, peep_o  in [H] | 0  peepholes
 * @param gates   in/out  [B, 4·panelWidth(H)]  pre-activations in, activations out (any state without keep)
 * @param pre     out     [B, 4·panelWidth(H)] | 0  pre-activations: with keep and another pair than tanh, σ
 * @param h, c    out     [B, H]       output, cell state
 * @param keep    1 = the gates are wanted
 * @param acts    in      [2] | 0      activation and recurrent activation
 */
export function f32_lstm_step(
  B: usize,
  H: usize,
  c0: usize,
  peep_i: usize,
  peep_f: usize,
  peep_o: usize,
  gates: usize,
  pre: usize,
  h: usize,
  c: usize,
  keep: usize,
  acts: usize,
): void {
  if (isUsual(acts))
    lstmForward(Unary.TANH, Unary.SIGMOID, B, H, c0, peep_i, peep_f, peep_o, gates, pre, h, c, keep, acts);
  else lstmForward(ANY, ANY, B, H, c0, peep_i, peep_f, peep_o, gates, pre, h, c, keep, acts);
}

/**
 * Gates and state of a GRU that resets after the product.
 *
 * @param B, H    rows, units
 * @param h0      in      [B, H]                state before
 * @param a       in      [B, 3·panelWidth(H)]  h0·U + its bias
 * @param gates   in/out  [B, 3·panelWidth(H)]  x·W + b in, activations out (any state without keep)
 * @param pre     out     [B, 3·panelWidth(H)] | 0  pre-activations: with keep and another pair than tanh, σ
 * @param hn      out     [B, panelWidth(H)]    the part of a that r multiplies; 0 without keep
 * @param h       out     [B, H]
 * @param keep    1 = the gates are wanted
 * @param acts    in      [2] | 0               activation and recurrent activation
 */
export function f32_gru_reset_after_step(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  hn: usize,
  h: usize,
  keep: usize,
  acts: usize,
): void {
  if (isUsual(acts)) gruForward(Unary.TANH, Unary.SIGMOID, B, H, h0, a, gates, pre, hn, h, keep, acts);
  else gruForward(ANY, ANY, B, H, h0, a, gates, pre, hn, h, keep, acts);
}

/**
 * z, r and r⊙h0 of a GRU that resets before the product.
 *
 * @param B, H    rows, units
 * @param h0      in      [B, H]                state before
 * @param a       in      [B, 2·panelWidth(H)]  h0·U of z and r
 * @param gates   in/out  [B, 3·panelWidth(H)]  x·W + b in, z and r activated out
 * @param pre     out     [B, 3·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param rh      out     [B, H]                r⊙h0
 * @param acts    in      [2] | 0               activation and recurrent activation
 */
export function f32_gru_reset_step(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  rh: usize,
  acts: usize,
): void {
  if (isUsual(acts)) resetForward(Unary.SIGMOID, B, H, h0, a, gates, pre, rh, acts);
  else resetForward(ANY, B, H, h0, a, gates, pre, rh, acts);
}

/**
 * n and the state of a GRU that resets before the product.
 *
 * @param B, H    rows, units
 * @param h0      in      [B, H]                state before
 * @param a       in      [B, panelWidth(H)]    (r⊙h0)·U of n
 * @param gates   in/out  [B, 3·panelWidth(H)]  z, r and x·W + b of n in, activations out
 * @param pre     out     [B, 3·panelWidth(H)] | 0  pre-activations: with another pair than tanh, σ
 * @param h       out     [B, H]
 * @param acts    in      [2] | 0               activation and recurrent activation
 */
export function f32_gru_blend_step(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  h: usize,
  acts: usize,
): void {
  if (isUsual(acts)) blendForward(Unary.TANH, B, H, h0, a, gates, pre, h, acts);
  else blendForward(ANY, B, H, h0, a, gates, pre, h, acts);
}
