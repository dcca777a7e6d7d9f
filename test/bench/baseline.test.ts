/** The plain JavaScript that benchmarks compare with computes the same. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { initSync, layers, losses, sequential } from "gatewise";
import { PlainModel, type PlainLayer } from "../../bench/baseline/model.ts";

const test = suite("plain JavaScript");
const [B, T, I] = [3, 4, 2];

/** Weights of a model by layer, as copies. */
function weightsOf(model: { getWeights(): Record<string, { data: Float32Array }> }): Float32Array[][] {
  const byLayer = new Map<string, Float32Array[]>();
  for (const [name, { data }] of Object.entries(model.getWeights())) {
    const layer = name.split("/")[0];
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), data]);
  }
  return [...byLayer.values()];
}

const wave = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7));
const tokens = Int32Array.from({ length: B * T }, (_, i) => (i * 5) % 7);
/** Rows [B, T] in the order [T, B]. */
const timeFirst = (rows: Int32Array): Int32Array => rows.map((_, k) => rows[(k % B) * T + Math.floor(k / B)]);

initSync({ build: "reference" });

for (const optimizer of ["adam", "rmsprop"] as const) {
  test(`three cells and a dense layer learn alike by ${optimizer}`, () => {
    const model = sequential(
      [
        layers.simpleRNN({ units: 5, returnSequences: true }),
        layers.gru({ units: 4, returnSequences: true }),
        layers.lstm({ units: 3 }),
        layers.dense({ units: 1, activation: "sigmoid" }),
      ],
      { inputShape: [T, I], seed: 3 },
    );
    const plain = new PlainModel(
      [
        { type: "simpleRNN", units: 5, sequences: true },
        { type: "gru", units: 4, sequences: true },
        { type: "lstm", units: 3 },
        { type: "dense", units: 1, activation: "sigmoid" },
      ],
      weightsOf(model),
      { B, T, features: I },
    );
    model.compile({ optimizer, loss: "binaryCrossentropy" });
    const [x, y] = [wave(B * T * I), [0, 1, 1]];
    for (let step = 0; step < 5; step++) {
      const ours = model.trainOnBatch(
        { data: x, shape: [B, T, I] },
        y.map((value) => [value]),
      ).loss as number;
      assert.ok(Math.abs(ours - plain.train(x, y, "binaryCrossentropy", optimizer)) < 1e-5, `step ${step}`);
    }
    model.dispose();
  });
}

test("tokens through an embedding to logits at every step", () => {
  const model = sequential(
    [
      layers.embedding({ inputDim: 7, outputDim: 3 }),
      layers.gru({ units: 4, returnSequences: true }),
      layers.dense({ units: 7 }),
    ],
    { inputShape: [null], seed: 4 },
  );
  const stack: PlainLayer[] = [
    { type: "embedding", units: 3 },
    { type: "gru", units: 4, sequences: true },
    { type: "dense", units: 7 },
  ];
  const plain = new PlainModel(stack, weightsOf(model), { B, T, features: 0 });
  model.compile({ optimizer: "adam", loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
  const x = { data: tokens, shape: [B, T] };
  for (let step = 0; step < 5; step++) {
    const ours = model.trainOnBatch(x, x).loss as number;
    assert.ok(
      Math.abs(ours - plain.train(tokens, timeFirst(tokens), "sparseCategoricalCrossentropy", "adam")) < 1e-5,
      `step ${step}`,
    );
  }
  model.dispose();
});

test("a stream goes on where it was", () => {
  const model = sequential([layers.lstm({ units: 4, returnSequences: true })], { inputShape: [null, I], seed: 5 });
  const plain = new PlainModel([{ type: "lstm", units: 4, sequences: true }], weightsOf(model), {
    B: 1,
    T: 1,
    features: I,
  });
  const stream = model.stream();
  for (let t = 0; t < 4; t++) {
    const frame = wave(I).map((value) => value + t);
    const [ours, theirs] = [stream.step(frame), plain.step(frame)];
    assert.ok(
      ours.every((value, j) => Math.abs(value - theirs[j]) < 1e-6),
      `step ${t}`,
    );
  }
  model.dispose();
});

test.run();
