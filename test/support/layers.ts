/** Layers called by themselves on arrays, with weights of one seed, and rows and steps of what they give. */
import type { Test } from "uvu";
import { jit, type Layer, type Module, type NDArray, type Tensor } from "../../bindings/index.ts";

/** What a call of a recurrent layer takes beside its input. */
export interface LayerCall {
  lengths?: number[];
  mask?: NDArray<Int32Array>;
  initialState?: NDArray[];
}

/** Calls a layer on arrays; gives all of its outputs. */
export function callLayer(layer: Module, x: NDArray, { lengths, ...rest }: LayerCall = {}): NDArray[] {
  const call = jit(layer, (input: Tensor, options: object) =>
    [(layer as Layer).call(input, options) as Tensor | Tensor[]].flat(),
  );
  return call(x, { ...rest, lengths: lengths && Int32Array.from(lengths) }) as NDArray[];
}

const made: Module[] = [];

/** A module that {@link disposeSeeded} disposes of, with the same weights each time unless it is built already. */
export function seeded<M extends Module>(module: M): M {
  if (!module.built) module.seed = 7;
  made.push(module);
  return module;
}

/** Disposes of all {@link seeded} modules after each test of a suite. */
export function disposeSeeded(test: Test): void {
  test.after.each(() => made.splice(0).forEach((module) => module.dispose()));
}

export const maskOf = (mask: number[][]): NDArray<Int32Array> => ({
  data: Int32Array.from(mask.flat()),
  shape: [mask.length, mask[0].length],
});

/** Steps of each row in another order. */
export function reversed({ data, shape: [n, steps, width] }: NDArray): NDArray {
  return {
    data: Float32Array.from(data, (_, i) => {
      const [b, t, k] = [Math.floor(i / (steps * width)), Math.floor(i / width) % steps, i % width];
      return data[(b * steps + steps - 1 - t) * width + k];
    }),
    shape: [n, steps, width],
  };
}

/** Step t of row b. */
export const stepOf = ({ data, shape }: NDArray, b: number, t: number): Float32Array =>
  data.subarray((b * shape[1] + t) * shape[2], (b * shape[1] + t + 1) * shape[2]);

/** Row b of states. */
export const rowOf = ({ data, shape }: NDArray, b: number): Float32Array =>
  data.subarray(b * shape[1], (b + 1) * shape[1]);
