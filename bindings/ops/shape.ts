/** Ops that move elements without computing: reshape, transpose, slice, concat, stack, expand; and zeros. */
import { ShapeError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { describe, sizeOf, sameShape, type Shape } from "../base/shape.ts";
import { whenTraining } from "../base/when_training.ts";
import type { Tensor } from "../graph/tensor.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { axisOf, floatsOf, integerList, required, tensorOf } from "./operands.ts";
import { stridedAdd, stridedCopy, strides, type StridedLoop } from "./strided.ts";
import { axesOfSteps, keepSteps, stepsOfMask, validSteps } from "./valid_steps.ts";

const viewOp: Op<{ shape: Shape }> = {
  name: "reshape",
  shape: ([x], { shape }) => [{ shape, dtype: x!.dtype, viewOf: x! }],
  forward: () => {},
  backward: whenTraining((_trace, _inputs, _outputs, grads) => grads.pass(0, grads.of(0)!)),
};

/**
 * The same elements under another shape; no copy.
 *
 * @param shape  extents; one may be −1 and takes what is left
 * @throws ShapeError when the sizes differ
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const { size } = tensorOf("reshape", x);
  integerList("reshape", "a shape", shape);
  const known = sizeOf(shape.filter((extent) => extent !== -1));
  const full = shape.map((extent) => (extent === -1 ? size / known : extent));
  if (sizeOf(full) !== size || !full.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new ShapeError(
      `reshape: expected ${size} elements, as ${describe(x.shape)} has, got shape ${describe(shape)}`,
    );
  }
  return keepSteps(apply(currentTrace("reshape"), viewOp, [x], { shape: full })[0], x);
}

const stopOp: Op = {
  name: "stopGradient",
  shape: ([x]) => [{ shape: x!.shape, dtype: x!.dtype, viewOf: x! }],
  forward: () => {},
};

/** The same values, in the shape of x, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return keepSteps(apply(currentTrace("stopGradient"), stopOp, [tensorOf("stopGradient", x)], undefined)[0], x);
}

/** Elements read through a strided window of the input, `first` elements in. */
interface Window {
  readonly shape: Shape;
  readonly steps: readonly number[];
  readonly first: number;
}

const windowOp: Op<Window> = {
  name: "copy",
  shape: (_inputs, { shape }) => [{ shape }],
  forward(trace, inputs, [y], window) {
    const x = required(inputs, 0);
    stridedCopy(
      trace,
      { sizes: window.shape, from: window.steps, to: strides(window.shape) },
      trace.view(x, x.shape, window.first),
      y,
    );
  },
  backward: whenTraining((trace, _inputs, _outputs, grads, { shape, steps, first }) => {
    const dx = grads.accumulate(0);
    stridedAdd(trace, { sizes: shape, from: strides(shape), to: steps }, grads.of(0)!, trace.view(dx, dx.shape, first));
  }),
};

function windowOf(op: string, x: Tensor, window: Window): Tensor {
  const trace = currentTrace(op);
  return apply(trace, windowOp, [floatsOf(trace, x)], window)[0];
}

/**
 * Axes in another order, as NumPy's `transpose`: [2, 3, 4] with axes [0, 2, 1] gives [2, 4, 3].
 *
 * @param axes  for each axis of the result, the axis of x; reversed by default
 * @throws ShapeError unless `axes` names each axis of x once
 */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  const { shape, rank } = tensorOf("transpose", x);
  if (axes !== undefined) integerList("transpose", "axes", axes);
  const order = (axes ?? shape.map((_, i) => rank - 1 - i)).map((axis) => axisOf("transpose", axis, rank));
  if (new Set(order).size !== rank || order.length !== rank) {
    throw new ShapeError(`transpose: expected each of ${rank} axes once, got ${describe(axes!)}`);
  }
  const from = strides(shape);
  const y = windowOf("transpose", x, {
    shape: order.map((axis) => shape[axis]),
    steps: order.map((axis) => from[axis]),
    first: 0,
  });
  return axesOfSteps(x).every((_, i) => order[i] === i) ? keepSteps(y, x) : y;
}

/**
 * The first two axes of x [A, B, ..] in the other order.
 *
 * @param reversed  which of them is also turned round
 */
