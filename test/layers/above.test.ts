/** Stacked recurrent layers: each reads the outputs of the one below, forward or backward, however computed. */
import { cells, jit, layers, sequential, type Layer, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close, real } from "../support/numbers.ts";

const [B, T, I, H] = [3, 6, 2, 4];
const x: NDArray = { data: real(B * T * I, 1), shape: [B, T, I] };
const mask = { data: Int32Array.from([1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]), shape: [B, T] };

/** By kernels, by its equations, and a stack of both. */
const LAYERS: Record<string, (options: object) => Layer> = {
  gru: (options) => layers.gru({ units: H, ...options }),
  "lstm of softmax": (options) => layers.lstm({ units: H, activation: "softmax", ...options }),
  "lstm, two layers": (options) => layers.lstm({ units: H, numLayers: 2, ...options }),
  "a stack": (options) =>
    layers.rnn({
      cell: [
        cells.lstm({ units: 3, activation: "softmax" }),
        cells.simpleRNN({ units: H }),
        cells.gru({ units: H, activation: "softmax" }),
      ],
      ...options,
    }),
};

const ORDERS = [
  [true, true],
  [true, false],
  [false, true],
];

const reversed = ({ data, shape: [rows, steps, width] }: NDArray): NDArray => ({
  data: data.map(
    (_, i) =>
      data[
        Math.floor(i / (steps * width)) * steps * width +
          (steps - 1 - (Math.floor(i / width) % steps)) * width +
          (i % width)
      ],
  ),
  shape: [rows, steps, width],
});

const run = (layer: Layer, input: NDArray, steps: object): NDArray =>
  jit(layer, (tensor: Tensor, given: object) => layer.call(tensor, given) as Tensor)(input, steps) as NDArray;

eachBackend("layers over time on top of each other", (test) => {
  for (const [below, makeBelow] of Object.entries(LAYERS)) {
    for (const [above, makeAbove] of Object.entries(LAYERS)) {
      test(`${above} on ${below}: the same as one after the other by hand`, () => {
        for (const [first, second] of ORDERS) {
          for (const steps of [{}, { mask }]) {
            const [lower, upper] = [
              makeBelow({ goBackwards: first, returnSequences: true }),
              makeAbove({ goBackwards: second, returnSequences: true }),
            ];
            const both = sequential([lower, upper], { inputShape: [null, I], seed: 5 });
            const expected = run(upper, run(lower, x, steps), steps);
            close(
              both.predict(x, steps).data,
              expected.data,
              1e-6,
              `${String(first)} ${String(second)} ${Object.keys(steps).join()}`,
            );
            both.dispose();
          }
        }
      });
    }
  }

  for (const [name, make] of Object.entries(LAYERS)) {
    test(`${name}: backwards is forwards on the reversed sequence`, () => {
      for (const returnSequences of [true, false]) {
        const [backwards, forwards] = [true, false].map((goBackwards) =>
          sequential([make({ goBackwards, returnSequences })], { inputShape: [null, I], seed: 5 }),
        );
        close(backwards.predict(x).data, forwards.predict(reversed(x)).data, 1e-6);
        const turned = {
          data: mask.data.map((_, i) => mask.data[Math.floor(i / T) * T + T - 1 - (i % T)]),
          shape: [B, T],
        };
        close(backwards.predict(x, { mask }).data, forwards.predict(reversed(x), { mask: turned }).data, 1e-6, "mask");
        backwards.dispose();
        forwards.dispose();
      }
    });
  }
});
