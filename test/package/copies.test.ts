/** ESM, CJS and sub-path copies of the package in one program. */
import { createRequire } from "node:module";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as esm from "gatewise";
import * as infer from "gatewise/infer";

const cjs = createRequire(import.meta.url)("gatewise") as typeof esm;
const test = suite("copies");

const x = { data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)), shape: [2, 4, 3] };
const y = { data: Float32Array.of(0.5, -0.5), shape: [2, 1] };

function trained({ sequential, layers, optimizers, losses }: typeof esm) {
  const model = sequential([layers.gru({ units: 5 }), layers.dense({ units: 1 })], { seed: 3, inputShape: [4, 3] });
  model.compile({ optimizer: optimizers.adam({}), loss: losses.meanSquaredError() });
  model.trainOnBatch(x, y);
  return model;
}

test("a sub-path that runs models first leaves room for one that trains them", () => {
  infer.initSync();
  const bytes = trained(esm).save();
  assert.equal(infer.loadModel(bytes).predict(x), esm.loadModel(bytes).predict(x));
});

test("ESM and CJS train the same model on the same backend", () => {
  assert.equal(trained(cjs).getWeights(), trained(esm).getWeights());
  const before = esm.backendInfo().memoryBytes;
  const model = trained(cjs);
  assert.ok(esm.backendInfo().memoryBytes > before);
  model.dispose();
  assert.is(esm.backendInfo().memoryBytes, before);
});

test("init in one copy decides for the others", async () => {
  await esm.init({ build: "reference" });
  assert.is(cjs.backendInfo().build, "reference");
  cjs.initSync();
  assert.is.not(esm.backendInfo().build, "reference");
});

test("ops and layers of one copy work on tensors and in models of another", () => {
  const double = esm.jit(null, (a: never) => cjs.ops.mul(cjs.ops.add(a, 1), 2));
  assert.equal(double([1, 2]).data, Float32Array.of(4, 6));
  const mixed = esm.sequential([cjs.layers.lstm({ units: 3 }) as never, esm.layers.dense({ units: 1 })], {
    inputShape: [4, 3],
  });
  assert.equal(Object.keys(mixed.getWeights()), [
    "lstm/kernel",
    "lstm/recurrent_kernel",
    "lstm/bias",
    "dense/kernel",
    "dense/bias",
  ]);
});

test.run();
