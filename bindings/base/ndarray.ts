/** Arrays as users give and get them. */
import { ShapeError, ValueError } from "./errors.ts";
import { shown } from "./formatting.ts";
import { describe, sizeOf, type DType, type Shape } from "./shape.ts";

/** Any typed array: floats are rounded to f32, integers are tokens, labels or lengths. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** Nested lists of numbers, as regular as a matrix. */
export type Nested = number | readonly Nested[];

/** An array given to gatewise: nested numbers, a typed array (rank 1), or a typed array with its shape. */
export type ArrayInput = Nested | TypedArray | ShapedInput;

/** Numbers in a row with the shape that they fill. */
export interface ShapedInput<D extends TypedArray | readonly number[] = TypedArray | readonly number[]> {
  /** The numbers, row by row. */
  readonly data: D;
  /** Extent of each axis. */
  readonly shape: Shape;
}

/** An array that gatewise returns: the caller's own copy, row-major. */
export interface NDArray<D extends Float32Array | Int32Array = Float32Array> {
  /** The numbers, row by row. */
  readonly data: D;
  /** Extent of each axis. */
  readonly shape: number[];
}

/** An input in the form that ports write: floats are rounded to f32, integers are i32. */
export interface Normalized {
  readonly data: Float32Array | Int32Array;
  readonly shape: Shape;
  readonly dtype: DType;
}

export const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array);

/** @throws ValueError for an array whose buffer was transferred, for instance to a worker: it would look empty */
export function checkAttached(array: TypedArray, subject: string): void {
  if (array.length > 0) return;
  try {
    array.fill(0);
  } catch {
    throw new ValueError(`${subject}: expected numbers, got an array whose buffer was transferred`);
  }
}

/** What the tensor of another library is, and what to give instead; undefined for anything else. */
export function foreignTensor(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined;
  if ("dataSync" in value) return "a tensor of TensorFlow.js; give { data: tensor.dataSync(), shape: tensor.shape }";
  if ("dims" in value && "data" in value)
    return "a tensor of ONNX Runtime; give { data: tensor.data, shape: tensor.dims }";
  if ("refCount" in value && "js" in value) return "an array of jax-js; give what its js() returns";
  return undefined;
}

const isShaped = (value: unknown): value is { data: TypedArray | readonly number[]; shape: Shape } =>
  typeof value === "object" && value !== null && "data" in value && "shape" in value;

/** More axes, and lists within lists, than anything has; what goes deeper holds itself. */
export const DEEPEST = 32;

/** Whether a value is one array, rather than a list or record of several. */
export function isArrayInput(value: unknown, depth = 0): value is ArrayInput {
  if (typeof value === "number" || isTypedArray(value) || isShaped(value)) return true;
  if (!Array.isArray(value) || value.length === 0) return false;
  return (
    depth > DEEPEST ||
    value.every((item) => (Array.isArray(item) || typeof item === "number") && isArrayInput(item, depth + 1))
  );
}

/** Rounds floats to f32 and takes every integer type as i32. */
function round(data: TypedArray): { data: Float32Array | Int32Array; dtype: DType } {
  if (data instanceof Float32Array) return { data, dtype: "f32" };
  if (data instanceof Int32Array) return { data, dtype: "i32" };
  return data instanceof Float64Array
    ? { data: Float32Array.from(data), dtype: "f32" }
    : { data: Int32Array.from(data), dtype: "i32" };
}

function nestedShape(value: Nested): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < DEEPEST; inner = inner[0] as Nested)
    shape.push(inner.length);
  return shape;
}

