/**
 * The elementwise half of an LSTM's time step, for the rows alive at it: kernels/recurrent/lstm.ts says the rest.
 *
 * Each row is passed over twice, up to c and from c on: together the chain of five transcendentals is longer than what
 * a core looks ahead (measured: 2 to 12 % of a whole step).
 *
 * F and S are the codes of activation and recurrent activation, literal at the call: tanh and σ, or ANY twice.
 */
import { activate, ANY, differentiate, RECURRENT } from "../elementwise/activation";
import { Unary } from "../elementwise/unary_codes";
import { flushTiny, madd } from "../f32x4";
import { gateOffset, gateStride, panelWidth } from "../linear/panel";
import { flush, storeUnits, unitLanes } from "./gates";

/** x + p⊙c, or x. */
// @ts-ignore: decorator
@inline
function peep(p: usize, at: usize, c: v128, x: v128): v128 {
  return p ? madd(v128.load(p + at), c, x) : x;
}

/** Gates, cell and output. Arguments as in f32_lstm_seq_fwd, from the step's first row on. */
// @ts-ignore: decorator
@inline
export function lstmForward(
  F: i32,
  S: i32,
  rows: usize,
  H: usize,
  cBefore: usize,
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
  const width = panelWidth(H) << 4;
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const w = gateStride(H, j);
      const qi = gates + gateOffset(4, j),
        qf = qi + w,
        qg = qf + w;
      const before = v128.load(cBefore + at);
      const zi = peep(peep_i, at, before, v128.load(qi));
      const zf = peep(peep_f, at, before, v128.load(qf));
      const zg = v128.load(qg);
      const i = activate(S, acts + RECURRENT, zi);
      const f = activate(S, acts + RECURRENT, zf);
      const g = activate(F, acts, zg);
      storeUnits(c + at, flushTiny(madd(f, before, f32x4.mul(i, g))), H, j);
      if (!keep) continue;
      v128.store(qi, i);
      v128.store(qf, f);
      v128.store(qg, g);
      if (F != ANY || !pre) continue;
      const p = pre + gateOffset(4, j);
      v128.store(p, zi);
      v128.store(p + w, zf);
      v128.store(p + 2 * w, zg);
    }
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const offset = gateOffset(4, j) + 3 * gateStride(H, j);
      const now = v128.load(c + at);
      const zo = peep(peep_o, at, now, v128.load(gates + offset));
      const o = activate(S, acts + RECURRENT, zo);
      storeUnits(h + at, flushTiny(f32x4.mul(o, activate(F, acts, now))), H, j);
      if (!keep) continue;
      v128.store(gates + offset, o);
      if (F == ANY && pre) v128.store(pre + offset, zo);
    }
    gates += width;
    if (pre) pre += width;
    cBefore += H << 2;
    c += H << 2;
    h += H << 2;
  }
}

/** lstmBackward with the pair of activations as literals. */
// @ts-ignore: decorator
@inline
function backward(
  F: i32,
  S: i32,
  rows: usize,
  H: usize,
  cBefore: usize,
  pi: usize,
  pf: usize,
  po: usize,
  pre: usize,
  c: usize,
  dhs: usize,
  gates: usize,
  dh: usize,
  dc: usize,
  dpi: usize,
  dpf: usize,
  dpo: usize,
  acts: usize,
): void {
  const width = panelWidth(H) << 4;
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const w = gateStride(H, j);
      const lanes = unitLanes(H, j);
      const qi = gates + gateOffset(4, j),
        qf = qi + w,
        qg = qf + w,
        qo = qg + w;
      // tanh and σ know their slopes from their values: what is at p does not matter then
      const p = F == ANY ? pre + gateOffset(4, j) : qi;
      const i = v128.load(qi),
        f = v128.load(qf),
        g = v128.load(qg),
        o = v128.load(qo);
      const now = v128.load(c + at);
      const before = v128.load(cBefore + at);
      const y = activate(F, acts, now);
      let d = v128.load(dh + at);
      if (dhs) d = f32x4.add(d, v128.load(dhs + at));
      const dzo = flush(differentiate(S, acts + RECURRENT, v128.load(p + 3 * w), o, f32x4.mul(d, y)), lanes);
      d = f32x4.add(v128.load(dc + at), differentiate(F, acts, now, y, f32x4.mul(d, o)));
      d = peep(po, at, dzo, d);
      const dzi = flush(differentiate(S, acts + RECURRENT, v128.load(p), i, f32x4.mul(d, g)), lanes);
      const dzf = flush(differentiate(S, acts + RECURRENT, v128.load(p + w), f, f32x4.mul(d, before)), lanes);
      const dzg = flush(differentiate(F, acts, v128.load(p + 2 * w), g, f32x4.mul(d, i)), lanes);
      storeUnits(dc + at, flushTiny(peep(pi, at, dzi, peep(pf, at, dzf, f32x4.mul(d, f)))), H, j);
      if (dpi) storeUnits(dpi + at, madd(dzi, before, v128.load(dpi + at)), H, j);
      if (dpf) storeUnits(dpf + at, madd(dzf, before, v128.load(dpf + at)), H, j);
      if (dpo) storeUnits(dpo + at, madd(dzo, now, v128.load(dpo + at)), H, j);
      v128.store(qi, dzi);
      v128.store(qf, dzf);
      v128.store(qg, dzg);
      v128.store(qo, dzo);
    }
    gates += width;
    if (pre) pre += width;
    cBefore += H << 2;
    c += H << 2;
    if (dhs) dhs += H << 2;
    dh += H << 2;
    dc += H << 2;
  }
}

/**
 * Gradients of the pre-activations in place of the gates; dc goes from c to c(t−1). Arguments as in f32_lstm_seq_bwd.
 */
// @ts-ignore: decorator
@inline
export function lstmBackward(
  usual: bool,
  rows: usize,
  H: usize,
  cBefore: usize,
  pi: usize,
  pf: usize,
  po: usize,
  pre: usize,
  c: usize,
  dhs: usize,
  gates: usize,
  dh: usize,
  dc: usize,
  dpi: usize,
  dpf: usize,
  dpo: usize,
  acts: usize,
): void {
  if (usual)
    backward(Unary.TANH, Unary.SIGMOID, rows, H, cBefore, pi, pf, po, pre, c, dhs, gates, dh, dc, dpi, dpf, dpo, acts);
  else backward(ANY, ANY, rows, H, cBefore, pi, pf, po, pre, c, dhs, gates, dh, dc, dpi, dpf, dpo, acts);
}
