/** Batches on their way into a model: inputs, lengths or mask, cut into batches. */
import { ShapeError, ValueError } from "../base/errors.ts";
import {
  checkFinite,
  foreignTensor,
  indexOf,
  isArrayInput,
  normalize,
  type ArrayInput,
  type Normalized,
} from "../base/ndarray.ts";
import { describe, sizeOf, type DType } from "../base/shape.ts";
import { isRecord } from "../graph/pytree.ts";
import type { ValidSteps, Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { byName, type InputConfig } from "../module/config.ts";

/** The input of a model: one array, or several as a list or, by name, a record. */
export type ModelInput = ArrayInput | readonly ArrayInput[] | Readonly<Record<string, ArrayInput>>;

/** Which steps of sequences count; `lengths` or `mask`, not both. */
export interface StepOptions {
  /**
   * Valid steps of each row [batch], 0…time: outputs beyond are 0, as with PyTorch's packed sequences. Or the first valid step
   * of each row and the one after its last [batch, 2], as `padSequences` gives them for padding in front: then as a mask.
   */
  lengths?: ArrayInput | undefined;
  /** Valid steps [batch, time], nonzero where valid: at others the former output is repeated, as in Keras. */
  mask?: ArrayInput | undefined;
}

/**
 * The arrays of an input, all with the same number of rows.
 *
 * @param inputs  what the model takes, where that is known
 * @throws ShapeError, ValueError naming the array, OptionError for a record of other inputs
 */
export function inputArrays(x: ModelInput, subject: string, inputs?: readonly InputConfig[]): Normalized[] {
  const foreign = foreignTensor(x);
  if (foreign) throw new ValueError(`${subject}: expected an array, got ${foreign}`);
  const named = !isArrayInput(x) && isRecord(x);
  const list = isArrayInput(x) ? [x] : named ? byName(expectation(subject), x, inputs) : x;
  if (!Array.isArray(list) || list.length === 0)
    throw new ValueError(
      `${subject}: expected an array or a list of arrays, got ${Array.isArray(list) ? "an empty list" : typeof x}`,
    );
  const place = (i: number): string => (named ? `.${inputs![i].name}` : list.length > 1 ? `[${i}]` : "");
  const arrays = list.map((item, i) => normalize(item as ArrayInput, `${subject}${place(i)}`));
  for (const array of arrays) {
    if (array.shape.length === 0 || array.shape[0] === 0)
      throw new ShapeError(`${subject}: expected [batch, ..] with at least one row, got ${describe(array.shape)}`);
    if (array.shape[0] !== arrays[0].shape[0])
      throw new ShapeError(`${subject}: expected ${arrays[0].shape[0]} rows in every array, got ${array.shape[0]}`);
    if (array.dtype === "f32") checkFinite(array, subject);
  }
  return arrays;
}

/** `"predict: x"` as errors about it begin: "predict: expected x". */
const expectation = (subject: string): string => subject.replace(": ", ": expected ");

/** The same numbers as floats or as integers. @throws ValueError for one that is not whole */
export function asDType(array: Normalized, dtype: DType, subject: string): Normalized {
  const { data, shape } = array;
  if (array.dtype === dtype) return array;
  if (dtype === "f32") return { shape, dtype, data: Float32Array.from(data) };
  const bad = data.findIndex((value) => !Number.isInteger(value));
  if (bad >= 0)
    throw new ValueError(`${subject}: expected whole numbers, got ${data[bad]} at ${describe(indexOf(bad, shape))}`);
  return { shape, dtype, data: Int32Array.from(data) };
}

/** Whole numbers as i32, whatever they came as. */
const integers = (value: ArrayInput, subject: string): Normalized => asDType(normalize(value, subject), "i32", subject);

/** A mask [batch, time] of the steps start…end − 1 of each row. @throws ValueError for ends out of range */
function maskOfRanges(ranges: ArrayLike<number>, T: number, subject: string): Normalized {
  const rows = ranges.length / 2;
  const data = new Int32Array(rows * T);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [ranges[2 * row], ranges[2 * row + 1]];
    if (!(start >= 0 && start <= end && end <= T))
      throw new ValueError(
        `${subject}: expected lengths of 0 ≤ first ≤ end ≤ ${T}, got ${describe([start, end])} for row ${row}`,
      );
    data.fill(1, row * T + start, row * T + end);
  }
  return { data, shape: [rows, T], dtype: "i32" };
}

/**
 * Lengths or mask of a batch.
 *
 * @throws ValueError for both at once and for lengths out of range
 * @throws ShapeError when they do not fit the input
 */
export function stepArrays(
  { lengths, mask }: StepOptions,
  [B, T]: readonly number[],
  subject: string,
): { lengths?: Normalized; mask?: Normalized } {
  if (lengths !== undefined && mask !== undefined)
    throw new ValueError(`${subject}: expected lengths or a mask, got both`);
  if (lengths !== undefined) {
    const array = integers(lengths, `${subject}: lengths`);
    if (array.shape.length === 2 && array.shape[0] === B && array.shape[1] === 2)
      return { mask: maskOfRanges(array.data, T, subject) };
    if (array.shape.length !== 1 || array.shape[0] !== B)
      throw new ShapeError(`${subject}: expected lengths [${B}], got ${describe(array.shape)}`);
    const bad = array.data.findIndex((length) => length < 0 || length > T);
    if (bad >= 0) throw new ValueError(`${subject}: expected lengths of 0…${T}, got ${array.data[bad]} for row ${bad}`);
    return { lengths: array };
  }
  if (mask === undefined) return {};
  const array = integers(mask, `${subject}: mask`);
  if (array.shape.length !== 2 || array.shape[0] !== B || array.shape[1] !== T)
    throw new ShapeError(`${subject}: expected mask [${B}, ${T}], got ${describe(array.shape)}`);
  return { mask: array };
}

/** Inputs and their steps, each with the name that errors give it. */
export function namedArrays(
  subject: string,
  x: readonly Normalized[],
  steps: Readonly<Record<string, Normalized>>,
): [name: string, array: Normalized][] {
  const inputs = x.map((array, i): [string, Normalized] => [x.length > 1 ? `x[${i}]` : "x", array]);
  return [...inputs, ...Object.entries(steps)].map(([name, array]) => [`${subject}: ${name}`, array]);
}

/** Rows start…end − 1 of an array, without a copy. */
export function rowsOf(array: Normalized, start: number, end: number): Normalized {
  const { data, shape, dtype } = array;
  if (end - start === shape[0]) return array;
  const width = data.length / shape[0];
  return { data: data.subarray(start * width, end * width), shape: [end - start, ...shape.slice(1)], dtype };
}

/** Copies of start…end − 1 along the second axis. */
export function columnsOf(
  { data, shape: [rows, columns, ...rest], dtype }: Normalized,
  start: number,
  end: number,
): Normalized {
  const width = sizeOf(rest);
  const size = (end - start) * width;
  const out = dtype === "i32" ? new Int32Array(rows * size) : new Float32Array(rows * size);
  for (let row = 0; row < rows; row++)
    out.set(data.subarray((row * columns + start) * width, (row * columns + end) * width), row * size);
  return { data: out, shape: [rows, end - start, ...rest], dtype };
}

/** Says which steps of the inputs count, for the layers that ask. */
export function attachSteps(inputs: readonly Tensor[], { lengths, mask }: ValidSteps): void {
  if (!lengths && !mask) return;
  const [first] = inputs;
  first.steps = lengths ? { lengths } : { mask: mask! };
  currentTrace("lengths").givenSteps = { steps: first.steps, shape: first.shape.slice(0, 2) };
}
