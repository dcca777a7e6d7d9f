/** The call of a layer over time: valid steps and initial states in, outputs and final states out. */
import { ValueError } from "../../base/errors.ts";
import { whenTraining } from "../../base/when_training.ts";
import { describe, sameShape } from "../../base/shape.ts";
import { warnOnce } from "../../base/warning.ts";
import { currentTrace } from "../../graph/trace.ts";
import { checkSteps, type RowOrder } from "../../ops/recurrent/packed_sequence.ts";
import type { ValidSteps, Tensor } from "../../graph/tensor.ts";
import type { CallOptions, LayerScope } from "../definition.ts";
import { runInSegments } from "./checkpointed.ts";
import { runStack, statesOf, type Stack } from "./stack.ts";
import { carryStates, initialStates, storeOf } from "./states.ts";

/** Options of all layers over time. */
export interface SequenceOptions {
  /** Gives the output of every step [batch, time, units] instead of the last one [batch, units]. @default false */
  returnSequences?: boolean;
  /** Gives the final states as well: a list `[output, ...states]` with states [batch, units]. @default false */
  returnState?: boolean;
  /** Reads the sequence backwards and gives the outputs in that order, the last step's first. @default false */
  goBackwards?: boolean;
  /** Keeps the final states of a batch as initial states of the next, until `resetStates`. @default false */
  stateful?: boolean;
  /** With `returnSequences`, gives zeros at masked steps instead of the previous output. @default false */
  zeroOutputForMask?: boolean;
}

export const SEQUENCE_DEFAULTS = {
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  zeroOutputForMask: false,
} as const satisfies Required<SequenceOptions>;

/** Options of Keras that choose an implementation: accepted and ignored. */
export const IGNORED = ["unroll", "implementation"];

/** Why a layer over time cannot run step by step, if it cannot. */
export const unstreamable = ({ goBackwards }: SequenceOptions): string | undefined =>
  goBackwards ? "it reads the sequence from its end (goBackwards)" : undefined;

/** Segments matter to gradients only. */
const runSegments = whenTraining(runInSegments);

/** The valid steps: those given to the call, else those of the input. @throws ValueError, ShapeError */
function stepsOf(label: string, call: CallOptions, x: Tensor): ValidSteps | undefined {
  if (call.lengths === null || call.mask === null) return undefined;
  const { lengths, mask } = call;
  if (lengths !== undefined && mask !== undefined)
    throw new ValueError(`${label}: expected lengths or a mask, got both`);
  const steps = lengths !== undefined || mask !== undefined ? ({ lengths, mask } as ValidSteps) : x.steps;
  if (steps) checkSteps(label, steps, x.shape);
  else warnOfForgotten(label, x);
  return steps;
}

/** Says that the caller named valid steps of which x, a sequence as long, knows nothing. */
function warnOfForgotten(label: string, { shape }: Tensor): void {
  const given = currentTrace(label).givenSteps;
  if (!given || !sameShape(given.shape, shape.slice(0, 2))) return;
  const what = given.steps.lengths ? "lengths" : "mask";
  warnOnce(
    `${label}: expected ${what} with x ${describe(shape)}, as the caller named some, got an x that the ops before have ` +
      `taken them from; pass them on, as in rnn.call(x, { ${what} }), or { ${what}: null } where every step counts`,
  );
}

/** Direction and order of the outputs; a layer around this one may place them otherwise. */
const orderOf = (options: SequenceOptions, { placement }: CallOptions, everyStep: boolean): RowOrder => ({
  backwards: options.goBackwards,
  asRead: everyStep && placement?.asRead,
  // a single last output is that of the last valid step, whatever masked steps give
  zeroMasked: everyStep && (placement ? placement.zeroMasked : options.zeroOutputForMask),
});

/**
 * Runs a stack of cells over x [batch, time, features].
 *
 * @returns the output or, with `returnState`, `[output, ...states]`
 * @throws ShapeError, ValueError for initial states, lengths or a mask that do not fit
 */
export function runSequence(
  { trace, label, config }: LayerScope<SequenceOptions & { checkpointEvery?: number | undefined }>,
  stack: Stack,
  x: Tensor,
  call: CallOptions,
): Tensor | Tensor[] {
  const steps = stepsOf(label, call, x);
  const everyStep = config.returnSequences === true || trace.options.stream !== undefined;
  const pass = { trace, label, steps, everyStep, order: orderOf(config, call, everyStep) };
  const states = statesOf(stack);
  const store = storeOf(trace, config.stateful);
  const initial = initialStates(pass, states, x.shape[0], store, call.initialState);
  const { output, final } = runSegments
    ? runSegments(pass, stack, x, initial, config.checkpointEvery)
    : runStack(pass, stack, x, initial);
  if (store)
    carryStates(
      trace,
      store,
      states.map(({ name }) => name),
      final,
    );
  if (everyStep) output.steps = steps;
  return config.returnState ? [output, ...final] : output;
}
