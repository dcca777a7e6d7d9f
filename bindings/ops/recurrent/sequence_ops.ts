/**
 * Whole sequences of the three cells, over packed rows. Each op turns the projected input into gates in place and keeps
 * what backward needs; in backward the gates become their own gradients, which are those of the projection too.
 */
import { read, update, write, type Tensor } from "../../graph/tensor.ts";
import type { GradientSink, Inputs } from "../../graph/node.ts";
import { apply, type Op } from "../../graph/op.ts";
import type { Trace } from "../../graph/trace.ts";
import { int8Sequence } from "./int8_sequence.ts";
import { addGateGradients } from "./input_projection.ts";
import {
  GRU,
  LSTM,
  activationRecords,
  outputs,
  resetBeforeGates,
  type Sequence,
  type SequenceConfig,
} from "./recurrent_config.ts";
import { gateBias, gatePanels, gatePanelsOfTranspose, gateWidth, panels } from "../packed_weights.ts";

export type { Activation, Sequence, SequenceConfig } from "./recurrent_config.ts";

/** Scratch that serves every sequence kernel. */
const scratch = (trace: Trace, { rows, H }: SequenceConfig, G: number): Tensor =>
  trace.tensor([rows.B, (G + 3) * ((H + 7) & ~7)]);

/** The running gradient of a state: starts as that of the final state, ends as that of the initial one. */
function running(trace: Trace, grads: GradientSink, output: number, shape: readonly number[]): Tensor {
  const final = grads.of(output);
  if (!final) return trace.zeros(shape);
  const sum = trace.tensor(shape);
  trace.copy(final, sum);
  return sum;
}

/**
 * The operands of the recurrent weight's gradient: h(t−1) of every step and the gradients of its gates. Where every step has
 * all rows and there is no state before the first, both are there already, one step apart.
 */
function recurrentOperands(
  trace: Trace,
  { rows: { B, T, active }, H }: SequenceConfig,
  h: Tensor,
  d: Tensor,
  h0: Tensor | undefined,
  drop: Tensor | undefined,
): { x: Tensor; d: Tensor } {
  if (!active && !h0 && !drop) return laterSteps(trace, B, h, d);
  const x = trace.tensor(h.shape);
  trace.call("f32_shift_rows", T, B, H, read(active), read(h0), read(drop), read(h), write(x));
  return { x, d };
}

/** All of x [N, K] but its last step, and all of d [N, width] but its first. */
function laterSteps(trace: Trace, B: number, x: Tensor, d: Tensor): { x: Tensor; d: Tensor } {
  const [[N, K], [, width]] = [x.shape, d.shape];
  return { x: trace.view(x, [N - B, K]), d: trace.view(d, [N - B, width], B * width) };
}

/** Whether a kernel is to give the gradient of the initial state h0: without it the first step has a product less. */
const wantsInitial = (grads: GradientSink, h0: number): number => +grads.needs(h0);

const weightGradient = (grads: GradientSink, input: number): Tensor | undefined =>
  grads.needs(input) ? grads.accumulate(input) : undefined;

/** Inputs: z, U [H, H], h0, drop. Outputs: h, final h. */
const simpleRnnOp: Op<SequenceConfig> = {
  name: "simpleRNN",
  shape: ([z], config) => [outputs(z, config), { shape: [config.rows.B, config.H] }],
  forward(trace, [z, u, h0, drop], [h, hT], config) {
    const { rows, H, activations } = config;
    trace.call(
      "f32_simple_rnn_seq_fwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      panels(trace, u!),
      read(h0),
      read(drop),
      update(z),
      write(h),
      write(hT),
      write(scratch(trace, config, 1)),
      activationRecords(trace, activations),
    );
  },
  backward(trace, [z, u, h0, drop], [h], grads, config) {
    const { rows, H, activations } = config;
    const gates = { G: 1, H };
    const dh = running(trace, grads, 1, [rows.B, H]);
    trace.call(
      "f32_simple_rnn_seq_bwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanelsOfTranspose(trace, u!, gates),
      read(drop),
      read(h),
      read(grads.of(0)),
      update(z),
      update(dh),
      wantsInitial(grads, 2),
      activationRecords(trace, activations),
    );
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, z!, h0, drop),
      weight: weightGradient(grads, 1),
      gates,
      live: rows.count,
    });
    if (grads.needs(2)) grads.pass(2, dh);
    if (grads.needs(0)) grads.pass(0, z!);
  },
};

