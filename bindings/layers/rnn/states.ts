/** States over the borders of a sequence: where they come from, where they go, and the output before the first step. */
import { ShapeError } from "../../base/errors.ts";
import { describe, sameShape } from "../../base/shape.ts";
import { greaterEqual, where } from "../../ops/elementwise.ts";
import { tensorOf } from "../../ops/operands.ts";
import type { PackedSequence } from "../../ops/recurrent/packed_sequence.ts";
import { reshape } from "../../ops/shape.ts";
import { Tensor, read, write } from "../../graph/tensor.ts";
import type { StateStore, Trace } from "../../graph/trace.ts";
import type { StateSpec } from "./cell.ts";
import type { SequencePass } from "./stage.ts";

/**
 * Where a layer's states are carried from run to run, if they are.
 *
 * @param stateful  the layer's option; undefined for a cell called by hand, whose states are the caller's
 */
export function storeOf({ options }: Trace, stateful: boolean | undefined): StateStore | undefined {
  const { stream, windows } = options;
  if (stream || stateful === undefined) return stream;
  return stateful ? options.stateful : windows;
}

/** A state as the last run left it. */
export const carriedState = (trace: Trace, store: StateStore, name: string, shape: readonly number[]): Tensor =>
  new Tensor(trace, shape, "f32", store.state(trace, name, shape));

/** The initial states that a caller gives. @throws ShapeError unless they are as many as `shapes`, in these */
function givenStates(label: string, given: unknown, shapes: readonly (readonly number[])[]): Tensor[] {
  if (!Array.isArray(given))
    throw new ShapeError(
      `${label}: expected a list of ${shapes.length} initial states, got something else; put a single one in brackets`,
    );
  const states = Array.from(given, (state: unknown) => tensorOf(label, state));
  if (states.length === shapes.length && states.every((state, i) => sameShape(state.shape, shapes[i]))) return states;
  const got = states.map(({ shape }) => describe(shape)).join(", ") || "none";
  throw new ShapeError(
    `${label}: expected ${shapes.length} initial states ${shapes.map(describe).join(", ")}, got ${got}`,
  );
}

/**
 * Initial states [B, size]: the given ones, else those carried from the last run, else none, which means zeros.
 *
 * @throws ShapeError for given states of another number or shape
 */
export function initialStates(
  { trace, label }: Pick<SequencePass, "trace" | "label">,
  specs: readonly StateSpec[],
  B: number,
  store: StateStore | undefined,
  given: unknown,
): Tensor[] {
  if (given !== undefined && given !== null)
    return givenStates(
      label,
      given,
      specs.map(({ size }) => [B, size]),
    );
  if (!store) return [];
  return specs.map(({ name, size }) => {
    const carried = carriedState(trace, store, name, [B, size]);
    if (!trace.options.gradients) return carried;
    const state = trace.tensor([B, size]); // a copy: the gradient reads it after the carried one has been overwritten
    trace.copy(carried, state);
    return state;
  });
}

/** Leaves states for the next run. */
export function carryStates(trace: Trace, store: StateStore, names: readonly string[], final: readonly Tensor[]): void {
  names.forEach((name, i) => {
    const place = carriedState(trace, store, name, final[i].shape);
    trace.call("f32_copy", place.size, read(final[i]), write(place));
  });
}

/** True if masked steps repeat the output of the step before, also that of one before the sequence. */
export const repeatsOutput = ({ order }: SequencePass, { masked }: PackedSequence): boolean =>
  masked && !order.zeroMasked;

/**
 * Lets masked steps before the first valid one repeat the output from before the sequence.
 *
 * @param output  [B, T, W]
 * @param before  [B, W]; zeros when absent
 */
export function repeatBefore(
  pass: SequencePass,
  output: Tensor,
  rows: PackedSequence,
  before: Tensor | undefined,
): Tensor {
  if (!before || !repeatsOutput(pass, rows)) return output;
  const [B, T, W] = output.shape;
  return where(reshape(greaterEqual(rows.place!, 0), [B, T, 1]), output, reshape(before, [B, 1, W]));
}
