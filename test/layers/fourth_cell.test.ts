/** A cell from outside the library, by its definition alone: the minimal gated unit (Zhou et al. 2016). */
import * as assert from "uvu/assert";
import { layers, sequential, type NDArray } from "../../bindings/index.ts";
import { columns, type CellDefinition } from "../../bindings/layers/rnn/cell.ts";
import { cellLayer } from "../../bindings/layers/rnn/cell_layer.ts";
import { biasOf, defineCell, kernels, stateH, type GatedCellOptions } from "../../bindings/layers/rnn/cell_options.ts";
import { recurrentLayer } from "../../bindings/layers/rnn/recurrent_layer.ts";
import { Cell, Layer } from "../../bindings/models/layer.ts";
import { add, affine, mul } from "../../bindings/ops/elementwise.ts";
import { matmul } from "../../bindings/ops/linear.ts";
import { eachBackend } from "../support/backends.ts";
import { close, real } from "../support/numbers.ts";

const minimalGatedUnit: CellDefinition<GatedCellOptions> = defineCell<GatedCellOptions>({
  type: "mgu",
  prefix: "mgu",
  defaults: { recurrentActivation: "sigmoid" },
  gates: ["f", "n"],
  states: stateH,
  parameters: (config, features) => ({ ...kernels(config, features, 2), ...biasOf(config, [2 * config.units]) }),
  step({ config: { units }, weights: { recurrent_kernel: U }, gate, candidate, dropped }, x, [h0]) {
    const hd = dropped(h0);
    const f = gate("f", add(columns(x, 0, units), matmul(hd, columns(U, 0, units))));
    const n = candidate("n", add(columns(x, 1, units), matmul(mul(f, hd), columns(U, 1, units))));
    const h = add(mul(affine(f, -1, 1), h0), mul(f, n));
    return [h, [h]];
  },
});

const [B, T, I, H] = [2, 4, 3, 5];
const options = { units: H, biasInitializer: "randomNormal" };
const x = { data: real(B * T * I, 1), shape: [B, T, I] };

/** Outputs [B, T, H] by the formula. */
function expected(weights: Record<string, NDArray>): number[] {
  const [W, U, b] = ["kernel", "recurrent_kernel", "bias"].map(
    (name) => Object.entries(weights).find(([path]) => path.split("/").at(-1) === name)![1].data,
  );
  const out: number[] = [];
  for (let row = 0; row < B; row++) {
    let h = Array<number>(H).fill(0);
    for (let t = 0; t < T; t++) {
      const pre = (column: number, state: readonly number[]): number => {
        let sum = b[column];
        for (let i = 0; i < I; i++) sum += x.data[(row * T + t) * I + i] * W[i * 2 * H + column];
        for (let j = 0; j < H; j++) sum += state[j] * U[j * 2 * H + column];
        return sum;
      };
      const before = h;
      const f = before.map((_, k) => 1 / (1 + Math.exp(-pre(k, before))));
      const reset = before.map((value, k) => f[k] * value);
      h = before.map((value, k) => (1 - f[k]) * value + f[k] * Math.tanh(pre(H + k, reset)));
      out.push(...h);
    }
  }
  return out;
}

eachBackend("a fourth cell", (test) => {
  const made = {
    "as a layer": () => new Layer(recurrentLayer(minimalGatedUnit), { ...options, returnSequences: true }),
    "in layers.rnn": () => layers.rnn({ cell: new Cell(cellLayer(minimalGatedUnit), options), returnSequences: true }),
  };
  for (const [how, make] of Object.entries(made)) {
    test(`${how}: sequences and streams by its equations`, () => {
      const model = sequential([make()], { inputShape: [null, I], seed: 1 });
      const values = expected(model.getWeights());
      close(model.predict(x).data, values, 1e-5, how);
      const stream = model.stream({ batch: B });
      for (let t = 0; t < T; t++) {
        const rows = Array.from({ length: B }, (_, row) => row * T + t);
        const frame = rows.flatMap((at) => [...x.data.slice(at * I, (at + 1) * I)]);
        const outputs = rows.flatMap((at) => values.slice(at * H, (at + 1) * H));
        close(stream.step(frame), outputs, 1e-5, `step ${t}`);
      }
      model.dispose();
    });
  }

  test("stacks, trains, and shows its gates to inspect", () => {
    const layer = new Layer(recurrentLayer(minimalGatedUnit), { units: H, numLayers: 2, dropout: 0.1 });
    const model = sequential([layer], { inputShape: [null, I], seed: 1 });
    assert.equal(
      Object.keys(model.getWeights()).map((path) => path.split("/").slice(1).join("/")),
      [0, 1].flatMap((k) => [`${k}/kernel`, `${k}/recurrent_kernel`, `${k}/bias`]),
    );
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const y = { data: new Float32Array(B * H).fill(0.3), shape: [B, H] };
    const before = model.evaluate(x, y).loss;
    for (let k = 0; k < 50; k++) model.trainOnBatch(x, y);
    assert.ok(model.evaluate(x, y).loss < before / 2);
    const names = Object.keys(model.inspect(x)).filter((name) => name.includes("/1/"));
    assert.equal(names, ["mgu/1/f", "mgu/1/n", "mgu/1/h"]);
    model.dispose();
  });
});