/** Inputs: z, U [H, 4H], h0, c0, drop, peephole i, f, o. Outputs: h, final h, final c, then c and pre-activations for backward. */
const lstmOp: Op<SequenceConfig> = {
  name: "lstm",
  shape([z], config, trace) {
    const { rows, H, activations } = config;
    const [N, width] = z!.shape;
    const state = { shape: [rows.B, H] };
    return [
      outputs(z, config),
      state,
      state,
      trace.keeps ? { shape: [N, H] } : state,
      { shape: activations ? [N, width] : [0] },
    ];
  },
  forward(trace, [z, u, h0, c0, drop, pi, pf, po], [h, hT, cT, c, pre], config) {
    const { rows, H, activations } = config;
    trace.call(
      "f32_lstm_seq_fwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanels(trace, u!, { G: LSTM, H }),
      read(h0),
      read(c0),
      read(drop),
      read(pi),
      read(pf),
      read(po),
      update(z),
      activations ? write(pre) : 0,
      write(h),
      write(c),
      write(hT),
      write(cT),
      write(scratch(trace, config, LSTM)),
      trace.keeps ? 1 : 0,
      activationRecords(trace, activations),
    );
  },
  backward(trace, [z, u, h0, c0, drop, pi, pf, po], [h, , , c, pre], grads, config) {
    const { rows, H, activations } = config;
    const gates = { G: LSTM, H };
    const [dh, dc] = [running(trace, grads, 1, [rows.B, H]), running(trace, grads, 2, [rows.B, H])];
    const peepholes = [5, 6, 7].map((i) => update(weightGradient(grads, i)));
    trace.call(
      "f32_lstm_seq_bwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanelsOfTranspose(trace, u!, gates),
      read(c0),
      read(drop),
      read(pi),
      read(pf),
      read(po),
      activations ? read(pre) : 0,
      read(c),
      read(grads.of(0)),
      update(z),
      update(dh),
      update(dc),
      ...peepholes,
      write(scratch(trace, config, LSTM)),
      wantsInitial(grads, 2),
      activationRecords(trace, activations),
    );
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, z!, h0, drop),
      weight: weightGradient(grads, 1),
      gates,
      live: rows.count,
    });
    if (grads.needs(2)) grads.pass(2, dh);
    if (grads.needs(3)) grads.pass(3, dc);
    if (grads.needs(0)) grads.pass(0, z!);
  },
};

/** Inputs: z, U [H, 3H], bias [2, 3H] (its second row is added to h·U), h0, drop. Outputs: h, final h, then hn and pre-activations. */
const gruAfterOp: Op<SequenceConfig> = {
  name: "gru",
  shape([z], config, trace) {
    const { rows, H, activations } = config;
    const [N, width] = z!.shape;
    const kept = trace.keeps ? [N, width / GRU] : [0];
    return [outputs(z, config), { shape: [rows.B, H] }, { shape: kept }, { shape: activations ? [N, width] : [0] }];
  },
  forward(trace, [z, u, bias, h0, drop], [h, hT, hn, pre], config) {
    const { rows, H, activations } = config;
    const gates = { G: GRU, H };
    trace.call(
      "f32_gru_reset_after_seq_fwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanels(trace, u!, gates),
      bias ? gateBias(trace, bias, gates, 1) : 0,
      read(h0),
      read(drop),
      update(z),
      activations ? write(pre) : 0,
      trace.keeps ? write(hn) : 0,
      write(h),
      write(hT),
      write(scratch(trace, config, GRU)),
      trace.keeps ? 1 : 0,
      activationRecords(trace, activations),
    );
  },
  backward(trace, [z, u, bias, h0, drop], [h, , hn, pre], grads, config) {
    const { rows, H, activations } = config;
    const gates = { G: GRU, H };
    const dh = running(trace, grads, 1, [rows.B, H]);
    const dr = trace.tensor(z!.shape);
    trace.call(
      "f32_gru_reset_after_seq_bwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanelsOfTranspose(trace, u!, gates),
      read(h0),
      read(drop),
      activations ? read(pre) : 0,
      update(hn),
      read(h),
      read(grads.of(0)),
      update(z),
      write(dr),
      update(dh),
      write(scratch(trace, config, GRU)),
      wantsInitial(grads, 3),
      activationRecords(trace, activations),
    );
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, dr, h0, drop),
      weight: weightGradient(grads, 1),
      gates,
      live: rows.count,
    });
    const db = bias && weightGradient(grads, 2);
    addGateGradients(trace, { x: h, d: dr, bias: db && trace.view(db, [GRU * H], GRU * H), gates, live: rows.count }); // there is a bias in the first step, too
    if (grads.needs(3)) grads.pass(3, dh);
    if (grads.needs(0)) grads.pass(0, z!);
  },
};

