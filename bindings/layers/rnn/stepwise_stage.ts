/** Cells run step by step: the step is recorded once, as the body of a loop over time. */
import { where } from "../../ops/elementwise.ts";
import { lastShown, packSequence, packRows, unpack, type PackedSequence } from "../../ops/recurrent/packed_sequence.ts";
import { scan } from "../../ops/recurrent/scan.ts";
import { reshape, select, swapped } from "../../ops/shape.ts";
import { validSteps } from "../../ops/valid_steps.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { StateSpec, Step } from "./cell.ts";
import type { SequenceResult, Stage, StagePass } from "./stage.ts";
import { carriedState, carryStates, repeatBefore, repeatsOutput } from "./states.ts";

/** A cell by its step. */
export const stepwiseStage = (states: readonly StateSpec[], step: Step): Stage => ({
  states,
  dropout: 0,
  recurrentDropout: 0,
  run: (pass, x, initial) => runSteps(pass, x, initial, states, step),
});

/** Runs a step over x [B, T, I]. Steps compute all rows; masked rows keep their states, their output is not used. */
export function runSteps(
  pass: StagePass,
  x: Tensor,
  initial: readonly Tensor[],
  states: readonly StateSpec[],
  step: Step,
): SequenceResult {
  const { trace, steps, order, everyStep } = pass;
  const [B, T] = x.shape;
  const start = initial.length > 0 ? initial : states.map(({ size }) => trace.zeros([B, size]));
  const valid = steps && reshape(validSteps(trace, steps, [B, T]), [B, T, 1]);
  // the last output of a row is that of its last valid step, by length too
  const hold = everyStep ? undefined : steps?.lengths !== undefined || !order.zeroMasked;
  const rows = steps && packRows(trace, B, T, steps, { ...order, hold });
  const [forth, back] = order.backwards ? ([1, 0] as const) : [];
  /** Outputs [T, B, ..] as a batch, standing where their inputs were read as long as rows say where they go. */
  const arrange = (whole: Tensor): Tensor => {
    if (whole.rank < 2 || whole.shape[1] !== B) return whole;
    const y = swapped(reshape(whole, [T, B, whole.size / (T * B)]), rows || order.asRead ? back : undefined);
    return reshape(rows ? unpack(trace, packSequence(trace, y, rows), rows) : y, [B, T, ...whole.shape.slice(2)]);
  };
  let outputIsState = false;
  const inputs = (valid ? [x, valid] : [x]).map((input) => swapped(input, forth));
  const {
    outputs: [whole],
    carried: final,
  } = scan(
    trace,
    T,
    inputs,
    start,
    ([part, alive], before) => {
      const [output, after] = step(part, before);
      outputIsState = output === after[0];
      return { outputs: [output], carried: alive ? after.map((state, i) => where(alive, state, before[i])) : after };
    },
    arrange,
  );
  if (everyStep) return { output: rows ? withOutputBefore(pass, arrange(whole), rows) : arrange(whole), final };
  if (!rows) return { output: select(whole, T - 1, 0), final };
  // a row without any step shows the state that it started from
  if (outputIsState && !rows.masked) return { output: final[0], final };
  return { output: lastShown(trace, packSequence(trace, swapped(whole, back), rows), rows), final };
}

/** Outputs, where masked steps repeat the one before the sequence; a stream carries it from run to run. */
function withOutputBefore(pass: StagePass, output: Tensor, rows: PackedSequence): Tensor {
  const { trace, prefix, before } = pass;
  const { stream } = trace.options;
  if (!stream || !repeatsOutput(pass, rows)) return repeatBefore(pass, output, rows, before);
  const [B, T, W] = output.shape;
  const name = `${prefix}output`;
  const y = repeatBefore(pass, output, rows, carriedState(trace, stream, name, [B, W]));
  carryStates(trace, stream, [name], [select(y, T - 1, 1)]);
  return y;
}
