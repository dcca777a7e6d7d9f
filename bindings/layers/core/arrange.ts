/** Layers that arrange: masking, shapes, joins, pooling over time. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { add as sumOf, affine, div, equal, maximum, mul, where } from "../../ops/elementwise.ts";
import { max, mean, sum } from "../../ops/reduce.ts";
import { validSteps } from "../../ops/recurrent/packed_sequence.ts";
import { concat, expand, reshape as reshaped, transpose } from "../../ops/shape.ts";
import { describe, sizeOf } from "../../base/shape.ts";
import type { Steps, Tensor } from "../../graph/tensor.ts";
import { currentTrace } from "../../graph/trace.ts";
import { integersOf } from "../../ops/operands.ts";
import { checkNumber } from "../../base/options.ts";
import { shown } from "../../base/formatting.ts";
import { defineLayer, type CommonOptions } from "../definition.ts";
import { positive } from "./simple.ts";

const common = { name: undefined, trainable: true } as const;

/** A list of whole numbers among options, as a list of our own. @throws OptionError for something else */
function integers(label: string, name: string, list: unknown): number[] {
  if (!Array.isArray(list))
    throw new OptionError(`${label}: expected ${name} as a list of whole numbers, got ${shown(list)}`);
  const numbers = [...list] as unknown[];
  const odd = numbers.findIndex((value) => !Number.isInteger(value));
  if (odd >= 0) throw new OptionError(`${label}: expected whole numbers as ${name}, got ${shown(numbers[odd])}`);
  return numbers as number[];
}

/** Options of `layers.masking`. */
export interface MaskingOptions extends CommonOptions {
  /** Steps whose features all have this value are masked. @default 0 */
  maskValue?: number;
}

/** Masks steps [batch, time, features] by their value; the values of masked steps become 0. */
export const masking = defineLayer<MaskingOptions>({
  type: "masking",
  prefix: "masking",
  input: "sequence",
  defaults: { maskValue: 0, ...common },
  normalize: (config, label) => (checkNumber(label, "maskValue", config.maskValue), config),
  call({ trace, config }, x) {
    const different = affine(equal(x, config.maskValue!), -1, 1);
    const valid = max(different, { axis: -1 });
    const y = mul(x, reshaped(valid, [...valid.shape, 1]));
    y.steps = { mask: integersOf(trace, valid) };
    return y;
  },
});

/** Options of `layers.repeatVector`. */
export interface RepeatVectorOptions extends CommonOptions {
  /** Steps of the sequence that it becomes. */
  n: number;
}

/** [batch, features] to [batch, n, features]. */
export const repeatVector = defineLayer<RepeatVectorOptions>({
  type: "repeatVector",
  prefix: "repeat_vector",
  input: "features",
  defaults: { n: undefined, ...common },
  required: ["n"],
  normalize: (config, label) => (positive(label, "n", config.n), config),
  unstreamable: () => "it makes a sequence of its own out of one output",
  call({ config: { n }, label }, x) {
    if (x.rank !== 2) throw new ShapeError(`${label}: expected input [batch, features], got ${describe(x.shape)}`);
    const [B, F] = x.shape;
    return expand(reshaped(x, [B, 1, F]), [B, n, F]);
  },
});

/** Options of `layers.reshape`. */
export interface ReshapeOptions extends CommonOptions {
  /** Without the batch; one extent may be −1. */
  targetShape: readonly number[];
}