/** Inputs: z, U [H, 3H], h0, drop. Outputs: h, final h, then r⊙h and pre-activations. The candidate's product waits for r. */
const gruBeforeOp: Op<SequenceConfig> = {
  name: "gru",
  shape([z], config, trace) {
    const { rows, H, activations } = config;
    const [N, width] = z!.shape;
    const kept = trace.keeps ? [N, H] : [rows.B, H];
    return [outputs(z, config), { shape: [rows.B, H] }, { shape: kept }, { shape: activations ? [N, width] : [0] }];
  },
  forward(trace, [z, u, h0, drop], [h, hT, rh, pre], config) {
    const { rows, H, activations } = config;
    const [zr, n] = resetBeforeGates(H);
    trace.call(
      "f32_gru_reset_before_seq_fwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanels(trace, u!, zr),
      gatePanels(trace, u!, n),
      read(h0),
      read(drop),
      update(z),
      activations ? write(pre) : 0,
      write(rh),
      write(h),
      write(hT),
      write(scratch(trace, config, GRU)),
      trace.keeps ? 1 : 0,
      activationRecords(trace, activations),
    );
  },
  backward(trace, [z, u, h0, drop], [h, , rh, pre], grads, config) {
    const { rows, H, activations } = config;
    const [zr, n] = resetBeforeGates(H);
    const N = z!.shape[0];
    const dh = running(trace, grads, 1, [rows.B, H]);
    const [dzr, dn] = [trace.tensor([N, gateWidth(zr)]), trace.tensor([N, gateWidth(n)])];
    trace.call(
      "f32_gru_reset_before_seq_bwd",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      gatePanelsOfTranspose(trace, u!, zr),
      gatePanelsOfTranspose(trace, u!, n),
      read(h0),
      read(drop),
      activations ? read(pre) : 0,
      read(h),
      read(grads.of(0)),
      update(z),
      write(dzr),
      write(dn),
      update(dh),
      write(scratch(trace, config, GRU)),
      wantsInitial(grads, 2),
      activationRecords(trace, activations),
    );
    const weight = weightGradient(grads, 1);
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, dzr, h0, drop),
      weight,
      gates: zr,
      live: rows.count,
    });
    addGateGradients(trace, { x: rh, d: dn, weight, gates: n, live: rows.count });
    if (grads.needs(2)) grads.pass(2, dh);
    if (grads.needs(0)) grads.pass(0, z!);
  },
};

/** @param inputs  z, recurrent kernel, h0, dropout mask of h */
export function simpleRnnSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  if (inputs[1]!.dtype === "i8") return int8Sequence.simpleRnn(trace, inputs, config);
  const [h, hT] = apply(trace, simpleRnnOp, inputs, config);
  return { h, final: [hT], gates: inputs[0]!, inner: {} };
}

/** @param inputs  z, recurrent kernel, h0, c0, dropout mask of h, peepholes i, f, o */
export function lstmSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  if (inputs[1]!.dtype === "i8") return int8Sequence.lstm(trace, inputs, config);
  const [h, hT, cT, c] = apply(trace, lstmOp, inputs, config);
  return { h, final: [hT, cT], gates: inputs[0]!, inner: { c } };
}

/** @param inputs  z, recurrent kernel, bias of both products, h0, dropout mask of h */
export function gruAfterSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  if (inputs[1]!.dtype === "i8") return int8Sequence.gruAfter(trace, inputs, config);
  const [h, hT] = apply(trace, gruAfterOp, inputs, config);
  return { h, final: [hT], gates: inputs[0]!, inner: {} };
}

/** @param inputs  z, recurrent kernel, h0, dropout mask of h */
export function gruBeforeSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  if (inputs[1]!.dtype === "i8") return int8Sequence.gruBefore(trace, inputs, config);
  const [h, hT] = apply(trace, gruBeforeOp, inputs, config);
  return { h, final: [hT], gates: inputs[0]!, inner: {} };
}
