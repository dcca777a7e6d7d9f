/** Whole sequences of the simple RNN, over packed rows. */
import { whenTraining } from "../../base/when_training.ts";
import type { Inputs } from "../../graph/node.ts";
import { apply, type Op } from "../../graph/op.ts";
import { read, update, write } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { bitsOf, int8Panels } from "../int8_linear.ts";
import { gatePanelsOfTranspose, panels } from "../packed_weights.ts";
import { addGateGradients } from "./input_projection.ts";
import { int8SequenceScratch, isInt8 } from "./int8_sequence.ts";
import {
  activationRecords,
  extents,
  outputSpec,
  scratch,
  stateSpec,
  type Sequence,
  type SequenceConfig,
} from "./recurrent_config.ts";
import { needsInitial, recurrentOperands, stateGradient, weightGradient } from "./sequence_gradients.ts";

/** Inputs: z = x·W + b, U [H, H], h0, drop. Outputs: h, final h. z becomes h in place, in backward the gradient. */
const simpleRnnOp: Op<SequenceConfig> = {
  name: "simpleRNN",
  shape: ([z], config) => [outputSpec(z, config), stateSpec(config)],
  forward(trace, [z, u, h0, drop], [h, hT], config) {
    trace.call(
      "f32_simple_rnn_seq_fwd",
      ...extents(config),
      panels(trace, u!),
      read(h0),
      read(drop),
      update(z),
      write(h),
      write(hT),
      scratch(trace, config),
      activationRecords(trace, config),
    );
  },
  backward: whenTraining((trace, [z, u, h0, drop], [h], grads, config) => {
    const gates = { G: 1, H: config.H };
    const dh = stateGradient(trace, grads, 1, config);
    trace.call(
      "f32_simple_rnn_seq_bwd",
      ...extents(config),
      gatePanelsOfTranspose(trace, u!, gates),
      read(drop),
      read(h),
      read(grads.of(0)),
      update(z),
      update(dh),
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
    if (grads.needs(0)) grads.pass(0, z!);
  }),
};

/** The same with int8 recurrent weights, forward only. Inputs: z, U, h0. */
const int8SimpleRnnOp: Op<SequenceConfig> = {
  name: "simpleRNN",
  int8: true,
  shape: ([z], config) => [outputSpec(z, config), stateSpec(config)],
  forward(trace, [z, u, h0], [h, hT], config) {
    trace.call(
      "q8_simple_rnn_seq",
      ...extents(config),
      int8Panels(trace, u!, { G: 1, H: config.H }),
      read(h0),
      update(z),
      write(h),
      write(hT),
      int8SequenceScratch(trace, config),
      activationRecords(trace, config),
      bitsOf(u!),
    );
  },
};

/** @param inputs  x·W + b [N, Hp], recurrent kernel, h0, dropout mask of h */
export function simpleRnnSequence(trace: Trace, inputs: Inputs, config: SequenceConfig): Sequence {
  const [z, u, h0, drop] = inputs;
  const [h, hT] = isInt8(u, drop)
    ? apply(trace, int8SimpleRnnOp, [z, u, h0], config)
    : apply(trace, simpleRnnOp, inputs, config);
  return { h, final: [hT], gates: z!, inner: {} };
}