/** The same numbers of each sample under another shape. */
export const reshape = defineLayer<ReshapeOptions>({
  type: "reshape",
  prefix: "reshape",
  input: "any",
  defaults: { targetShape: undefined, ...common },
  required: ["targetShape"],
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

/** Each sample as one vector. */
export const flatten = defineLayer<CommonOptions>({
  type: "flatten",
  prefix: "flatten",
  input: "any",
  defaults: common,
  unstreamable: () => "it needs the whole sequence",
  call: (_scope, x) => reshaped(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
});

/** Options of `layers.permute`. */
export interface PermuteOptions extends CommonOptions {
  /** Axes of the input, from 1, in their new order. */
  dims: readonly number[];
}

/** The axes of each sample in another order. */
export const permute = defineLayer<PermuteOptions>({
  type: "permute",
  prefix: "permute",
  input: "any",
  defaults: { dims: undefined, ...common },
  required: ["dims"],
  normalize(config, label) {
    const dims = integers(label, "dims", config.dims);
    if ([...dims].sort((a, b) => a - b).some((axis, i) => axis !== i + 1))
      throw new OptionError(`${label}: expected dims to hold each of 1…${dims.length} once, got ${describe(dims)}`);
    return { ...config, dims };
  },
  unstreamable: () => "it arranges the whole sequence",
  call: ({ config }, x) => transpose(x, [0, ...config.dims]),
});

const sameSteps = (a: Steps, b: Steps): boolean => a.lengths === b.lengths && a.mask === b.mask;

/**
 * What a joined tensor [batch, time, ..] knows of its steps. Lengths are the caller's word about the batch: they hold for
 * parts that say nothing. Masks are said of each part, and as in Keras a step is valid where any part has one, all of those
 * being valid that say nothing.
 *
 * @param axis  0 or 1 where batches or steps lie one after the other
 */
function joinedSteps(xs: readonly Tensor[], axis = -1): Tensor["steps"] {
  const said = xs.flatMap(({ steps }) => steps ?? []);
  if (said.length === 0) return undefined;
  const [first] = said;
  const along = axis === 0 || axis === 1;
  if (!along && said.every((steps) => sameSteps(steps, first)) && (said.length === xs.length || first.lengths))
    return first;
  if (!along && said.length < xs.length) return undefined;
  const trace = currentTrace("merge");
  const valid = xs.map(({ steps, shape: [B, T] }) =>
    steps ? validSteps(trace, steps, B, T) : trace.constant(new Float32Array(B * T).fill(1), [B, T]),
  );
  return { mask: integersOf(trace, along ? concat(valid, axis) : valid.reduce((a, b) => maximum(a, b))) };
}

/** Options of `layers.concatenate`. */
export interface ConcatenateOptions extends CommonOptions {
  /** Along which they lie one after the other; the batch is axis 0. @default -1 */
  axis?: number;
}

/** Several tensors one after the other along an axis: `call([a, b])`, in a Module. */
export const concatenate = defineLayer<ConcatenateOptions>({
  type: "concatenate",
  prefix: "concatenate",
  input: "list",
  defaults: { axis: -1, ...common },
  normalize: (config, label) => (integers(label, "axis", [config.axis]), config),
  call({ config }, xs) {
    const y = concat(xs, config.axis);
    if (y.rank > 1) y.steps = joinedSteps(xs, config.axis! < 0 ? config.axis! + y.rank : config.axis);
    return y;
  },
});

/** The sum of several tensors: `call([a, b])`, in a Module. */
export const add = defineLayer<CommonOptions>({
  type: "add",
  prefix: "add",
  input: "list",
  defaults: common,
  call(_scope, xs) {
    const y = xs.reduce((total: Tensor, x) => sumOf(total, x));
    y.steps = joinedSteps(xs);
    return y;
  },
});

/** 1 at valid steps [batch, time, 1], or undefined when all are. */
function validity(x: Tensor): Tensor | undefined {
  const [B, T] = x.shape;
  return x.steps && reshaped(validSteps(currentTrace("pooling"), x.steps, B, T), [B, T, 1]);
}

/** Mean over time [batch, time, features] to [batch, features], of the valid steps. */
export const globalAveragePooling = defineLayer<CommonOptions>({
  type: "globalAveragePooling",
  prefix: "global_average_pooling",
  input: "sequence",
  defaults: common,
  unstreamable: () => "it needs the whole sequence",
  call(_scope, x) {
    const valid = validity(x);
    if (!valid) return mean(x, { axis: 1 });
    // a row without a valid step gives 0, not 0/0
    return div(sum(mul(x, valid), { axis: 1 }), maximum(sum(valid, { axis: 1 }), 1));
  },
});

/** What masked steps count as in a maximum: below any float that a model gives. */
const LOWEST = -3.0e38;

/** Maximum over time [batch, time, features] to [batch, features], of the valid steps. */
export const globalMaxPooling = defineLayer<CommonOptions>({
  type: "globalMaxPooling",
  prefix: "global_max_pooling",
  input: "sequence",
  defaults: common,
  unstreamable: () => "it needs the whole sequence",
  call(_scope, x) {
    const valid = validity(x);
    if (!valid) return max(x, { axis: 1 });
    // a row without a valid step gives 0
    return where(max(valid, { axis: 1 }), max(where(valid, x, LOWEST), { axis: 1 }), 0);
  },
});
