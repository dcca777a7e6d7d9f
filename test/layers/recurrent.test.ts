/** Recurrent layers against plain JavaScript: cells and options, ragged batches, masks with holes, both directions. */
import * as assert from "uvu/assert";
import { Module, cells, jit, layers, ops, type Layer, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close, real, same } from "../support/numbers.ts";
import { PLAIN_CELLS, plainLayer, type PlainOptions, type PlainRun } from "../support/plain/cells.ts";

type Kind = keyof typeof PLAIN_CELLS;

const array = (shape: number[], salt: number): NDArray => ({
  data: real(
    shape.reduce((a, b) => a * b, 1),
    salt,
  ),
  shape,
});
const clip = (x: number): number => Math.max(0, Math.min(1, x));

const softmax = (x: number[]): number[] => {
  const powers = x.map(Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};

/** Options of the library, and their meaning. */
const VARIANTS: [Kind, Record<string, unknown>, Partial<PlainOptions>][] = [
  ["simpleRNN", {}, {}],
  ["simpleRNN", { activation: "relu" }, { activation: (x) => Math.max(0, x) }],
  ["simpleRNN", { activation: "softsign", useBias: false }, { activation: (x) => x / (1 + Math.abs(x)) }],
  ["lstm", {}, {}],
  ["lstm", { peepholes: true }, {}],
  ["lstm", { useBias: false }, {}],
  [
    "lstm",
    { activation: "relu", recurrentActivation: "hardSigmoid", peepholes: true },
    { activation: (x) => Math.max(0, x), recurrentActivation: (x) => clip(x / 6 + 0.5) },
  ],
  ["gru", {}, {}],
  ["gru", { useBias: false }, {}],
  ["gru", { resetAfter: false }, { resetAfter: false }],
  ["gru", { recurrentActivation: "hard_sigmoid_keras2" }, { recurrentActivation: (x) => clip(0.2 * x + 0.5) }],
  ["gru", { resetAfter: false, activation: "linear" }, { resetAfter: false, activation: (x) => x }],
  [
    "gru",
    { activation: { name: "scaledTanh", alpha: 1.7, beta: 0.6 } },
    { activation: (x) => 1.7 * Math.tanh(0.6 * x) },
  ],
  // by their equations instead of by kernels
  ["simpleRNN", { cellClip: 0.4 }, { cellClip: 0.4 }],
  ["simpleRNN", { activation: "softmax" }, { rowwise: softmax }],
  ["lstm", { cellClip: 0.4, peepholes: true }, { cellClip: 0.4 }],
  ["lstm", { coupledInputForget: true }, { coupledInputForget: true }],
  ["lstm", { projection: 3 }, {}],
  ["gru", { cellClip: 0.4 }, { cellClip: 0.4 }],
  ["gru", { cellClip: 0.4, resetAfter: false }, { cellClip: 0.4, resetAfter: false }],
];

/** The same factories, without the options that belong to one kind. */
const recurrent = layers as unknown as Record<Kind, (options: object) => Layer>;

const [B, T, I] = [4, 6, 3];
const lengths = [3, 6, 0, 5];
const mask = [
  [1, 1, 1, 0, 0, 0],
  [0, 1, 0, 1, 1, 0],
  [0, 0, 0, 0, 0, 0],
  [1, 1, 1, 1, 1, 1],
];

const RUNS: [string, PlainRun][] = [
  ["whole", {}],
  ["from states", { initialState: [] }],
  ["lengths", { lengths }],
  ["lengths from states", { lengths, initialState: [] }],
  ["mask", { mask }],
  ["mask from states", { mask, initialState: [] }],
  ["mask with zeros", { mask, zeroOutputForMask: true }],
  ["backwards", { goBackwards: true, initialState: [] }],
  ["backwards by lengths", { goBackwards: true, lengths }],
  ["backwards by mask", { goBackwards: true, mask }],
  ["backwards by mask with zeros", { goBackwards: true, mask, zeroOutputForMask: true }],
];

/** Gives every weight a value, biases too. */
function settle(layer: Module): Record<string, NDArray> {
  const names = Object.entries(layer.getWeights());
  layer.setWeights(Object.fromEntries(names.map(([name, { shape }], i) => [name, array(shape, 20 + i)])));
  return layer.getWeights();
}

eachBackend("recurrent layers", (test) => {
  for (const [kind, options, meaning] of VARIANTS) {
    for (const units of [5, 16]) {
      test(`${kind} ${JSON.stringify(options)}, ${units} units`, () => {
        const width = (options.projection as number | undefined) ?? units;
        for (const [what, { initialState, ...plain }] of RUNS) {
          const { goBackwards, zeroOutputForMask, lengths: valid, mask: steps } = plain;
          const make = (returnSequences: boolean) =>
            recurrent[kind]({ units, ...options, goBackwards, zeroOutputForMask, returnSequences, returnState: true });
          const [all, last] = [make(true), make(false)];
          const x = array([B, T, I], 1);
          const initial =
            initialState &&
            Array.from({ length: PLAIN_CELLS[kind].states }, (_, k) => array([B, k === 0 ? width : units], 2 + k));
          const run = (layer: ReturnType<typeof make>): NDArray[] =>
            jit(layer, (input: Tensor, states: Tensor[], given: object) =>
              layer.call(input, { ...(states.length > 0 ? { initialState: states } : {}), ...given }),
            )(x, initial ?? [], {
              ...(valid ? { lengths: Int32Array.from(valid) } : {}),
              ...(steps ? { mask: steps } : {}),
            });
          run(all);
          run(last);
          const weights = settle(all);
          last.setWeights(weights);
          const expected = plainLayer(kind, weights, x, { units, ...meaning }, { ...plain, initialState: initial });
          const [output, ...states] = run(all);
          const [end, ...ends] = run(last);
          assert.equal([output.shape, end.shape, states.length], [[B, T, width], [B, width], PLAIN_CELLS[kind].states]);
          close(output.data, expected.sequence, 3e-6, `${what}: sequence`);
          close(end.data, expected.last, 3e-6, `${what}: last output`);
          states.forEach(({ data }, k) => close(data, expected.states[k], 3e-6, `${what}: state ${k}`));
          ends.forEach(({ data }, k) => same(data, states[k].data, `${what}: state ${k} without returnSequences`));
          all.dispose();
          last.dispose();
        }
      });
    }

    test(`${kind} ${JSON.stringify(options)}: steps of its cell, and rnn(cell), are the layer`, () => {
      const units = 5;
      const x = array([B, T, I], 1);
      const layer = recurrent[kind]({ units, ...options, returnSequences: true, returnState: true });
      const cell = cells[kind]({ units, ...options });
      const rnn = layers.rnn({ cell: cells[kind]({ units, ...options }), returnSequences: true, returnState: true });
      const whole = jit(layer, (input: Tensor) => layer.call(input));
      const stepped = jit(cell, (input: Tensor) => {
        let states: Tensor[] = [];
        const outputs = Array.from({ length: T }, (_, t) => {
          const [output, next] = cell.call(ops.reshape(ops.slice(input, [0, t], [B, 1]), [B, I]), states);
          states = next;
          return output;
        });
        return [ops.stack(outputs, 1), ...states];
      });
      const looped = jit(rnn, (input: Tensor) => rnn.call(input));
      for (const run of [whole, stepped, looped]) run(x);
      const weights = settle(layer);
      cell.setWeights(weights);
      rnn.setWeights(Object.fromEntries(Object.entries(weights).map(([name, value]) => [`cell/${name}`, value])));
      const expected = whole(x) as NDArray[];
      for (const result of [stepped(x), looped(x)] as NDArray[][]) {
        assert.is(result.length, expected.length);
        result.forEach(({ data, shape }, i) => {
          assert.equal(shape, expected[i].shape);
          close(data, expected[i].data, 3e-6, `part ${i}`);
        });
      }
      for (const module of [layer, cell, rnn]) module.dispose();
    });
  }

  test("tokens: an embedding with few tokens is projected once each, with the same numbers", () => {
    class Looked extends Module {
      embedding = layers.embedding({ inputDim: 7, outputDim: I });
      rnn = layers.lstm({ units: 5, returnSequences: true });
      override call(x: Tensor): Tensor {
        return this.rnn.call(this.embedding.call(x));
      }
    }
    const module = new Looked({ seed: 1 });
    const tokens = { data: Int32Array.from({ length: B * T }, (_, i) => (i * 5) % 7), shape: [B, T] };
    module.predict(tokens);
    const weights = settle(module);
    const table = weights["embedding/embeddings"].data;
    const x = {
      data: Float32Array.from([...tokens.data].flatMap((token) => [...table.slice(token * I, (token + 1) * I)])),
      shape: [B, T, I],
    };
    const own = Object.fromEntries(Object.entries(weights).map(([name, value]) => [name.replace("rnn/", ""), value]));
    close(module.predict(tokens).data, plainLayer("lstm", own, x, { units: 5 }).sequence, 3e-6);
    for (const [what, run] of Object.entries({ lengths: { lengths }, mask: { mask } })) {
      const given = "lengths" in run ? { lengths: Int32Array.from(lengths) } : { mask };
      close(module.predict(tokens, given).data, plainLayer("lstm", own, x, { units: 5 }, run).sequence, 3e-6, what);
    }
    module.dispose();
  });
});
