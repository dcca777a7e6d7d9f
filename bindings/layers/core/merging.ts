/** Layers that merge several tensors into one. */
import { integers } from "../checks.ts";
import { defineLayer, type CommonOptions } from "../definition.ts";
import { add as sumOf, maximum } from "../../ops/elementwise.ts";
import { integersOf } from "../../ops/operands.ts";
import { validSteps } from "../../ops/recurrent/packed_sequence.ts";
import { concat } from "../../ops/shape.ts";
import type { ValidSteps, Tensor } from "../../graph/tensor.ts";
import { currentTrace } from "../../graph/trace.ts";

const sameSteps = (a: ValidSteps, b: ValidSteps): boolean => a.lengths === b.lengths && a.mask === b.mask;

/**
 * The valid steps of a merged tensor [batch, time, ..]. Lengths belong to the batch, so they also hold for inputs
 * without them. Masks belong to inputs: as in Keras, a step is valid if it is valid in any input, and every step is
 * valid in an input without a mask.
 *
 * @param axis  0 or 1 where batches or steps are concatenated
 */
function mergedSteps(xs: readonly Tensor[], axis = -1): ValidSteps | undefined {
  const known = xs.flatMap(({ steps }) => steps ?? []);
  if (known.length === 0) return undefined;
  const [first] = known;
  const along = axis === 0 || axis === 1;
  if (!along && known.every((steps) => sameSteps(steps, first)) && (known.length === xs.length || first.lengths))
    return first;
  if (!along && known.length < xs.length) return undefined;
  const trace = currentTrace("merge");
  const valid = xs.map(({ steps, shape: [B, T] }) =>
    steps ? validSteps(trace, steps, B, T) : trace.constant(new Float32Array(B * T).fill(1), [B, T]),
  );
  return { mask: integersOf(trace, along ? concat(valid, axis) : valid.reduce((a, b) => maximum(a, b))) };
}

/** Options of `layers.concatenate`. */
export interface ConcatenateOptions extends CommonOptions {
  /** Axis to concatenate along; the batch is axis 0, negative ones count from the last. @default -1 */
  axis?: number;
}

/** Concatenates a list of tensors along an axis: [batch, .., a], [batch, .., b] to [batch, .., a + b]. */
export const concatenate = defineLayer<ConcatenateOptions>({
  type: "concatenate",
  prefix: "concatenate",
  input: "list",
  defaults: { axis: -1 },
  normalize: (config, label) => (integers(label, "axis", [config.axis]), config),
  call({ config }, xs) {
    const y = concat(xs, config.axis);
    if (y.rank > 1) y.steps = mergedSteps(xs, config.axis! < 0 ? config.axis! + y.rank : config.axis);
    return y;
  },
});

/** Adds tensors element by element, in the `call([a, b])` of a Module; they have one shape, or broadcast to one. */
export const add = defineLayer<CommonOptions>({
  type: "add",
  prefix: "add",
  input: "list",
  defaults: {},
  call(_scope, xs) {
    const y = xs.reduce((total: Tensor, x) => sumOf(total, x));
    y.steps = mergedSteps(xs);
    return y;
  },
});
