/** Cells step by step: those written by hand, and those of ours that kernels do not know. */
import { where } from "../../ops/elementwise.ts";
import { lastShown, pack, packRows, unpack, validSteps, type Rows } from "../../ops/recurrent/packed_sequence.ts";
import { scan } from "../../ops/recurrent/scan.ts";
import { reshape, select, swapped } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { StateSpec } from "./cells.ts";
import {
  carryStates,
  held,
  initialStates,
  repeatsFormer,
  rowOrder,
  stepsOf,
  type SequenceResult,
  type SequenceRun,
  type Stage,
  type StageRun,
} from "./sequence_run.ts";

/** One step of a cell: x [B, I] and states to the output [B, W] and the next states. */
export type CellStep = (x: Tensor, states: Tensor[]) => readonly [output: Tensor, states: readonly Tensor[]];

/** A cell by its step, which is recorded once. */
export const stepwiseStage = (states: readonly StateSpec[], step: CellStep): Stage => ({
  states,
  draw: () => ({ input: undefined, state: undefined }),
  run: (run, x, initial, stage) =>
    runSteps(
      run,
      x,
      initial.length > 0 ? initial : states.map(({ size }) => run.trace.zeros([x.shape[0], size])),
      step,
      stage,
    ),
});

/** Every step computes all rows; masked ones keep their states, and their outputs are not shown. */
export function runSteps(
  run: SequenceRun,
  x: Tensor,
  initial: readonly Tensor[],
  step: CellStep,
  { sequence, prefix, before }: StageRun,
): SequenceResult {
  const { trace, options } = run;
  const [B, T] = x.shape;
  const steps = stepsOf(run, x);
  const order = rowOrder(run, sequence);
  const valid = steps && reshape(validSteps(trace, steps, B, T), [B, T, 1]);
  // the last output of a row is that of its last valid step, by length too
  const rows =
    steps &&
    packRows(
      trace,
      B,
      T,
      steps,
      sequence ? order : { ...order, hold: steps.lengths !== undefined || !order.zeroMasked },
    );
  const [forth, back] = options.goBackwards ? ([1, 0] as const) : [];
  /** Outputs [T, B, ..] as a batch, standing where their inputs were read as long as rows say where they go. */
  const arrange = (whole: Tensor): Tensor => {
    if (whole.rank < 2 || whole.shape[1] !== B) return whole;
    const y = swapped(reshape(whole, [T, B, whole.size / (T * B)]), rows || order.asRead ? back : undefined);
    return reshape(rows ? unpack(trace, pack(trace, y, rows), rows) : y, [B, T, ...whole.shape.slice(2)]);
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
    initial,
    ([part, alive], states) => {
      const [output, next] = step(part, [...states]);
      outputIsState = output === next[0];
      return { outputs: [output], carried: alive ? next.map((state, i) => where(alive, state, states[i])) : next };
    },
    arrange,
  );
  if (sequence) return { output: rows ? withFormer(run, arrange(whole), rows, prefix, before) : arrange(whole), final };
  if (!rows) return { output: select(whole, T - 1, 0), final };
  // a row without any step shows the state that it started from
  if (outputIsState && !rows.masked) return { output: final[0], final };
  return { output: lastShown(trace, pack(trace, swapped(whole, back), rows), rows), final };
}

/** Outputs, with that from before the first step where masked steps repeat it; a stream remembers it from run to run. */
function withFormer(run: SequenceRun, output: Tensor, rows: Rows, prefix: string, before: Tensor | undefined): Tensor {
  if (!repeatsFormer(run, rows)) return held(run, output, rows, before);
  const [B, T, W] = output.shape;
  const name = `${prefix}output`;
  const shown = held(run, output, rows, initialStates(run, [name], [[B, W]])[0]);
  carryStates(run, [name], [select(shown, T - 1, 1)]);
  return shown;
}
