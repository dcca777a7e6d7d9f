/**
 * Long sequences in segments: for the gradient only the states between segments are kept, and what happens inside one is
 * computed once more when backward comes to it.
 */
import { UnsupportedError } from "../../base/errors.ts";
import { checkpoint } from "../../ops/checkpoint.ts";
import { greater, where } from "../../ops/elementwise.ts";
import { floatsOf } from "../../ops/operands.ts";
import { max } from "../../ops/reduce.ts";
import { validSteps } from "../../ops/recurrent/packed_sequence.ts";
import { concat, select, slice } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import {
  carryStates,
  givesSequences,
  initialStates,
  rowOrder,
  runStages,
  statesOf,
  stepsOf,
  type SequenceResult,
  type SequenceRun,
  type SequenceSetting,
  type Stage,
} from "./sequence_run.ts";

/** Where segments of `every` steps begin and how long they are, in the order in which they are read. */
function segments(T: number, every: number, backwards: boolean): { start: number; steps: number }[] {
  const all = Array.from({ length: Math.ceil(T / every) }, (_, k) => ({
    start: k * every,
    steps: Math.min(every, T - k * every),
  }));
  return backwards ? all.reverse() : all;
}

/** The valid steps of the whole sequence as a mask [B, T]; `ragged` when they were given as lengths, whose padding gives zeros. */
function wholeMask(run: SequenceRun, x: Tensor): { mask: Tensor | undefined; ragged: boolean } {
  const { trace } = run;
  const steps = stepsOf(run, x);
  if (!steps?.lengths) return { mask: steps?.mask && floatsOf(trace, steps.mask), ragged: false };
  const { goBackwards, returnSequences } = run.options;
  if (goBackwards && returnSequences && !rowOrder(run, true).asRead) {
    throw new UnsupportedError(
      `${run.label}: expected a mask, or no lengths, with checkpointEvery, goBackwards and returnSequences, got lengths`,
    );
  }
  return { mask: validSteps(trace, steps, x.shape[0], x.shape[1]), ragged: true };
}

/**
 * The last output so far [B, H]: that of this segment, or `before` for rows without a valid step in it.
 *
 * @param ragged  the last stage, where rows end by their lengths: its state is the output then
 */
function lastOf(
  { output, final }: SequenceResult,
  mask: Tensor | undefined,
  before: Tensor | undefined,
  ragged: Stage | undefined,
): Tensor {
  if (ragged) return final[final.length - ragged.states.length];
  return before ? where(greater(max(mask!, { axis: 1, keepDims: true }), 0), output, before) : output;
}

/** Dropout of every cell of a stack whose outputs are their first states. */
const drawAll = (stages: readonly Stage[], B: number, I: number): SequenceSetting["drops"] =>
  stages.map((stage, k) => stage.draw(B, k === 0 ? I : stages[k - 1].states[0].size));

/** As `runStages`, in segments of `every` steps where the gradient is asked for. */
function runSegments(
  run: SequenceRun,
  stages: readonly Stage[],
  x: Tensor,
  states: readonly Tensor[],
  between: number,
  every: number | undefined,
): SequenceResult {
  const { trace } = run;
  const [B, T, I] = x.shape;
  if (every === undefined || T <= every || !trace.options.gradients || trace.options.inspect)
    return runStages(run, stages, x, states, { between });
  const setting = { between, drops: drawAll(stages, B, I) };
  const { mask, ragged } = wholeMask(run, x);
  const placement = ragged ? { asRead: run.call.placement?.asRead === true, zeroMasked: true } : run.call.placement;
  const segmented = { ...run, call: { ...run.call, placement } };
  const { backwards = false, asRead, zeroMasked } = rowOrder(segmented, givesSequences(run));
  const holds = mask !== undefined && !zeroMasked;
  const outputs: Tensor[] = [];
  let final = states;
  for (const { start, steps } of segments(T, every, backwards)) {
    const [from, last] = [final, outputs.at(-1)];
    const before =
      holds && last ? (givesSequences(run) ? select(last, asRead && backwards ? 0 : -1, 1) : last) : undefined;
    const [output, ...after] = checkpoint(() => {
      const part = slice(x, [0, start, 0], [B, steps, I]);
      const partMask = mask && slice(mask, [0, start], [B, steps]);
      const call = { placement, mask: partMask };
      const result = runStages({ ...segmented, call }, stages, part, from, setting, before);
      return [
        givesSequences(run) ? result.output : lastOf(result, partMask, before, ragged ? stages.at(-1)! : undefined),
        ...result.final,
      ];
    });
    outputs.push(output);
    final = after;
  }
  const whole = (): Tensor => concat(asRead && backwards ? outputs.reverse() : outputs, 1);
  return { output: givesSequences(run) ? whole() : outputs.at(-1)!, final: [...final] };
}

/**
 * A stack of cells over a sequence, from states of the caller's, of the run before, or zeros.
 *
 * @param between  rate of dropout between the cells
 * @param every    steps of a segment; all in one when absent
 * @returns the output, and the states after each row's last step
 */
export function runSequence(
  run: SequenceRun,
  stages: readonly Stage[],
  x: Tensor,
  { between = 0, every }: { between?: number; every?: number | undefined } = {},
): Tensor[] {
  const states = statesOf(stages);
  const names = states.map(({ name }) => name);
  const initial = initialStates(
    run,
    names,
    states.map(({ size }) => [x.shape[0], size]),
  );
  const { output, final } = runSegments(run, stages, x, initial, between, every);
  carryStates(run, names, final);
  if (givesSequences(run)) output.steps = stepsOf(run, x);
  return [output, ...final];
}
