/** What every layer over time does around its cells: steps that count, states in and out, stacks of cells. */
import { ShapeError, ValueError } from "../../base/errors.ts";
import { dropout } from "../../ops/dropout.ts";
import { greaterEqual, where } from "../../ops/elementwise.ts";
import { checkSteps, type RowOrder, type Rows } from "../../ops/recurrent/packed_sequence.ts";
import { tensorOf } from "../../ops/operands.ts";
import { reshape } from "../../ops/shape.ts";
import { describe, sameShape } from "../../base/shape.ts";
import { Tensor, read, write, type Steps } from "../../graph/tensor.ts";
import type { StateStore, Trace } from "../../graph/trace.ts";
import type { StateSpec } from "./cells.ts";
import type { CallOptions } from "../definition.ts";

/** Options of all layers over time. */
export interface SequenceOptions {
  /** Gives the output of every step [batch, time, units] instead of the last [batch, units]. @default false */
  returnSequences?: boolean;
  /** Gives `[output, ...states]`. @default false */
  returnState?: boolean;
  /** Reads the sequence from its end; outputs stay in that order. @default false */
  goBackwards?: boolean;
  /** Keeps its states from one batch to the next, until `resetStates`. @default false */
  stateful?: boolean;
  /** Outputs zeros at masked steps, instead of the former output. @default false */
  zeroOutputForMask?: boolean;
}

export const sequenceDefaults = {
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  zeroOutputForMask: false,
} as const;

/** Options that say how to compute, not what; there is one way here. */
export const IGNORED = ["unroll", "implementation"];

/** What every layer over time needs to know of its run. */
export interface SequenceRun {
  readonly trace: Trace;
  readonly label: string;
  readonly options: SequenceOptions;
  readonly call: CallOptions;
}

/** The steps that count: those given to the call, else those that the input brings along. */
export function stepsOf({ label, call }: SequenceRun, x: Tensor): Steps | undefined {
  const [lengths, mask] = [call.lengths ?? undefined, call.mask ?? undefined];
  if (lengths !== undefined && mask !== undefined)
    throw new ValueError(`${label}: expected lengths or a mask, got both`);
  const steps = lengths !== undefined || mask !== undefined ? ({ lengths, mask } as Steps) : x.steps;
  if (steps) checkSteps(label, steps, x.shape);
  return steps;
}

/** Where states are carried, if they are. A cell called by hand is not asked whether it is stateful: its states are the caller's. */
function storeOf(
  { options: { stream, stateful, windows } }: Trace,
  options: SequenceRun["options"],
): StateStore | undefined {
  if (stream || options.stateful === undefined) return stream;
  return options.stateful ? stateful : windows;
}

/** States to start from: the caller's, those carried from the last run, or none, which means zeros. */
export function initialStates(
  { trace, label, options, call }: SequenceRun,
  names: readonly string[],
  shapes: readonly (readonly number[])[],
): Tensor[] {
  const initialState: unknown = call.initialState ?? undefined;
  if (initialState !== undefined) {
    if (!Array.isArray(initialState))
      throw new ShapeError(
        `${label}: expected a list of ${shapes.length} initial states, got something else; put a single one in brackets`,
      );
    const states = Array.from(initialState, (state: unknown) => tensorOf(label, state));
    const wrong = states.length !== shapes.length || states.some((state, i) => !sameShape(state.shape, shapes[i]));
    if (wrong) {
      throw new ShapeError(
        `${label}: expected ${shapes.length} initial states ${shapes.map(describe).join(", ")}, got ${states.map(({ shape }) => describe(shape)).join(", ") || "none"}`,
      );
    }
    return states;
  }
  const store = storeOf(trace, options);
  if (!store) return [];
  return names.map((name, i) => {
    const carried = new Tensor(trace, shapes[i], "f32", store.state(trace, name, shapes[i]));
    if (!trace.options.gradients) return carried;
    const state = trace.tensor(shapes[i]); // the gradient reads it after its place has been written anew
    trace.copy(carried, state);
    return state;
  });
}

/** Writes final states where the next run will find them. */
export function carryStates({ trace, options }: SequenceRun, names: readonly string[], final: readonly Tensor[]): void {
  const store = storeOf(trace, options);
  if (!store) return;
  names.forEach((name, i) => {
    const place = new Tensor(trace, final[i].shape, "f32", store.state(trace, name, final[i].shape));
    trace.call("f32_copy", place.size, read(final[i]), write(place));
  });
}

