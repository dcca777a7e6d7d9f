/** What inspect shows: the gates by their equations, outputs as predict gives them, gradients as valueAndGrad does. */
import * as assert from "uvu/assert";
import { cells, layers, losses, sequential, valueAndGrad, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 6];
const x = floats([B, T, I]);

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** v·W for columns from, from + 1, … of a matrix [rows, columns]. */
function times(v: ArrayLike<number>, { data, shape: [, columns] }: NDArray, from: number): number[] {
  return Array.from({ length: H }, (_, j) =>
    Array.from(v).reduce((sum, value, k) => sum + value * data[k * columns + from + j], 0),
  );
}

const add = (...vectors: ArrayLike<number>[]): number[] =>
  Array.from(vectors[0], (_, j) => vectors.reduce((sum, v) => sum + v[j], 0));

/** Runs a step function over time and rows, and collects what it names as [B, T, H]. */
function collect(
  step: (xt: Float32Array, states: number[][]) => Record<string, number[]>,
  names: string[],
  states: string[],
): Record<string, Float32Array> {
  const all = Object.fromEntries(names.map((name) => [name, new Float32Array(B * T * H)]));
  for (let b = 0; b < B; b++) {
    let before = states.map(() => new Array<number>(H).fill(0));
    for (let t = 0; t < T; t++) {
      const values = step(x.data.subarray((b * T + t) * I, (b * T + t + 1) * I), before);
      for (const name of names) all[name].set(values[name], (b * T + t) * H);
      before = states.map((name) => values[name]);
    }
  }
  return all;
}

function lstmByHand(w: Record<string, NDArray>): Record<string, Float32Array> {
  return collect(
    (xt, [h, c]) => {
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) =>
        add(
          times(xt, w["lstm/kernel"], gate * H),
          times(h, w["lstm/recurrent_kernel"], gate * H),
          w["lstm/bias"].data.subarray(gate * H, (gate + 1) * H),
        ).map(gate === 2 ? Math.tanh : sigmoid),
      );
      const next = c.map((value, j) => f[j] * value + i[j] * g[j]);
      return { i, f, g, o, c: next, h: next.map((value, j) => o[j] * Math.tanh(value)) };
    },
    ["i", "f", "g", "o", "c", "h"],
    ["h", "c"],
  );
}

function gruByHand(w: Record<string, NDArray>, resetAfter: boolean): Record<string, Float32Array> {
  const bias = (row: number, gate: number): Float32Array =>
    w["gru/bias"].data.subarray((row * 3 + gate) * H, (row * 3 + gate + 1) * H);
  const recurrent = (h: number[], gate: number): number[] =>
    add(times(h, w["gru/recurrent_kernel"], gate * H), resetAfter ? bias(1, gate) : new Float32Array(H));
  return collect(
    (xt, [h]) => {
      const input = (gate: number): number[] => add(times(xt, w["gru/kernel"], gate * H), bias(0, gate));
      const [z, r] = [0, 1].map((gate) => add(input(gate), recurrent(h, gate)).map(sigmoid));
      const inner = resetAfter
        ? recurrent(h, 2).map((value, j) => r[j] * value)
        : recurrent(
            h.map((value, j) => r[j] * value),
            2,
          );
      const n = add(input(2), inner).map(Math.tanh);
      return { z, r, n, h: h.map((value, j) => z[j] * value + (1 - z[j]) * n[j]) };
    },
    ["z", "r", "n", "h"],
    ["h"],
  );
}

/** A recurrent layer with biases that are not zero. */
function built(layer: Parameters<typeof sequential>[0][number]) {
  const model = sequential([layer, layers.dense({ units: 2 })], { seed: 5, inputShape: [null, I] });
  const weights = Object.fromEntries(
    Object.entries(model.getWeights()).map(([name, { data, shape }], i) => [
      name,
      floats(shape, i, data.length > 20 ? 0.6 : 0.3),
    ]),
  );
  model.setWeights(weights);
  return { model, weights };
}

