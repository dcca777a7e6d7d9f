/** Whole sequences of the GRU, over packed rows: with the reset gate after the recurrent product, or before it. */
import { whenTraining } from "../../base/when_training.ts";
import { panelWidth } from "../../abi/panel.ts";
import type { Inputs } from "../../graph/node.ts";
import { apply, type Op } from "../../graph/op.ts";
import { read, update, write } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { bitsOf, int8Panels } from "../int8_linear.ts";
import { gateBias, gatePanels, gatePanelsOfTranspose, gateWidth } from "../packed_weights.ts";
import { addGateGradients } from "./input_projection.ts";
import { int8SequenceScratch, isInt8 } from "./int8_sequence.ts";
import {
  GRU,
  activationRecords,
  extents,
  outputSpec,
  preactivationSpec,
  scratch,
  stateSpec,
  type Sequence,
  type SequenceConfig,
} from "./recurrent_config.ts";
import { needsInitial, recurrentOperands, stateGradient, weightGradient } from "./sequence_gradients.ts";

/**
 * Reset after the product: n = tanh(x·Wn + r⊙(h·Un + bn)).
 *
 * Inputs: z = x·W + b, U [H, 3H], bias [2, 3H] (its second row is added to h·U), h0, drop. Outputs: h, final h, then
 * h·Un + bn and pre-activations for backward. z becomes the gates in place, in backward the gradient of z.
 */
const resetAfterOp: Op<SequenceConfig> = {
  name: "gru",
  shape: ([z], config, trace) => [
    outputSpec(z, config),
    stateSpec(config),
    { shape: trace.savesForBackward ? [z!.shape[0], z!.shape[1] / GRU] : [0] },
    preactivationSpec(z, config),
  ],
  forward(trace, [z, u, bias, h0, drop], [h, hT, hn, pre], config) {
    const gates = { G: GRU, H: config.H };
    trace.call(
      "f32_gru_reset_after_seq_fwd",
      ...extents(config),
      gatePanels(trace, u!, gates),
      bias ? gateBias(trace, bias, gates, 1) : 0,
      read(h0),
      read(drop),
      update(z),
      config.activations ? write(pre) : 0,
      trace.savesForBackward ? write(hn) : 0,
      write(h),
      write(hT),
      scratch(trace, config),
      trace.savesForBackward ? 1 : 0,
      activationRecords(trace, config),
    );
  },
  backward: whenTraining((trace, [z, u, bias, h0, drop], [h, , hn, pre], grads, config) => {
    const { H, rows } = config;
    const gates = { G: GRU, H };
    const dh = stateGradient(trace, grads, 1, config);
    const dr = trace.tensor(z!.shape);
    trace.call(
      "f32_gru_reset_after_seq_bwd",
      ...extents(config),
      gatePanelsOfTranspose(trace, u!, gates),
      read(h0),
      read(drop),
      config.activations ? read(pre) : 0,
      update(hn),
      read(h),
      read(grads.of(0)),
      update(z),
      write(dr),
      update(dh),
      scratch(trace, config),
      needsInitial(grads, 3),
      activationRecords(trace, config),
    );
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, dr, h0, drop),
      weight: weightGradient(grads, 1),
      gates,
      live: rows.count,
    });
    // apart from the weight: the bias acts in the first step, too, where there may be no state
    const db = bias && weightGradient(grads, 2);
    addGateGradients(trace, { x: h, d: dr, bias: db && trace.view(db, [GRU * H], GRU * H), gates, live: rows.count });
    if (grads.needs(3)) grads.pass(3, dh);
    if (grads.needs(0)) grads.pass(0, z!);
  }),
};

/** Columns of the update and reset gates, which multiply h, and of the candidate, which multiplies r⊙h. */
const resetBeforeGates = (H: number) =>
  [
    { G: 2, H },
    { G: 1, H, first: 2 * H },
  ] as const;

/**
 * Reset before the product: n = tanh(x·Wn + bn + (r⊙h)·Un).
 *
 * Inputs: z = x·W + b, U [H, 3H], h0, drop. Outputs: h, final h, then r⊙h and pre-activations for backward. z becomes
 * the gates in place, in backward the gradient of z.
 */
