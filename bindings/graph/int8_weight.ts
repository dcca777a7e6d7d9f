/** Weights in 8 bits: integers of −127…127 and a scale for each column, or for each row of a table. */
import type { Shape } from "../base/shape.ts";

/** Bits of what int8 weights are multiplied with. */
export type Activations = "mixed" | 7 | 14;

/** What a weight is used for, which says how it may be quantised. */
export type Int8Role = "input" | "state" | "table";

/** Weights that are kept in 8 bits when they are created, by name. */
export interface Int8Names {
  readonly names: ReadonlySet<string>;
  readonly activations: Activations;
}

/** How a weight is kept in 8 bits. */
export interface Int8Format {
  /** Bits of the other operand. */
  readonly bits: 7 | 14;
  /** Along which axis there is a scale for each entry: rows of tables, columns of matrices. */
  readonly axis: 0 | 1;
}

/** A weight in 8 bits. */
export interface Int8Weight {
  readonly data: Int8Array;
  readonly scales: Float32Array;
}

export const int8Format = (role: Int8Role, activations: Activations): Int8Format => ({
  bits: activations === "mixed" ? (role === "state" ? 7 : 14) : activations,
  axis: role === "table" ? 0 : 1,
});

/** Which scale an element has. */
const scaleIndex =
  ([, columns]: Shape, axis: 0 | 1) =>
  (i: number): number =>
    axis === 0 ? Math.floor(i / columns) : i % columns;

/** w ≈ scale · integer: the largest of each column (or row) is ±127. */
export function quantizeWeight(w: Float32Array, shape: Shape, { axis }: Int8Format): Int8Weight {
  const indexOf = scaleIndex(shape, axis);
  const largest = new Float32Array(shape[axis]);
  w.forEach((value, i) => {
    largest[indexOf(i)] = Math.max(largest[indexOf(i)], Math.abs(value));
  });
  const scales = largest.map((value) => value / 127);
  const data = Int8Array.from(w, (value, i) => {
    const most = largest[indexOf(i)];
    return most === 0 ? 0 : Math.round((value * 127) / most);
  });
  return { data, scales };
}

/** The floats that the integers stand for. */
export function dequantizeWeight({ data, scales }: Int8Weight, shape: Shape, { axis }: Int8Format): Float32Array {
  const indexOf = scaleIndex(shape, axis);
  return Float32Array.from(data, (value, i) => value * scales[indexOf(i)]);
}
