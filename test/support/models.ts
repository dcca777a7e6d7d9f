/** Small models and data for tests of everything above layers. */
import * as assert from "uvu/assert";
import { layers, optimizers, sequential, type NDArray } from "../../bindings/index.ts";
import { real, same } from "./numbers.ts";

/** Real numbers of a shape, in −scale…scale. */
export const floats = (shape: number[], salt = 0, scale = 1): NDArray => ({
  data: real(
    shape.reduce((n, extent) => n * extent, 1),
    salt,
    scale,
  ),
  shape,
});

/** Tokens of 0…below − 1 of a shape. */
export function tokens(shape: number[], below: number, salt = 0): NDArray<Int32Array> {
  const { data } = floats(shape, salt);
  return { data: Int32Array.from(data, (x) => Math.floor(((x + 1) / 2) * below) % below), shape };
}

/** A model of sequences of 3 features, compiled. */
export function trainable(units = 4) {
  const model = sequential([layers.gru({ units }), layers.dense({ units: 1 })], { seed: 1, inputShape: [null, 3] });
  model.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 0.01 }) });
  return model;
}

type Weights = Record<string, NDArray>;

/** The same weights, bit for bit. */
export function sameWeights(actual: Weights, expected: Weights, what = "weights"): void {
  assert.equal(Object.keys(actual), Object.keys(expected));
  for (const [name, { data, shape }] of Object.entries(expected)) {
    assert.equal(actual[name].shape, shape, name);
    same(actual[name].data, data, `${what}: ${name}`);
  }
}

/** Whether any weight differs. */
export const differ = (a: Weights, b: Weights): boolean =>
  Object.entries(a).some(([name, { data }]) => data.some((value, i) => !Object.is(value, b[name].data[i])));

/** Rows start…end − 1 of an array. */
export function rows<A extends Float32Array | Int32Array>(
  { data, shape }: NDArray<A>,
  start: number,
  end: number,
): NDArray<A> {
  const width = data.length / shape[0];
  return { data: data.slice(start * width, end * width) as A, shape: [end - start, ...shape.slice(1)] };
}