eachBackend("inspect", (test) => {
  test("lstm: gates, cell and output by their equations", () => {
    const { model, weights } = built(layers.lstm({ units: H, returnSequences: true }));
    const seen = model.inspect(x);
    assert.equal(Object.keys(seen), [
      "lstm/i",
      "lstm/f",
      "lstm/g",
      "lstm/o",
      "lstm/c",
      "lstm/h",
      "lstm/output",
      "dense/output",
    ]);
    for (const [name, expected] of Object.entries(lstmByHand(weights))) {
      assert.equal(seen[`lstm/${name}`].shape, [B, T, H]);
      close(seen[`lstm/${name}`].data, expected, 2e-6, name);
    }
    same(seen["lstm/output"].data, seen["lstm/h"].data);
    same(seen["dense/output"].data, model.predict(x).data);
    model.dispose();
  });

  for (const resetAfter of [true, false]) {
    test(`gru, reset ${resetAfter ? "after" : "before"}: gates and output by their equations`, () => {
      const { model, weights } = built(layers.gru({ units: H, returnSequences: true, resetAfter }));
      const seen = model.inspect(x);
      assert.equal(Object.keys(seen), ["gru/z", "gru/r", "gru/n", "gru/h", "gru/output", "dense/output"]);
      for (const [name, expected] of Object.entries(gruByHand(weights, resetAfter)))
        close(seen[`gru/${name}`].data, expected, 2e-6, name);
      model.dispose();
    });
  }

  test("every step is shown when only the last is given on", () => {
    const { model, weights } = built(layers.gru({ units: H }));
    const seen = model.inspect(x);
    close(seen["gru/h"].data, gruByHand(weights, true).h, 2e-6);
    assert.equal(seen["gru/output"].shape, [B, H]);
    for (let b = 0; b < B; b++)
      same(
        seen["gru/output"].data.subarray(b * H, (b + 1) * H),
        seen["gru/h"].data.subarray((b * T + T - 1) * H, (b + 1) * T * H),
      );
    model.dispose();
  });

  test("names follow the layers; rnn and simpleRNN show their states", () => {
    const model = sequential(
      [
        layers.embedding({ inputDim: 5, outputDim: 3 }),
        layers.simpleRNN({ units: 2, returnSequences: true }),
        layers.rnn({ cell: [cells.gru({ units: 2 }), cells.lstm({ units: 3 })] }),
        layers.dropout({ rate: 0.5 }),
      ],
      { inputShape: [null] },
    );
    assert.equal(
      Object.entries(model.inspect(tokens([2, 4], 5))).map(([name, { shape }]) => `${name} ${shape.join("×")}`),
      [
        "embedding/output 2×4×3",
        "simple_rnn/h 2×4×2",
        "simple_rnn/output 2×4×2",
        "rnn/0/z 2×4×2",
        "rnn/0/r 2×4×2",
        "rnn/0/n 2×4×2",
        "rnn/0/h 2×4×2",
        "rnn/1/i 2×4×3",
        "rnn/1/f 2×4×3",
        "rnn/1/g 2×4×3",
        "rnn/1/o 2×4×3",
        "rnn/1/c 2×4×3",
        "rnn/1/h 2×4×3",
        "rnn/output 2×3",
        "dropout/output 2×3",
      ],
    );
    model.dispose();
  });

  test("with lengths, as predict has it", () => {
    const { model } = built(layers.lstm({ units: H, returnSequences: true }));
    const lengths = Int32Array.of(5, 2, 0);
    const seen = model.inspect(x, { lengths });
    same(seen["dense/output"].data, model.predict(x, { lengths }).data);
    assert.ok(seen["lstm/h"].data.subarray((T + 2) * H).every((h) => h === 0));
    model.dispose();
  });

  test("gradients: of weights as valueAndGrad gives them, of outputs and states by differences", () => {
    const y = floats([B, T, 2], 9);
    for (const layer of [
      layers.lstm({ units: H, returnSequences: true, name: "cell" }),
      layers.gru({ units: H, returnSequences: true, name: "cell" }),
    ]) {
      const { model } = built(layer);
      model.compile({ loss: "mse" });
      const seen = model.inspect(x, { y, gradients: true });
      const mse = losses.meanSquaredError();
      const { grads } = valueAndGrad(model, (input: Tensor, target: Tensor) => mse(target, model.call(input)), {
        training: false,
      })(x, y);
      for (const [name, { data, shape }] of Object.entries(grads)) {
        assert.equal(seen[`${name}/grad`].shape, shape);
        close(seen[`${name}/grad`].data, data, 1e-6, name);
      }
      const p = seen["dense/output"].data;
      close(
        seen["dense/output/grad"].data,
        p.map((value, i) => (2 * (value - y.data[i])) / p.length),
        1e-5,
      );
      // the bias adds to every pre-activation: its gradient is the sum of theirs
      const gates =
        layer.config.name && Object.keys(seen).includes("cell/i/grad") ? ["i", "f", "g", "o"] : ["z", "r", "n"];
      gates.forEach((gate, g) => {
        const sums = new Float32Array(H);
        seen[`cell/${gate}/grad`].data.forEach((value, i) => (sums[i % H] += value));
        close(sums, grads["cell/bias"].data.subarray(g * H, (g + 1) * H), 1e-5, `sum over ${gate}`);
      });
      assert.equal(seen["cell/h/grad"].shape, [B, T, H]);
      model.dispose();
    }
  });

  test("looking changes nothing and keeps nothing", () => {
    const { model } = built(layers.gru({ units: H, returnSequences: true }));
    model.compile({ loss: "mse" });
    model.inspect(x, { y: floats([B, T, 2]), gradients: true });
    const before = model.getWeights();
    const { bytes } = model.backend.arena;
    for (let i = 0; i < 3; i++) {
      model.inspect(x);
      model.inspect(x, { y: floats([B, T, 2]), gradients: true });
    }
    assert.is(model.backend.arena.bytes, bytes);
    sameWeights(model.getWeights(), before);
    model.dispose();
  });

  test("what is missing for gradients is named", () => {
    const { model } = built(layers.gru({ units: H, returnSequences: true }));
    refused(
      () => model.inspect(x, { gradients: true }),
      "ERR_STATE",
      /^inspect: expected a compiled model and y for gradients, got none$/,
    );
    model.compile({ loss: "mse" });
    refused(() => model.inspect(x, { gradients: true }), "ERR_STATE", /^inspect: expected a compiled model and y/);
    refused(
      () => model.inspect(x, { gradient: true } as object),
      "ERR_OPTION",
      /^inspect: expected one of the options .*gradients.*, got "gradient", did you mean "gradients"\?$/,
    );
    refused(
      () => model.inspect(x, { y: floats([2, T, 2]), gradients: true }),
      "ERR_SHAPE",
      /^inspect: expected y with 3 rows as x \[3, 5, 4\], got \[2, 5, 2\]$/,
    );
    model.dispose();
  });
});