export function swapped(x: Tensor, reversed?: 0 | 1): Tensor {
  const [A, B, ...rest] = x.shape;
  const shape = [B, A, ...rest];
  if (reversed === undefined && (A === 1 || B === 1)) return reshape(x, shape);
  const [a, b, ...inner] = strides(x.shape);
  const first = reversed === 0 ? (A - 1) * a : reversed === 1 ? (B - 1) * b : 0;
  return windowOf("transpose", x, {
    shape,
    steps: [reversed === 1 ? -b : b, reversed === 0 ? -a : a, ...inner],
    first,
  });
}

/**
 * A block of x. `ops.slice(x, [0, 2], [−1, 3])` of x [4, 8] is x[:, 2:5], of shape [4, 3].
 *
 * @param starts  first index along each axis; axes left out are taken whole
 * @param sizes   extents of the block; −1 or left out: to the end
 * @throws ShapeError when the block leaves x
 */
export function slice(x: Tensor, starts: readonly number[], sizes: readonly number[] = []): Tensor {
  const y = blockOf(x, starts, sizes);
  const { length } = axesOfSteps(x);
  if (!x.steps || sameShape(y.shape.slice(0, length), x.shape.slice(0, length))) return keepSteps(y, x);
  const trace = currentTrace("slice");
  const valid = validSteps(trace, x.steps, x.shape);
  y.steps = stepsOfMask(trace, blockOf(valid, starts.slice(0, length), sizes.slice(0, length)));
  return y;
}

/** See {@link slice}: the block alone, which knows no valid steps. */
export function blockOf(x: Tensor, starts: readonly number[], sizes: readonly number[] = []): Tensor {
  const { shape } = tensorOf("slice", x);
  integerList("slice", "starts", starts);
  integerList("slice", "sizes", sizes);
  const begin = shape.map((extent, i) => ((starts[i] ?? 0) < 0 ? starts[i] + extent : (starts[i] ?? 0)));
  const block = shape.map((extent, i) => ((sizes[i] ?? -1) === -1 ? extent - begin[i] : sizes[i]));
  const within = (n: number, i: number): boolean =>
    Number.isInteger(n) && Number.isInteger(begin[i]) && n >= 0 && begin[i] >= 0 && begin[i] + n <= shape[i];
  if (starts.length > shape.length || sizes.length > shape.length || !block.every(within)) {
    throw new ShapeError(
      `slice: expected a block within ${describe(shape)}, got starts ${describe(starts)} and sizes ${describe(sizes)}`,
    );
  }
  const from = strides(shape);
  return windowOf("slice", x, {
    shape: block,
    steps: from,
    first: begin.reduce((sum, at, i) => sum + at * from[i], 0),
  });
}

/**
 * x cut into parts of one size along an axis. `const [i, f, g, o] = ops.split(z, 4)` cuts z [batch, 4·units] into four
 * [batch, units].
 *
 * @param parts  how many
 * @param axis   the last by default; a negative one counts from the end
 * @throws ShapeError unless the extent of the axis is a multiple of `parts`
 */
export function split(x: Tensor, parts: number, axis = -1): Tensor[] {
  const { shape, rank } = tensorOf("split", x);
  const at = axisOf("split", axis, rank);
  const size = Number.isInteger(parts) ? shape[at] / parts : NaN;
  if (!Number.isInteger(size) || parts < 1)
    throw new ShapeError(
      `split: expected a number of parts that axis ${axis} of ${describe(shape)} is a multiple of, got ${shown(parts)}`,
    );
  return Array.from({ length: parts }, (_, k) =>
    slice(
      x,
      shape.map((_n, i) => (i === at ? k * size : 0)),
      shape.map((n, i) => (i === at ? size : n)),
    ),
  );
}

/** The slice of x at one index of an axis, without that axis. A negative index counts from the end. */
export function select(x: Tensor, index: number, axis: number): Tensor {
  const extent = x.shape[axis];
  const at = index < 0 ? index + extent : index;
  if (!Number.isInteger(index) || at < 0 || at >= extent) {
    throw new ShapeError(
      `gather: expected an index of ${-extent}…${extent - 1} along axis ${axis} of ${describe(x.shape)}, got ${index}`,
    );
  }
  const from = strides(x.shape);
  const rest = <T>(list: readonly T[]): T[] => list.filter((_, i) => i !== axis);
  return windowOf("gather", x, { shape: rest(x.shape), steps: rest(from), first: at * from[axis] });
}

