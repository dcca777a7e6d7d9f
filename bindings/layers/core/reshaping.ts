/** Layers that give a sample another shape. */
import { checkSize, integers } from "../checks.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { describe, sizeOf } from "../../base/shape.ts";
import { expand, reshape as reshaped, transpose } from "../../ops/shape.ts";

/** Options of `layers.repeatVector`. */
export interface RepeatVectorOptions extends CommonOptions {
  /** Number of steps of the output. */
  n: number;
}

/** Repeats a vector as a sequence: [batch, features] to [batch, n, features]. */
export const repeatVector = defineLayer<RepeatVectorOptions>({
  type: "repeatVector",
  prefix: "repeat_vector",
  input: "features",
  defaults: { n: REQUIRED },
  normalize: (config, label) => (checkSize(label, "n", config.n), config),
  unstreamable: () => "it makes a sequence of its own out of one output",
  call({ config: { n }, label }, x) {
    if (x.rank !== 2) throw new ShapeError(`${label}: expected input [batch, features], got ${describe(x.shape)}`);
    const [B, F] = x.shape;
    return expand(reshaped(x, [B, 1, F]), [B, n, F]);
  },
});

/** Options of `layers.reshape`. */
export interface ReshapeOptions extends CommonOptions {
  /** Shape of a sample, without the batch; one extent may be −1, which is inferred. */
  targetShape: readonly number[];
}

/** Gives each sample another shape with as many elements: [batch, ..] to [batch, ...targetShape]. */
export const reshape = defineLayer<ReshapeOptions>({
  type: "reshape",
  prefix: "reshape",
  input: "any",
  defaults: { targetShape: REQUIRED },
  normalize(config, label) {
    const targetShape = integers(label, "targetShape", config.targetShape);
    const open = targetShape.filter((extent) => extent === -1).length;
    if (open > 1 || targetShape.some((extent) => extent < 1 && extent !== -1))
      throw new OptionError(
        `${label}: expected targetShape of positive integers and at most one -1, got ${describe(targetShape)}`,
      );
    return { ...config, targetShape };
  },
  unstreamable: () => "it arranges the whole sequence",
  call: ({ config }, x) => reshaped(x, [x.shape[0], ...config.targetShape]),
});

/** Flattens each sample: [batch, ..] to [batch, features]. */
export const flatten = defineLayer<CommonOptions>({
  type: "flatten",
  prefix: "flatten",
  input: "any",
  defaults: {},
  unstreamable: () => "it needs the whole sequence",
  call: (_scope, x) => reshaped(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
});

/** Options of `layers.permute`. */
export interface PermuteOptions extends CommonOptions {
  /** The axes of a sample in their new order, counted from 1 as in Keras: the batch is 0 and stays. */
  dims: readonly number[];
}

/** Permutes the axes of each sample: with dims [2, 1], [batch, a, b] to [batch, b, a]. */
export const permute = defineLayer<PermuteOptions>({
  type: "permute",
  prefix: "permute",
  input: "any",
  defaults: { dims: REQUIRED },
  normalize(config, label) {
    const dims = integers(label, "dims", config.dims);
    if ([...dims].sort((a, b) => a - b).some((axis, i) => axis !== i + 1))
      throw new OptionError(`${label}: expected dims to hold each of 1…${dims.length} once, got ${describe(dims)}`);
    return { ...config, dims };
  },
  unstreamable: () => "it arranges the whole sequence",
  call: ({ config }, x) => transpose(x, [0, ...config.dims]),
});
