/** Arrays in plain JavaScript, element by element from a formula: what ops are compared with. */
import type { Normalized } from "../../../bindings/base/ndarray.ts";
import { real } from "../numbers.ts";

/** A row-major array. */
export interface Plain {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** The array whose element at every index is f(index). */
export function tabulate(shape: readonly number[], f: (...index: number[]) => number): Plain {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: size }, (_, i) => {
    const index: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      index.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    return f(...index);
  });
  return { data, shape };
}

/** The element at an index of the shape that x is broadcast to. */
export function at({ data, shape }: Plain, ...index: number[]): number {
  const own = index.slice(index.length - shape.length);
  return data[own.reduce((offset, i, axis) => offset * shape[axis] + (shape[axis] === 1 ? 0 : i), 0)];
}

/** Σ f(i) for i < n. */
export function total(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
}

let salt = 0;

const input = (shape: readonly number[], f: (x: number, i: number, n: number) => number): Normalized => {
  const data = real(
    shape.reduce((a, b) => a * b, 1),
    ++salt,
  );
  return { data: data.map((x, i) => f(x, i, data.length)), shape, dtype: "f32" };
};

/** Reals in −scale…scale. */
export const floats = (shape: readonly number[], scale = 1): Normalized => input(shape, (x) => x * scale);

/** Reals of magnitude 0.2…1.2: at a distance from kinks and poles at 0. */
export const apart = (shape: readonly number[]): Normalized => input(shape, (x) => x + 0.2 * (Math.sign(x) || 1));

/** Reals in 0.2…1.2. */
export const positives = (shape: readonly number[]): Normalized => input(shape, (x) => Math.abs(x) + 0.2);

/** Multiples of 1/n in −1…1, no two alike: no ties. */
export const distinct = (shape: readonly number[]): Normalized =>
  input(shape, (_x, i, n) => (2 * ((i * 7919) % n) - n + 1) / n);

export const integers = (shape: readonly number[], values: ArrayLike<number>): Normalized => ({
  data: Int32Array.from(values),
  shape,
  dtype: "i32",
});
