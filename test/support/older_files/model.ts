/** What a model of `test/fixtures/older_files` consists of, and the arrays it runs on. */
import type * as gatewise from "../../../bindings/index.ts";
import type { CompileOptions, FitOptions, Module, NDArray, StepOptions } from "../../../bindings/index.ts";
import { real } from "../numbers.ts";

/** The package: the sources in a test, an older build when fixtures are written. */
export type Gatewise = typeof gatewise;

export type Input = NDArray<Float32Array | Int32Array>;

/** How a model is trained. Of this, a file holds only the state of the optimizer. */
export interface Training {
  readonly y: Input;
  readonly compile: CompileOptions;
  /** Options of `fit` besides two epochs with batches of two rows. */
  readonly fit?: FitOptions;
}

export interface OlderModel {
  /** Name of its file. */
  readonly name: string;
  /** Makes the model with the weights that its seed gives. */
  readonly make: (gatewise: Gatewise) => Module;
  readonly x: Input;
  /** Absent for a model that only predicts. */
  readonly training?: (gatewise: Gatewise) => Training;
  /** Lengths or a mask for a second `predict`. */
  readonly steps?: StepOptions;
  /** `predict` runs once more, from the states that the first run left. */
  readonly stateful?: boolean;
  /** `stream` runs too. */
  readonly streams?: boolean;
  /** The file holds the weights of a Module subclass, which `load` reads and `loadModel` does not. */
  readonly subclass?: boolean;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, extent) => size * extent, 1);

/** Numbers from −scale to scale. */
export const floats = (shape: number[], salt = 0, scale = 1): NDArray => ({
  data: real(sizeOf(shape), salt, scale),
  shape,
});

/** Integers from 0 to below − 1. */
export function integers(shape: number[], below: number, salt = 0): NDArray<Int32Array> {
  const data = Int32Array.from(real(sizeOf(shape), salt), (value) => Math.floor(((value + 1) / 2) * below) % below);
  return { data, shape };
}

/** Zeros and ones as floats. */
export const bits = (shape: number[], salt = 0): NDArray => ({
  data: Float32Array.from(integers(shape, 2, salt).data),
  shape,
});

/** Class `labels` as rows of zeros with a one. */
export function oneHot({ data, shape }: NDArray<Int32Array>, classes: number): NDArray {
  const rows = new Float32Array(data.length * classes);
  data.forEach((label, i) => (rows[i * classes + label] = 1));
  return { data: rows, shape: [...shape, classes] };
}

/** Sequences of four rows, six steps and three features. */
export const [B, T, I] = [4, 6, 3];
export const x = floats([B, T, I], 1);
export const inputShape = [null, I];
export const lengths = Int32Array.of(6, 0, 3, 5);
/** A mask with holes and a row without any valid step. */
export const mask = [
  [1, 1, 0, 1, 1, 0],
  [0, 0, 0, 0, 0, 0],
  [0, 1, 1, 1, 1, 1],
  [1, 0, 1, 0, 1, 0],
];

/** Targets of the last step. */
export const last = (units: number): NDArray => floats([B, units], 2);
/** Targets of every step. */
export const every = (units: number): NDArray => floats([B, T, units], 3);