/** How rows are read and where the outputs of all steps go, or the last one is found. */
export const rowOrder = ({ options, call: { placement } }: SequenceRun, sequence: boolean): RowOrder => ({
  backwards: options.goBackwards,
  asRead: sequence && placement?.asRead,
  zeroMasked: placement ? placement.zeroMasked : options.zeroOutputForMask,
});

/** Cells below another give their outputs where they read their inputs, so that the next reads them in the same order. */
const belowAnother = (run: SequenceRun): SequenceRun => ({
  ...run,
  call: { ...run.call, placement: { asRead: true, zeroMasked: false } },
});

/** Whether the layer gives every step's output. */
export const givesSequences = ({ trace, options }: SequenceRun): boolean =>
  options.returnSequences === true || trace.options.stream !== undefined;

/** Output and states, as far as the options ask for them. */
export const asked = ({ options }: SequenceRun, all: Tensor[]): Tensor | Tensor[] =>
  options.returnState ? all : all[0];

/** What a sequence gives. */
export interface SequenceResult {
  /** Of every step [B, T, W], or of the last one [B, W]. */
  readonly output: Tensor;
  /** [B, size] each, in the caller's order of rows. */
  readonly final: readonly Tensor[];
}

/** Dropout of one cell: of its input, and of the state in its recurrent product; the same at every step. */
export interface StageDropout {
  readonly input: Tensor | undefined;
  readonly state: Tensor | undefined;
}

/** How a cell runs in a stack. */
export interface StageRun {
  /** Names of its inner values start with this. */
  readonly prefix: string;
  /** Outputs of all steps are wanted, not only of the last. */
  readonly sequence: boolean;
  readonly drop: StageDropout;
  /** [B, W] output of the step before the first, which masked steps repeat; zeros when absent. */
  readonly before?: Tensor | undefined;
}

/** One cell of a stack, over whole sequences. */
export interface Stage {
  readonly states: readonly StateSpec[];
  /** Draws its dropout for B rows of I features. */
  draw(B: number, I: number): StageDropout;
  /**
   * @param x        [B, T, I]
   * @param initial  states to start from; none means zeros
   */
  run(run: SequenceRun, x: Tensor, initial: readonly Tensor[], stage: StageRun): SequenceResult;
}

/** States of a stack by layer: `h`, `c`, or `0/h`, `0/c`, `1/h` … */
export const statesOf = (stages: readonly Stage[]): StateSpec[] =>
  stages.flatMap(({ states }, k) =>
    stages.length === 1 ? states : states.map(({ name, size }) => ({ name: `${k}/${name}`, size })),
  );

/** What is the same for all segments of a sequence. */
export interface SequenceSetting {
  /** Dropout between cells. */
  readonly between: number;
  /** That of every cell; drawn on the way when absent. */
  readonly drops?: readonly StageDropout[];
}

/**
 * Runs cells one after the other, each over the whole sequence.
 *
 * @param before  [B, W] output of the step before the first, which masked steps repeat; zeros when absent
 */
export function runStages(
  run: SequenceRun,
  stages: readonly Stage[],
  x: Tensor,
  states: readonly Tensor[],
  { between, drops }: SequenceSetting,
  before?: Tensor,
): SequenceResult {
  const final: Tensor[] = [];
  let output = x;
  stages.forEach((stage, k) => {
    const own = states.slice(final.length, final.length + stage.states.length);
    const last = k === stages.length - 1;
    const drop = drops?.[k] ?? stage.draw(x.shape[0], output.shape[2]);
    const result = stage.run(last ? run : belowAnother(run), output, own, {
      prefix: stages.length > 1 ? `${k}/` : "",
      sequence: !last || givesSequences(run),
      drop,
      before: last ? before : undefined,
    });
    final.push(...result.final);
    output = last ? result.output : dropout(result.output, between);
    if (!last) output.steps = x.steps;
  });
  return { output, final };
}

/** Whether masked steps repeat an output from before the first step, should there be one. */
const repeats = (run: SequenceRun, { masked }: Rows): boolean => masked && !rowOrder(run, true).zeroMasked;

/** Whether that is the output of the run before, as in a stream. */
export const repeatsFormer = (run: SequenceRun, rows: Rows): boolean =>
  run.trace.options.stream !== undefined && repeats(run, rows);

/** Outputs [B, T, W], masked steps before the first valid one with the output before, where there is one. */
export function held(run: SequenceRun, output: Tensor, rows: Rows, before: Tensor | undefined): Tensor {
  if (!before || !repeats(run, rows)) return output;
  const [B, T, W] = output.shape;
  return where(reshape(greaterEqual(rows.place!, 0), [B, T, 1]), output, reshape(before, [B, 1, W]));
}
