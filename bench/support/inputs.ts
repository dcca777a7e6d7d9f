/** Inputs that are the same numbers in every run and in every engine. */
import type { NDArray } from "../../bindings/index.ts";

const count = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** `n` numbers in -0.5…0.5 that look like activations. */
export const wave = (n: number, phase = 0): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 1.7 + phase));

/** The same numbers as an array of a shape. */
export const waves = (shape: number[], phase = 0): NDArray<Float32Array> => ({
  data: wave(count(shape), phase),
  shape,
});

/** Tokens in 0…below - 1 as an array of a shape. */
export const tokens = (shape: number[], below: number): NDArray<Int32Array> => ({
  data: Int32Array.from({ length: count(shape) }, (_, i) => (i * i + 7 * i) % below),
  shape,
});