const resetBeforeOp: Op<SequenceConfig> = {
  name: "gru",
  shape: ([z], config, trace) => [
    outputSpec(z, config),
    stateSpec(config),
    { shape: [trace.savesForBackward ? z!.shape[0] : config.rows.B, config.H] },
    preactivationSpec(z, config),
  ],
  forward(trace, [z, u, h0, drop], [h, hT, rh, pre], config) {
    const [zr, n] = resetBeforeGates(config.H);
    trace.call(
      "f32_gru_reset_before_seq_fwd",
      ...extents(config),
      gatePanels(trace, u!, zr),
      gatePanels(trace, u!, n),
      read(h0),
      read(drop),
      update(z),
      config.activations ? write(pre) : 0,
      write(rh),
      write(h),
      write(hT),
      scratch(trace, config),
      trace.savesForBackward ? 1 : 0,
      activationRecords(trace, config),
    );
  },
  backward: whenTraining((trace, [z, u, h0, drop], [h, , rh, pre], grads, config) => {
    const [zr, n] = resetBeforeGates(config.H);
    const [N] = z!.shape;
    const dh = stateGradient(trace, grads, 1, config);
    const [dzr, dn] = [trace.tensor([N, gateWidth(zr)]), trace.tensor([N, gateWidth(n)])];
    trace.call(
      "f32_gru_reset_before_seq_bwd",
      ...extents(config),
      gatePanelsOfTranspose(trace, u!, zr),
      gatePanelsOfTranspose(trace, u!, n),
      read(h0),
      read(drop),
      config.activations ? read(pre) : 0,
      read(h),
      read(grads.of(0)),
      update(z),
      write(dzr),
      write(dn),
      update(dh),
      scratch(trace, config),
      needsInitial(grads, 2),
      activationRecords(trace, config),
    );
    const weight = weightGradient(grads, 1);
    const live = config.rows.count;
    addGateGradients(trace, { ...recurrentOperands(trace, config, h, dzr, h0, drop), weight, gates: zr, live });
    addGateGradients(trace, { x: rh, d: dn, weight, gates: n, live });
    if (grads.needs(2)) grads.pass(2, dh);
    if (grads.needs(0)) grads.pass(0, z!);
  }),
};

/** Reset after, with int8 recurrent weights, forward only. Inputs: z, U, bias, h0. */
const int8ResetAfterOp: Op<SequenceConfig> = {
  name: "gru",
  int8: true,
  shape: ([z], config, trace) => [
    outputSpec(z, config),
    stateSpec(config),
    { shape: trace.savesForBackward ? [config.rows.B, panelWidth(config.H)] : [0] },
  ],
  forward(trace, [z, u, bias, h0], [h, hT, hn], config) {
    const gates = { G: GRU, H: config.H };
    trace.call(
      "q8_gru_reset_after_seq",
      ...extents(config),
      int8Panels(trace, u!, gates),
      bias ? gateBias(trace, bias, gates, 1) : 0,
      read(h0),
      update(z),
      trace.savesForBackward ? write(hn) : 0,
      write(h),
      write(hT),
      int8SequenceScratch(trace, config),
      activationRecords(trace, config),
      bitsOf(u!),
    );
  },
};

/** Reset before, with int8 recurrent weights, forward only. Inputs: z, U, h0. */
const int8ResetBeforeOp: Op<SequenceConfig> = {
  name: "gru",
  int8: true,
  shape: ([z], config) => [outputSpec(z, config), stateSpec(config), stateSpec(config)],
  forward(trace, [z, u, h0], [h, hT, rh], config) {
    const [zr, n] = resetBeforeGates(config.H);
    trace.call(
      "q8_gru_reset_before_seq",
      ...extents(config),
      int8Panels(trace, u!, zr),
      int8Panels(trace, u!, n),
      read(h0),
      update(z),
      write(rh),
      write(h),
      write(hT),
      int8SequenceScratch(trace, config),
      activationRecords(trace, config),
      bitsOf(u!),
    );
  },
};

/** @param inputs  x·W + b [N, 3·Hp], recurrent kernel, bias of both products, h0, dropout mask of h */
export function resetAfterSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  const [z, u, bias, h0, drop] = inputs;
  const [h, hT] = isInt8(u, drop)
    ? apply(trace, int8ResetAfterOp, [z, u, bias, h0], config)
    : apply(trace, resetAfterOp, inputs, config);
  return { h, final: [hT], gates: z!, inner: {} };
}

/** @param inputs  x·W + b [N, 3·Hp], recurrent kernel, h0, dropout mask of h */
export function resetBeforeSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  const [z, u, h0, drop] = inputs;
  const [h, hT] = isInt8(u, drop)
    ? apply(trace, int8ResetBeforeOp, [z, u, h0], config)
    : apply(trace, resetBeforeOp, inputs, config);
  return { h, final: [hT], gates: z!, inner: {} };
}
