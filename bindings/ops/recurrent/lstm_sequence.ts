/** Whole sequences of the LSTM, over packed rows. */
import { whenTraining } from "../../base/when_training.ts";
import type { Inputs } from "../../graph/node.ts";
import { apply, type Op } from "../../graph/op.ts";
import { read, update, write } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { bitsOf, int8Panels } from "../int8_linear.ts";
import { gatePanels, gatePanelsOfTranspose } from "../packed_weights.ts";
import { addGateGradients } from "./input_projection.ts";
import { int8SequenceScratch, isInt8 } from "./int8_sequence.ts";
import {
  LSTM,
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

/** c of every step [N, H] where backward needs it, else of the last one only. */
const cellStates = (config: SequenceConfig, N: number, keeps: boolean) =>
  keeps ? { shape: [N, config.H] } : stateSpec(config);

/**
 * Inputs: z = x·W + b, U [H, 4H], h0, c0, drop, peepholes i, f, o. Outputs: h, final h, final c, then c and
 * pre-activations for backward. z becomes the gates in place, in backward the gradient of z.
 */
const lstmOp: Op<SequenceConfig> = {
  name: "lstm",
  shape: ([z], config, trace) => [
    outputSpec(z, config),
    stateSpec(config),
    stateSpec(config),
    cellStates(config, z!.shape[0], trace.savesForBackward),
    preactivationSpec(z, config),
  ],
  forward(trace, [z, u, h0, c0, drop, pi, pf, po], [h, hT, cT, c, pre], config) {
    trace.call(
      "f32_lstm_seq_fwd",
      ...extents(config),
      gatePanels(trace, u!, { G: LSTM, H: config.H }),
      read(h0),
      read(c0),
      read(drop),
      read(pi),
      read(pf),
      read(po),
      update(z),
      config.activations ? write(pre) : 0,
      write(h),
      write(c),
      write(hT),
      write(cT),
      scratch(trace, config),
      trace.savesForBackward ? 1 : 0,
      activationRecords(trace, config),
    );
  },
  backward: whenTraining((trace, [z, u, h0, c0, drop, pi, pf, po], [h, , , c, pre], grads, config) => {
    const gates = { G: LSTM, H: config.H };
    const [dh, dc] = [stateGradient(trace, grads, 1, config), stateGradient(trace, grads, 2, config)];
    const peepholes = [5, 6, 7].map((i) => update(weightGradient(grads, i)));
    trace.call(
      "f32_lstm_seq_bwd",
      ...extents(config),
      gatePanelsOfTranspose(trace, u!, gates),
      read(c0),
      read(drop),
      read(pi),
      read(pf),
      read(po),
      config.activations ? read(pre) : 0,
      read(c),
      read(grads.of(0)),
      update(z),
      update(dh),
      update(dc),
      ...peepholes,
      scratch(trace, config),
      needsInitial(grads, 2),
      activationRecords(trace, config),
    );
    addGateGradients(trace, {
      ...recurrentOperands(trace, config, h, z!, h0, drop),
      weight: weightGradient(grads, 1),
      gates,
      live: config.rows.count,
    });
    if (grads.needs(2)) grads.pass(2, dh);
    if (grads.needs(3)) grads.pass(3, dc);
    if (grads.needs(0)) grads.pass(0, z!);
  }),
};

/** The same with int8 recurrent weights, forward only. Inputs: z, U, h0, c0, peepholes i, f, o. */
const int8LstmOp: Op<SequenceConfig> = {
  name: "lstm",
  int8: true,
  shape: ([z], config, trace) => [
    outputSpec(z, config),
    stateSpec(config),
    stateSpec(config),
    cellStates(config, z!.shape[0], trace.savesForBackward),
  ],
  forward(trace, [z, u, h0, c0, pi, pf, po], [h, hT, cT, c], config) {
    trace.call(
      "q8_lstm_seq",
      ...extents(config),
      int8Panels(trace, u!, { G: LSTM, H: config.H }),
      read(h0),
      read(c0),
      read(pi),
      read(pf),
      read(po),
      update(z),
      write(h),
      write(c),
      write(hT),
      write(cT),
      int8SequenceScratch(trace, config),
      trace.savesForBackward ? 1 : 0,
      activationRecords(trace, config),
      bitsOf(u!),
    );
  },
};

/** @param inputs  x·W + b [N, 4·Hp], recurrent kernel, h0, c0, dropout mask of h, peepholes i, f, o */
export function lstmSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  const [z, u, h0, c0, drop, ...peepholes] = inputs;
  const [h, hT, cT, c] = isInt8(u, drop)
    ? apply(trace, int8LstmOp, [z, u, h0, c0, ...peepholes], config)
    : apply(trace, lstmOp, inputs, config);
  return { h, final: [hT, cT], gates: z!, inner: { c } };
}