/** x repeated along axes of size 1, as broadcasting asks. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const missing = shape.length - x.rank;
  const from = strides(x.shape);
  const steps = shape.map((extent, i) => (i < missing || x.shape[i - missing] !== extent ? 0 : from[i - missing]));
  return windowOf("broadcast", x, { shape, steps, first: 0 });
}

const concatOp: Op<{ axis: number }> = {
  name: "concat",
  shape(inputs, { axis }) {
    const first = required(inputs, 0).shape;
    let extent = 0;
    for (const input of inputs) {
      const shape = input!.shape;
      if (shape.length !== first.length || shape.some((n, i) => i !== axis && n !== first[i])) {
        throw new ShapeError(
          `concat: expected shapes equal but along axis ${axis}, got ${describe(first)} and ${describe(shape)}`,
        );
      }
      extent += shape[axis];
    }
    return [{ shape: first.map((n, i) => (i === axis ? extent : n)) }];
  },
  forward(trace, inputs, [y], { axis }) {
    eachPart(inputs as Tensor[], y.shape, axis, (x, _i, loop, first) =>
      stridedCopy(trace, loop, x, trace.view(y, y.shape, first)),
    );
  },
  backward: whenTraining((trace, inputs, [y], grads, { axis }) => {
    const dy = grads.of(0)!;
    eachPart(inputs as Tensor[], y.shape, axis, (_x, i, { sizes, from, to }, first) => {
      if (grads.needs(i))
        stridedCopy(trace, { sizes, from: to, to: from }, trace.view(dy, dy.shape, first), grads.overwrite(i));
    });
  }),
};

/** Where each part of a concatenation lies in the whole. */
function eachPart(
  parts: Tensor[],
  whole: Shape,
  axis: number,
  visit: (x: Tensor, i: number, loop: StridedLoop, first: number) => void,
): void {
  const to = strides(whole);
  let first = 0;
  parts.forEach((x, i) => {
    visit(x, i, { sizes: x.shape, from: strides(x.shape), to }, first);
    first += x.shape[axis] * to[axis];
  });
}

function checkList(op: string, xs: readonly Tensor[]): void {
  if (!Array.isArray(xs)) throw new ShapeError(`${op}: expected a list of tensors, got ${typeof xs}`);
  if (xs.length === 0) throw new ShapeError(`${op}: expected at least one tensor, got none`);
}

/**
 * Tensors one after the other along an axis: [batch, time, 3] and [batch, time, 5] give [batch, time, 8].
 *
 * @param xs    at least one; their shapes are the same but for that axis
 * @param axis  the last by default; a negative one counts from the end
 * @throws ShapeError when the shapes differ elsewhere
 */
export function concat(xs: readonly Tensor[], axis = -1): Tensor {
  checkList("concat", xs);
  const trace = currentTrace("concat");
  const tensors = xs.map((x) => floatsOf(trace, tensorOf("concat", x)));
  const at = axisOf("concat", axis, tensors[0].rank);
  const [y] = apply(trace, concatOp, tensors, { axis: at });
  const known = xs.find(({ steps }) => steps);
  if (!known || at >= axesOfSteps(known).length) return keepSteps(y, ...xs);
  y.steps = stepsOfMask(trace, concat(validParts(trace, xs, axesOfSteps(known).length), at));
  return y;
}

/** The valid steps of each tensor; all of them where it knows none. */
const validParts = (trace: Trace, xs: readonly Tensor[], axes: number): Tensor[] =>
  xs.map(({ steps, shape }) =>
    steps
      ? validSteps(trace, steps, shape)
      : trace.constant(new Float32Array(sizeOf(shape.slice(0, axes))).fill(1), shape.slice(0, axes)),
  );

/**
 * Zeros, such as the state that a loop over time starts from.
 *
 * @param shape  whole numbers, such as [batch, units]
 * @throws ShapeError for other extents
 */
export function zeros(shape: Shape): Tensor {
  if (!integerList("zeros", "a shape", shape).every((extent) => extent >= 0)) {
    throw new ShapeError(`zeros: expected a shape of whole numbers, got ${describe(shape)}`);
  }
  return currentTrace("zeros").zeros(shape);
}

/**
 * Tensors of one shape along a new axis: ten of [batch, units] with axis 1 give [batch, 10, units].
 *
 * @param axis  where the new axis is in the result; 0, the first, by default
 * @throws ShapeError when the shapes differ
 */
export function stack(xs: readonly Tensor[], axis = 0): Tensor {
  checkList("stack", xs);
  const tensors = xs.map((x) => tensorOf("stack", x));
  const at = axisOf("stack", axis, tensors[0].rank + 1);
  return concat(
    tensors.map((x) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])),
    at,
  );
}