/** Copies nested numbers into `out`, holding every level to the shape of the first one. */
function flatten(
  value: Nested,
  shape: readonly number[],
  depth: number,
  out: Float64Array,
  at: number,
  subject: string,
): number {
  if (depth === shape.length) {
    if (Array.isArray(value))
      throw new ShapeError(`${subject}: expected nested arrays of shape ${describe(shape)}, got a deeper level`);
    if (typeof value !== "number")
      throw new ValueError(
        `${subject}: expected numbers, got ${typeof value === "string" ? JSON.stringify(value) : shown(value)}`,
      );
    out[at] = value;
    return at + 1;
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) {
    const place = indexOf(at / sizeOf(shape.slice(depth)), shape.slice(0, depth));
    const where = depth === 1 ? `row ${place[0]}` : describe(place);
    const got = Array.isArray(value) ? `${value.length}` : `a ${typeof value}`;
    const help = "; padSequences of gatewise/data makes sequences equally long, and gives the lengths to pass along";
    throw new ShapeError(
      `${subject}: expected nested arrays of shape ${describe(shape)}, as the first of each has it, ` +
        `got ${got} in ${where}${depth === 1 && Array.isArray(value) ? help : ""}`,
    );
  }
  for (const item of value) at = flatten(item, shape, depth + 1, out, at, subject);
  return at;
}

/**
 * Any accepted form as a typed array with its shape. Typed arrays are neither copied nor rounded.
 *
 * @param subject  what the array is, for errors: `fit: x`
 * @throws ShapeError for ragged nests and for data that do not fill their shape
 */
export function readArray(value: ArrayInput, subject: string): { data: TypedArray; shape: Shape } {
  if (isTypedArray(value)) {
    checkAttached(value, subject);
    return { data: value, shape: [value.length] };
  }
  if (isShaped(value)) {
    const shape = Array.isArray(value.shape) ? [...(value.shape as Shape)] : [NaN];
    if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
      const got = Array.isArray(value.shape) ? describe(shape) : shown(value.shape);
      throw new ShapeError(`${subject}: expected a shape of whole numbers, got ${got}`);
    }
    const { data } = value;
    if (!isTypedArray(data) && !Array.isArray(data)) {
      throw new ValueError(`${subject}: expected a typed array or numbers as data, got ${typeof data}`);
    }
    if (isTypedArray(data)) checkAttached(data, subject);
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError(
        `${subject}: expected ${sizeOf(shape)} elements for shape ${describe(shape)}, got ${data.length}`,
      );
    }
    return { data: isTypedArray(data) ? data : Float64Array.from(data), shape };
  }
  if (typeof value !== "number" && !Array.isArray(value)) {
    const got = foreignTensor(value) ?? (value === null ? "null" : typeof value);
    throw new ValueError(`${subject}: expected numbers, nested arrays, a typed array or { data, shape }, got ${got}`);
  }
  const shape = nestedShape(value);
  const data = new Float64Array(sizeOf(shape));
  flatten(value, shape, 0, data, 0, subject);
  return { data, shape };
}

/** {@link readArray} in the form that ports write: f32 or i32. */
export function normalize(value: ArrayInput, subject: string): Normalized {
  const { data, shape } = readArray(value, subject);
  return { ...round(data), shape };
}

/**
 * True if all numbers are finite: 0 times a number is 0 then, else NaN, which stays in a sum. Four sums, so that
 * additions need not wait for each other (measured: a fifth of the time of a test of every number).
 */
function allFinite(data: TypedArray): boolean {
  const whole = data.length & ~3;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += data[i] * 0;
    b += data[i + 1] * 0;
    c += data[i + 2] * 0;
    d += data[i + 3] * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i] * 0;
  return a + b + c + d === 0;
}

/** @throws ValueError naming the first element that is NaN or infinite */
export function checkFinite(
  { data, shape }: { readonly data: TypedArray; readonly shape: Shape },
  subject: string,
): void {
  if (allFinite(data)) return;
  const i = data.findIndex((value) => !Number.isFinite(value));
  throw new ValueError(`${subject}: expected finite numbers, got ${data[i]} at ${describe(indexOf(i, shape))}`);
}

/** The index of the i-th element of a row-major array. */
export function indexOf(i: number, shape: Shape): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(i % shape[axis]);
    i = Math.floor(i / shape[axis]);
  }
  return index;
}
