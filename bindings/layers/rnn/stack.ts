/** Cells stacked: each runs over the whole output sequence of the one below. */
import { dropout } from "../../ops/dropout.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { StateSpec } from "./cell.ts";
import { drawMasks, type DropoutMasks, type SequencePass, type SequenceResult, type Stage } from "./stage.ts";

/** A stack of cells. */
export interface Stack {
  readonly stages: readonly Stage[];
  /** Rate of dropout between cells. */
  readonly between: number;
}

/** States of a stack: `h`, `c` of a single cell, else `0/h`, `0/c`, `1/h` … */
export const statesOf = ({ stages }: Stack): StateSpec[] =>
  stages.flatMap(({ states }, k) =>
    stages.length === 1 ? states : states.map(({ name, size }) => ({ name: `${k}/${name}`, size })),
  );

/** Draws the dropout masks of all cells for B rows of I features. */
export const drawAllMasks = ({ stages }: Stack, B: number, I: number): DropoutMasks[] =>
  stages.map((stage, k) => drawMasks(stage, B, k === 0 ? I : stages[k - 1].states[0].size));

/** The pass of cells below another: every output stands where its input was, so that the next cell reads in order. */
const below = (pass: SequencePass): SequencePass => ({
  ...pass,
  everyStep: true,
  order: { ...pass.order, asRead: true, zeroMasked: false },
  before: undefined,
});

/**
 * Runs a stack over a sequence x [B, T, I].
 *
 * @param initial  initial states of all cells, one cell after the other; none means zeros
 * @param masks    dropout masks of all cells; drawn on the way when absent
 */
export function runStack(
  pass: SequencePass,
  stack: Stack,
  x: Tensor,
  initial: readonly Tensor[],
  masks?: readonly DropoutMasks[],
): SequenceResult {
  const { stages, between } = stack;
  const final: Tensor[] = [];
  let output = x;
  stages.forEach((stage, k) => {
    const last = k === stages.length - 1;
    const result = stage.run(
      {
        ...(last ? pass : below(pass)),
        masks: masks?.[k] ?? drawMasks(stage, x.shape[0], output.shape[2]),
        prefix: stages.length > 1 ? `${k}/` : "",
      },
      output,
      initial.slice(final.length, final.length + stage.states.length),
    );
    final.push(...result.final);
    output = last ? result.output : dropout(result.output, between);
  });
  return { output, final };
}
