/** Layers that merge several tensors into one. */
import { integers } from "../checks.ts";
import { defineLayer, type CommonOptions } from "../definition.ts";
import { add as sumOf } from "../../ops/elementwise.ts";
import { concat } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";

/**
 * Forgets the steps of a merged tensor [batch, time, ..] where an input has no mask, as every step is valid in that one and
 * so, as in Keras, in the whole. Lengths belong to the batch: they hold for inputs without them as well.
 */
function merged(y: Tensor, xs: readonly Tensor[]): Tensor {
  if (xs.some(({ steps }) => !steps) && !xs.some(({ steps }) => steps?.lengths)) y.steps = undefined;
  return y;
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
    const axis = config.axis! < 0 ? config.axis! + y.rank : config.axis!;
    return axis < 2 ? y : merged(y, xs);
  },
});

/** Adds tensors element by element, in the `call([a, b])` of a Module; they have one shape, or broadcast to one. */
export const add = defineLayer<CommonOptions>({
  type: "add",
  prefix: "add",
  input: "list",
  defaults: {},
  call(_scope, xs) {
    return merged(
      xs.reduce((total: Tensor, x) => sumOf(total, x)),
      xs,
    );
  },
});
