/** Sums, means and maxima along axes; softmax. */
import { checkFlags, checkOptions } from "../base/options.ts";
import { whenTraining } from "../base/when_training.ts";
import { read, write, type Tensor } from "../graph/tensor.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace } from "../graph/trace.ts";
import { axisOf, floatsOf, required, tensorOf } from "./operands.ts";
import { affine, neg } from "./elementwise.ts";
import { reshape, transpose } from "./shape.ts";
import { keepSteps } from "./valid_steps.ts";

/** Options of reductions. */
export interface ReduceOptions {
  /** Axis or axes to reduce; all when absent. */
  axis?: number | readonly number[] | undefined;
  /** Keeps reduced axes with extent 1. @default false */
  keepDims?: boolean | undefined;
}

/** A tensor seen as [outer, n, inner], n being reduced. */
interface Run {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

function runOf(shape: readonly number[], axis: number): Run {
  const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);
  return { outer: product(shape.slice(0, axis)), n: shape[axis], inner: product(shape.slice(axis + 1)) };
}

const without = (shape: readonly number[], axis: number): number[] => shape.filter((_, i) => i !== axis);

const sumOp: Op<{ axis: number }> = {
  name: "sum",
  shape: (inputs, { axis }) => [{ shape: without(required(inputs, 0).shape, axis) }],
  forward(trace, inputs, [y], { axis }) {
    const { outer, n, inner } = runOf(required(inputs, 0).shape, axis);
    trace.call("f32_rsum", outer, n, inner, read(inputs[0]), write(y));
  },
  backward: whenTraining((trace, inputs, _outputs, grads, { axis }) => {
    const { outer, n, inner } = runOf(required(inputs, 0).shape, axis);
    trace.call("f32_repeat", outer, n, inner, read(grads.of(0)), write(grads.overwrite(0)));
  }),
};

const maxOp: Op<{ axis: number }> = {
  name: "max",
  shape(inputs, { axis }) {
    const shape = without(required(inputs, 0).shape, axis);
    return [{ shape }, { shape, dtype: "i32" }];
  },
  forward(trace, inputs, [y, where], { axis }) {
    const { outer, n, inner } = runOf(required(inputs, 0).shape, axis);
    trace.call("f32_rmax_fwd", outer, n, inner, read(inputs[0]), write(y), write(where));
  },
  backward: whenTraining((trace, inputs, [, where], grads, { axis }) => {
    const { outer, n, inner } = runOf(required(inputs, 0).shape, axis);
    trace.call("f32_rmax_bwd", outer, n, inner, read(where), read(grads.of(0)), write(grads.overwrite(0)));
  }),
};

/** Reduces one axis at a time, the last first, so that the others keep their numbers. Axes of extent 1 are dropped. */
function reduce(op: Op<{ axis: number }>, value: Tensor, options: ReduceOptions): Tensor {
  checkOptions(op.name, options, ["axis", "keepDims"]);
  checkFlags(op.name, options, ["keepDims"]);
  const { axis, keepDims = false } = options;
  const trace = currentTrace(op.name);
  let x = floatsOf(trace, tensorOf(op.name, value));
  const { shape, rank } = x;
  const axes =
    axis === undefined ? shape.map((_, i) => i) : [...new Set([axis].flat().map((i) => axisOf(op.name, i, rank)))];
  if (axes.length === rank && rank > 1) {
    x = apply(trace, op, [reshape(x, [x.size])], { axis: 0 })[0];
  } else {
    for (const at of [...axes].sort((a, b) => b - a)) {
      x = shape[at] === 1 ? reshape(x, without(x.shape, at)) : apply(trace, op, [x], { axis: at })[0];
    }
  }
  const y = keepDims
    ? reshape(
        x,
        shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
      )
    : x;
  return axes.some((at) => at < 2) ? y : keepSteps(y, value);
}

/**
 * Sum along axes: [batch, time, 4] with `{ axis: 1 }` gives [batch, 4]; with `keepDims` as well [batch, 1, 4]; without an
 * axis one number, [].
 */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(sumOp, x, options);

/** Maximum along axes, shaped as that of `sum`; the gradient goes to the first place that has it. */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(maxOp, x, options);

/** Minimum along axes, shaped as that of `sum`; the gradient goes to the first place that has it. */
export const min = (x: Tensor, options: ReduceOptions = {}): Tensor => neg(max(neg(x), options));

/** Mean along axes, shaped as that of `sum`. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const total = sum(x, options);
  return total.size === x.size ? total : affine(total, total.size / x.size, 0);
}

function rowOp(name: "softmax" | "log_softmax"): Op {
  return {
    name,
    shape: (inputs) => [{ shape: required(inputs, 0).shape }],
    forward(trace, inputs, [y]) {
      const N = y.shape.at(-1)!;
      trace.call(`f32_${name}_fwd`, y.size / N, N, read(inputs[0]), write(y));
    },
    backward: whenTraining((trace, _inputs, [y], grads) => {
      const N = y.shape.at(-1)!;
      trace.call(`f32_${name}_bwd`, y.size / N, N, read(y), read(grads.of(0)), write(grads.overwrite(0)));
    }),
  };
}

const softmaxOp = rowOp("softmax");
const logSoftmaxOp = rowOp("log_softmax");

/** Applies a row op along any axis, by way of the last. */
function along(op: Op, value: Tensor, axis: number): Tensor {
  const trace = currentTrace(op.name);
  const x = floatsOf(trace, tensorOf(op.name, value));
  const at = axisOf(op.name, axis, x.rank);
  if (at === x.rank - 1) {
    const [y] = apply(trace, op, [x], undefined);
    return keepSteps(y, value);
  }
  const swap = x.shape.map((_, i) => (i === at ? x.rank - 1 : i === x.rank - 1 ? at : i));
  return keepSteps(transpose(apply(trace, op, [transpose(x, swap)], undefined)[0], swap), value);
}

/** exp(x) over its sum along an axis, the last by default; the shape of x. */
export const softmax = (x: Tensor, axis = -1): Tensor => along(softmaxOp, x, axis);

/** log(softmax(x)) along an axis, the last by default; more exact than `ops.log(ops.softmax(x))`. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => along(logSoftmaxOp, x, axis);

/** Index of the largest element along the last axis: [batch, classes] gives [batch]. No gradient. */
export function argmax(x: Tensor): Tensor {
  const trace = currentTrace("argmax");
  const { shape } = tensorOf("argmax", x);
  const y = trace.tensor(shape.slice(0, -1), "i32");
  trace.call("i32_rargmax", y.size, shape.at(-1)!, read(x), write(y));
  return keepSteps(y, x);
}
