/**
 * Whole sequences of the three cells with int8 recurrent weights, forward only. Inputs and results are those of
 * recurrent.ts; dropout acts in training alone, which such weights have none of.
 */
import { UnsupportedError } from "../../base/errors.ts";
import type { Operand } from "../../graph/ir.ts";
import type { Inputs } from "../../graph/node.ts";
import { apply, type Op, type TensorSpec } from "../../graph/op.ts";
import { read, update, write, type Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { panelWidth } from "../../abi/panel.ts";
import { bitsOf, int8Panels, int8Scratch } from "../int8_linear.ts";
import {
  GRU,
  LSTM,
  activationRecords,
  outputs,
  resetBeforeGates,
  type Sequence,
  type SequenceConfig,
} from "./recurrent_config.ts";
import { gateBias } from "../packed_weights.ts";

/** Scratch of a step's product, and room for it where it is not added in place. */
const scratch = (trace: Trace, { rows, H }: SequenceConfig): Operand | 0 =>
  int8Scratch(trace, rows.B, H, rows.B * GRU * panelWidth(H));

/** Shapes of h, final h and one more for each state. */
const shapes = (z: Tensor, config: SequenceConfig, ...more: number[][]): TensorSpec[] => [
  outputs(z, config),
  ...[[config.rows.B, config.H], ...more].map((shape) => ({ shape })),
];

/** Inputs: z, U, h0. */
const simpleRnnOp: Op<SequenceConfig> = {
  name: "simpleRNN",
  int8: true,
  shape: ([z], config) => shapes(z!, config),
  forward(trace, [z, u, h0], [h, hT], config) {
    const { rows, H, activations } = config;
    trace.call(
      "q8_simple_rnn_seq",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      int8Panels(trace, u!, { G: 1, H }),
      read(h0),
      update(z),
      write(h),
      write(hT),
      scratch(trace, config),
      activationRecords(trace, activations),
      bitsOf(u!),
    );
  },
};

/** Inputs: z, U, h0, c0, peepholes i, f, o. */
const lstmOp: Op<SequenceConfig> = {
  name: "lstm",
  int8: true,
  shape([z], config, trace) {
    const state = [config.rows.B, config.H];
    return shapes(z!, config, state, trace.keeps ? [z!.shape[0], config.H] : state);
  },
  forward(trace, [z, u, h0, c0, pi, pf, po], [h, hT, cT, c], config) {
    const { rows, H, activations } = config;
    trace.call(
      "q8_lstm_seq",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      int8Panels(trace, u!, { G: LSTM, H }),
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
      scratch(trace, config),
      trace.keeps ? 1 : 0,
      activationRecords(trace, activations),
      bitsOf(u!),
    );
  },
};

/** Inputs: z, U, bias of both products, h0. */
const gruAfterOp: Op<SequenceConfig> = {
  name: "gru",
  int8: true,
  shape: ([z], config, trace) => shapes(z!, config, trace.keeps ? [config.rows.B, panelWidth(config.H)] : [0]),
  forward(trace, [z, u, bias, h0], [h, hT, hn], config) {
    const { rows, H, activations } = config;
    const gates = { G: GRU, H };
    trace.call(
      "q8_gru_reset_after_seq",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      int8Panels(trace, u!, gates),
      bias ? gateBias(trace, bias, gates, 1) : 0,
      read(h0),
      update(z),
      trace.keeps ? write(hn) : 0,
      write(h),
      write(hT),
      scratch(trace, config),
      activationRecords(trace, activations),
      bitsOf(u!),
    );
  },
};

/** Inputs: z, U, h0. */
const gruBeforeOp: Op<SequenceConfig> = {
  name: "gru",
  int8: true,
  shape: ([z], config) => shapes(z!, config, [config.rows.B, config.H]),
  forward(trace, [z, u, h0], [h, hT, rh], config) {
    const { rows, H, activations } = config;
    const [zr, n] = resetBeforeGates(H);
    trace.call(
      "q8_gru_reset_before_seq",
      rows.T,
      rows.B,
      H,
      read(rows.active),
      int8Panels(trace, u!, zr),
      int8Panels(trace, u!, n),
      read(h0),
      update(z),
      write(rh),
      write(h),
      write(hT),
      scratch(trace, config),
      activationRecords(trace, activations),
      bitsOf(u!),
    );
  },
};

function withoutDropout(drop: Tensor | undefined): void {
  if (drop)
    throw new UnsupportedError(
      "recurrentDropout: expected a model of f32 weights in training, got a quantised one, which only runs",
    );
}

/** By cell; inputs as recurrent.ts has them. */
export const int8Sequence = {
  simpleRnn(trace: Trace, [z, u, h0, drop]: Inputs, config: SequenceConfig): Sequence {
    withoutDropout(drop);
    const [h, hT] = apply(trace, simpleRnnOp, [z, u, h0], config);
    return { h, final: [hT], gates: z!, inner: {} };
  },

  lstm(trace: Trace, [z, u, h0, c0, drop, ...peepholes]: Inputs, config: SequenceConfig): Sequence {
    withoutDropout(drop);
    const [h, hT, cT, c] = apply(trace, lstmOp, [z, u, h0, c0, ...peepholes], config);
    return { h, final: [hT, cT], gates: z!, inner: { c } };
  },

  gruAfter(trace: Trace, [z, u, bias, h0, drop]: Inputs, config: SequenceConfig): Sequence {
    withoutDropout(drop);
    const [h, hT] = apply(trace, gruAfterOp, [z, u, bias, h0], config);
    return { h, final: [hT], gates: z!, inner: {} };
  },

  gruBefore(trace: Trace, [z, u, h0, drop]: Inputs, config: SequenceConfig): Sequence {
    withoutDropout(drop);
    const [h, hT] = apply(trace, gruBeforeOp, [z, u, h0], config);
    return { h, final: [hT], gates: z!, inner: {} };
  },
};
