/** What an LSTM has beyond other recurrent layers: the bias of its forget gate, a cell state, peepholes. */
import * as assert from "uvu/assert";
import { layers } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { callLayer, disposeSeeded, rowOf, seeded, stepOf } from "../support/layers.ts";
import { floats } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, I, H] = [3, 5, 4, 6];
const x = floats([B, T, I], 1);

eachBackend("LSTM", (test) => {
  disposeSeeded(test);

  test("unitForgetBias adds 1 to the initial bias of the forget gate only", () => {
    const bias = (options: object): Float32Array => {
      const layer = seeded(layers.lstm({ units: H, ...options }));
      layer.predict(x);
      return layer.getWeights().bias.data;
    };
    same(
      bias({}),
      Float32Array.from({ length: 4 * H }, (_, i) => +(i >= H && i < 2 * H)),
    );
    same(bias({ unitForgetBias: false }), new Float32Array(4 * H));
  });

  test("returnState gives the output, then h, then c", () => {
    const [output, h, c] = callLayer(
      seeded(layers.lstm({ units: H, biasInitializer: "glorotUniform", returnState: true, goBackwards: true })),
      x,
    );
    same(h.data, output.data);
    assert.ok(c.data.some((value, i) => value !== h.data[i]));
  });

  for (const useBias of [true, false]) {
    test(`peepholes ${useBias ? "with" : "without"} a bias: i and f see the cell before, o the one after`, () => {
      const layer = seeded(
        layers.lstm({
          units: H,
          peepholes: true,
          useBias,
          returnSequences: true,
          returnState: true,
          biasInitializer: "glorotUniform",
        }),
      );
      const [sequence, , cell] = callLayer(layer, x);
      const w = layer.getWeights();
      const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
      for (let b = 0; b < B; b++) {
        let [h, c] = [new Float64Array(H), new Float64Array(H)];
        for (let t = 0; t < T; t++) {
          const z = Array.from({ length: 4 * H }, (_, m) => {
            let sum = useBias ? w.bias.data[m] : 0;
            for (let i = 0; i < I; i++) sum += stepOf(x, b, t)[i] * w.kernel.data[i * 4 * H + m];
            for (let k = 0; k < H; k++) sum += h[k] * w.recurrent_kernel.data[k * 4 * H + m];
            return sum;
          });
          const next = c.map(
            (old, j) =>
              sigmoid(z[H + j] + w.peephole_f.data[j] * old) * old +
              sigmoid(z[j] + w.peephole_i.data[j] * old) * Math.tanh(z[2 * H + j]),
          );
          h = next.map((value, j) => sigmoid(z[3 * H + j] + w.peephole_o.data[j] * value) * Math.tanh(value));
          c = next;
          close(stepOf(sequence, b, t), h, 1e-5, `row ${b} step ${t}`);
        }
        close(rowOf(cell, b), c, 1e-5, `cell of row ${b}`);
      }
    });
  }
});
