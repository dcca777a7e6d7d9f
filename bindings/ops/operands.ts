/** What ops accept: tensors, numbers in their place, indices. */
import { ShapeError, TraceError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { describe, type Shape } from "../base/shape.ts";
import { isTensor, read, write, type Tensor } from "../graph/tensor.ts";
import { UNARY_CODES } from "../abi/unary_codes.ts";
import { isParameter } from "../graph/parameter.ts";
import type { Inputs } from "../graph/node.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";

/** A tensor, or a number where a constant will do. */
export type TensorLike = Tensor | number;

/** @throws TraceError for something that is no tensor, which is what arrays are outside a traced function */
export function tensorOf(op: string, value: unknown): Tensor {
  if (isTensor(value)) return value;
  if (isParameter(value)) return currentTrace(op).parameter(value);
  const got = typeof value === "object" && value !== null ? "an array" : shown(value);
  throw new TraceError(
    `${op}: expected a traced tensor, got ${got}; ` +
      "wrap the code in jit(module, fn), valueAndGrad or trainStep and pass arrays as its arguments",
  );
}

/** A list of whole numbers: extents, axes, places. @throws ShapeError for something else */
export function integerList(op: string, what: string, list: unknown): readonly number[] {
  if (Array.isArray(list) && [...list].every((value) => Number.isInteger(value))) return list as number[];
  throw new ShapeError(
    `${op}: expected ${what} as a list of whole numbers, got ${Array.isArray(list) ? describe(list) : shown(list)}`,
  );
}

/** A number as a tensor of the open trace. */
export function operandOf(op: string, value: TensorLike): Tensor {
  if (typeof value !== "number") return tensorOf(op, value);
  return currentTrace(op).constant(Float32Array.of(value), []);
}

export const required = (inputs: Inputs, i: number): Tensor => inputs[i]!;

/** An axis counted from the front. */
export function axisOf(op: string, axis: number, rank: number): number {
  const at = Number.isInteger(axis) && axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= rank) {
    throw new ShapeError(`${op}: expected an axis of ${-rank}…${rank - 1}, got ${shown(axis)}`);
  }
  return at;
}

/** @throws ShapeError when shapes do not broadcast together */
export function broadcastShape(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (m !== n && m !== 1 && n !== 1)
      throw new ShapeError(`${op}: expected shapes that broadcast, got ${describe(a)} and ${describe(b)}`);
    return m === 1 ? n : m;
  });
}

/**
 * A tensor of whole numbers as kernels index with them. Values of inputs are checked before every run; computed ones,
 * which nobody sees, are taken to the nearest end of the range, so that no kernel leaves its arrays.
 *
 * @param below  indices are 0…below − 1
 * @param what   what they are, for errors: "tokens"
 */
export function indicesOf(trace: Trace, tensor: Tensor, below: number, what: string): Tensor {
  if (!tensor.storage.pinned)
    return trace.once(tensor, `indices ${below}`, () => integersOf(trace, clipped(trace, tensor, below - 1)));
  trace.requireRange(tensor, { below, what });
  return integersOf(trace, tensor);
}

function clipped(trace: Trace, tensor: Tensor, most: number): Tensor {
  const y = trace.tensor(tensor.shape);
  trace.call("f32_unary_fwd", y.size, read(floatsOf(trace, tensor)), write(y), UNARY_CODES.clip, 0, most);
  return y;
}

/** The same numbers as i32. */
export function integersOf(trace: Trace, tensor: Tensor): Tensor {
  if (tensor.dtype === "i32") return tensor;
  return trace.once(tensor, "integers", () => {
    const integers = trace.tensor(tensor.shape, "i32");
    trace.call("f32_to_i32", tensor.size, read(tensor), write(integers));
    return integers;
  });
}

/** The same numbers as f32. */
export function floatsOf(trace: Trace, tensor: Tensor): Tensor {
  if (tensor.dtype !== "i32") return tensor; // int8 weights too: Trace.apply knows who takes them
  return trace.once(tensor, "floats", () => {
    const floats = trace.tensor(tensor.shape);
    trace.call("i32_to_f32", tensor.size, read(tensor), write(floats));
    floats.steps = tensor.steps;
    return floats;
  });
}
