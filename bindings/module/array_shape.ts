/** Arrays of which only the extents matter, for what is traced before there is anything to compute. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";
import type { NDArray } from "../base/ndarray.ts";
import { byName, type InputConfig } from "./config.ts";
import { checkRoom, describe, sizeOf, type DType, type Shape } from "../base/shape.ts";

/** Extents with the batch in front; of floats, or of integers as tokens and labels are. */
export type ArrayShape = Shape | TypedShape;

/** Extents of an array, and what it holds. */
export interface TypedShape {
  /** Extents with the batch in front. */
  readonly shape: Shape;
  /** Floats or integers; when absent what the model takes there, floats in a Module of one's own. */
  readonly dtype?: DType;
}

/** Extents of one input, or of several as a list or, by name, a record. */
export type InputShapes = ArrayShape | readonly ArrayShape[] | Readonly<Record<string, ArrayShape>>;

/**
 * Arrays of zeros for the inputs of a model.
 *
 * @param expected  how errors begin: "memory: expected x"
 * @param inputs    what the model takes, where that is known
 * @throws ShapeError, OptionError for extents that are none, and inputs that the model does not have
 */
export function inputZeros(
  given: InputShapes,
  expected: string,
  inputs: readonly InputConfig[] | undefined,
): NDArray<Float32Array | Int32Array>[] {
  const type = (i: number): DType => inputs?.[i]?.dtype ?? "f32";
  if (Array.isArray(given) && typeof given[0] === "object")
    return (given as readonly ArrayShape[]).map((shape, i) => zerosOf(shape, expected, type(i)));
  if (Array.isArray(given) || typeof given !== "object" || given === null || "shape" in given)
    return [zerosOf(given as ArrayShape, expected, type(0))];
  const named = byName(expected, given as Readonly<Record<string, ArrayShape>>, inputs);
  return named.map((shape, i) => zerosOf(shape, expected, type(i)));
}

/**
 * An array of zeros, which costs nothing until it is touched.
 *
 * @param expected   how the error begins: "memory: expected x"
 * @param otherwise  what it holds when that is not given
 */
export function zerosOf(
  given: ArrayShape,
  expected: string,
  otherwise: DType = "f32",
): NDArray<Float32Array | Int32Array> {
  const { shape, dtype = otherwise } = Array.isArray(given) ? { shape: given as Shape } : (Object(given) as TypedShape);
  const fits =
    Array.isArray(shape) && shape.length > 0 && shape.every((extent) => Number.isInteger(extent) && extent > 0);
  if (!fits)
    throw new ShapeError(
      `${expected} as extents with the batch in front, got ${Array.isArray(shape) ? describe(shape) : shown(given)}`,
    );
  if (dtype !== "f32" && dtype !== "i32")
    throw new OptionError(`${expected} of dtype "f32" or "i32", got ${quoted(dtype)}`);
  checkRoom(expected.replace(/:.*/, ""), shape);
  return { data: dtype === "i32" ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)), shape: [...shape] };
}
