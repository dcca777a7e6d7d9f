/**
 * Gradient checkpointing over time (Chen et al. 2016): only the states between segments of a sequence are kept for the
 * gradient; the backward pass computes the values inside a segment again.
 */
import { UnsupportedError } from "../../base/errors.ts";
import { checkpoint } from "../../ops/checkpoint.ts";
import { greater, where } from "../../ops/elementwise.ts";
import { floatsOf } from "../../ops/operands.ts";
import { max } from "../../ops/reduce.ts";
import { validSteps } from "../../ops/valid_steps.ts";
import { concat, select, blockOf } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { drawAllMasks, runStack, type Stack } from "./stack.ts";
import type { SequencePass, SequenceResult, Stage } from "./stage.ts";

/** Segments of `every` steps, in the order in which they are read. */
function segments(T: number, every: number, backwards: boolean): { start: number; steps: number }[] {
  const all = Array.from({ length: Math.ceil(T / every) }, (_, k) => ({
    start: k * every,
    steps: Math.min(every, T - k * every),
  }));
  return backwards ? all.reverse() : all;
}

/** The valid steps of the whole sequence as a mask [B, T]; `ragged` if given as lengths, whose padding gives zeros. */
function wholeMask(
  { trace, label, steps, order, everyStep }: SequencePass,
  x: Tensor,
): { mask: Tensor | undefined; ragged: boolean } {
  if (!steps?.lengths) return { mask: steps?.mask && floatsOf(trace, steps.mask), ragged: false };
  if (order.backwards && everyStep && !order.asRead) {
    throw new UnsupportedError(
      `${label}: expected a mask, or no lengths, with checkpointEvery, goBackwards and returnSequences, got lengths`,
    );
  }
  return { mask: validSteps(trace, steps, x.shape), ragged: true };
}

/**
 * The last output so far [B, W]: that of this segment, or `before` for rows without a valid step in it.
 *
 * @param ragged  the last stage, where rows end by their lengths: the output is its state then
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

/**
 * Runs a stack over a sequence, in segments where a gradient is required.
 *
 * @param every  steps of a segment; one segment when absent
 */
export function runInSegments(
  pass: SequencePass,
  stack: Stack,
  x: Tensor,
  initial: readonly Tensor[],
  every: number | undefined,
): SequenceResult {
  const { trace, everyStep } = pass;
  const [B, T, I] = x.shape;
  if (every === undefined || T <= every || !trace.options.gradients || trace.options.inspect)
    return runStack(pass, stack, x, initial);
  const masks = drawAllMasks(stack, B, I);
  const { mask, ragged } = wholeMask(pass, x);
  const order = ragged ? { ...pass.order, zeroMasked: true } : pass.order;
  const { backwards = false, asRead, zeroMasked } = order;
  const repeats = mask && !zeroMasked;
  const outputs: Tensor[] = [];
  let final = initial;
  for (const { start, steps } of segments(T, every, backwards)) {
    const [from, last] = [final, outputs.at(-1)];
    const lastStep = (y: Tensor): Tensor => (everyStep ? select(y, asRead && backwards ? 0 : -1, 1) : y);
    const before = repeats && last ? lastStep(last) : undefined;
    const [output, ...after] = checkpoint(() => {
      const part = blockOf(x, [0, start, 0], [B, steps, I]);
      const partMask = mask && blockOf(mask, [0, start], [B, steps]);
      const partPass = { ...pass, order, before, steps: partMask && { mask: partMask } };
      const result = runStack(partPass, stack, part, from, masks);
      const output = everyStep
        ? result.output
        : lastOf(result, partMask, before, ragged ? stack.stages.at(-1) : undefined);
      return [output, ...result.final];
    });
    outputs.push(output);
    final = after;
  }
  const whole = (): Tensor => concat(asRead && backwards ? outputs.reverse() : outputs, 1);
  return { output: everyStep ? whole() : outputs.at(-1)!, final };
}
