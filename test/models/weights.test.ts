/** Weights in and out, and what a seed settles. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  cells,
  initializers,
  layers,
  loadModel,
  losses,
  optimizers,
  sequential,
  type Module,
} from "../../bindings/index.ts";
import { differ, floats, sameWeights } from "../support/models.ts";
import { eachBackend } from "../support/backends.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const test = suite("weights");

const small = (seed?: number) =>
  sequential(
    [
      layers.gru({ units: 3, returnSequences: true, dropout: 0.3, recurrentDropout: 0.2 }),
      layers.dropout({ rate: 0.4 }),
      layers.dense({ units: 2 }),
    ],
    { seed, inputShape: [null, 4] },
  );
const x = floats([6, 5, 4]);
const y = floats([6, 5, 2], 1);

test("getWeights gives copies", () => {
  const model = small(1);
  const before = model.getWeights();
  for (const { data, shape } of Object.values(model.getWeights())) {
    data.fill(7);
    shape[0] = 99;
  }
  sameWeights(model.getWeights(), before);
  model.dispose();
});

test("setWeights takes copies, in any form, of any subset", () => {
  const model = small(1);
  const before = model.getWeights();
  const kernel = Float32Array.from({ length: 6 }, (_, i) => i / 4);
  model.setWeights({ "dense/kernel": { data: kernel, shape: [3, 2] } });
  const expected = kernel.slice();
  kernel.fill(9);
  same(model.getWeights()["dense/kernel"].data, expected);
  model.setWeights({
    "dense/kernel": [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    "dense/bias": [0.5, -0.5],
  });
  same(model.getWeights()["dense/kernel"].data, [1, 2, 3, 4, 5, 6]);
  same(model.getWeights()["dense/bias"].data, [0.5, -0.5]);
  same(model.getWeights()["gru/kernel"].data, before["gru/kernel"].data);
  model.setWeights({ "dense/bias": new Float64Array([0.1, 0.2]) });
  same(model.getWeights()["dense/bias"].data, [Math.fround(0.1), Math.fround(0.2)]);
  model.dispose();
});

test("what setWeights brings shows in predict, whatever ran before", () => {
  const [a, b] = [small(1), small(2)];
  const expected = b.predict(x).data;
  a.predict(x);
  a.setWeights(b.getWeights());
  same(a.predict(x).data, expected);
  a.dispose();
  b.dispose();
});

test("setWeights is all or nothing", () => {
  const model = small(1);
  const before = model.getWeights();
  const good = { data: new Float32Array(6), shape: [3, 2] };
  const wrong: [Record<string, unknown>, string, RegExp][] = [
    [
      { "dense/kernel": good, "dense/bais": [0, 0] },
      "ERR_OPTION",
      /^setWeights: expected one of gru\/kernel, .*, got "dense\/bais", did you mean "dense\/bias"\?$/,
    ],
    [
      { "dense/kernel": good, "dense/bias": [0, 0, 0] },
      "ERR_SHAPE",
      /^setWeights: expected "dense\/bias" \[2\], got \[3\]$/,
    ],
    [
      { "dense/kernel": { data: new Float32Array(6), shape: [2, 3] } },
      "ERR_SHAPE",
      /^setWeights: expected "dense\/kernel" \[3, 2\], got \[2, 3\]$/,
    ],
    [
      { "dense/kernel": good, "dense/bias": [0, NaN] },
      "ERR_VALUE",
      /^setWeights: expected finite numbers for "dense\/bias", got NaN at element 1$/,
    ],
    [{ "dense/kernel": good, "dense/bias": [0, 1e300] }, "ERR_VALUE", /got Infinity at element 1$/],
    [
      { "dense/kernel": good, "dense/bias": null },
      "ERR_VALUE",
      /^setWeights: "dense\/bias": expected numbers, .* got null$/,
    ],
  ];
  for (const [weights, code, message] of wrong) {
    refused(() => model.setWeights(weights as never), code, message);
    sameWeights(model.getWeights(), before);
  }
  model.dispose();
});

test("trainable: false keeps weights out of training, but in getWeights", () => {
  const model = sequential([layers.dense({ units: 3, trainable: false }), layers.dense({ units: 1 })], {
    seed: 1,
    inputShape: [2],
  });
  const before = model.getWeights();
  model.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 0.1 }) });
  model.trainOnBatch(floats([4, 2]), floats([4, 1]));
  const after = model.getWeights();
  same(after["dense/kernel"].data, before["dense/kernel"].data);
  assert.ok(differ({ k: after["dense_1/kernel"] }, { k: before["dense_1/kernel"] }));
  model.dispose();
});

test("trainable: false of a layer around others holds for these too", () => {
  const frozen = { trainable: false };
  const model = sequential(
    [
      layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }), ...frozen }),
      layers.timeDistributed({ layer: layers.dense({ units: 3 }), ...frozen }),
      layers.rnn({ cell: [cells.gru({ units: 2 }), cells.lstm({ units: 2 })], ...frozen }),
      layers.dense({ units: 1 }),
    ],
    { seed: 1, inputShape: [null, 2] },
  );
  assert.equal(
    model.trainableParameters().map(([name]) => name),
    ["dense/kernel", "dense/bias"],
  );
  const loaded = loadModel(model.save());
  assert.is(loaded.trainableParameters().length, 2, "loaded, too");
  model.dispose();
  loaded.dispose();
});

test("a seed is drawn when none is given, and can be used again", () => {
  const [a, b] = [small(), small()];
  assert.ok(Number.isInteger(a.seed));
  assert.is.not(a.seed, b.seed);
  const c = small(a.seed);
  sameWeights(c.getWeights(), a.getWeights());
  assert.ok(differ(a.getWeights(), b.getWeights()));
  refused(() => (a.seed = 3), "ERR_STATE", /^seed: expected to be set before the model's first use, got 3 after it$/);
  for (const model of [a, b, c]) model.dispose();
});

test("weights draw by name: another layer before does not change them", () => {
  const a = sequential([layers.dense({ units: 3, name: "here" })], { seed: 4, inputShape: [3] });
  const b = sequential([layers.dense({ units: 3 }), layers.dense({ units: 3, name: "here" })], {
    seed: 4,
    inputShape: [3],
  });
  same(b.getWeights()["here/kernel"].data, a.getWeights()["here/kernel"].data);
  a.dispose();
  b.dispose();
});

test("an initializer with a seed of its own does not follow the model's", () => {
  const make = (seed: number) =>
    sequential([layers.dense({ units: 3, kernelInitializer: initializers.randomNormal({ seed: 9 }) })], {
      seed,
      inputShape: [3],
    });
  const [a, b] = [make(1), make(2)];
  sameWeights(a.getWeights(), b.getWeights());
  a.dispose();
  b.dispose();
});

test.run();

eachBackend("seeds", (each) => {
  /** A whole training with everything random in it. */
  async function trained(seed: number): Promise<{ model: Module; loss: number[] }> {
    const model = small(seed);
    model.compile({ loss: losses.meanSquaredError(), optimizer: optimizers.adam({ learningRate: 0.01 }) });
    const { history } = await model.fit(x, y, { epochs: 3, batchSize: 4 });
    return { model, loss: history.loss };
  }

  each("the same seed gives the same bits: start, order, dropout", async () => {
    const [a, b, other] = [await trained(11), await trained(11), await trained(12)];
    assert.equal(a.loss, b.loss);
    sameWeights(a.model.getWeights(), b.model.getWeights());
    assert.not.equal(a.loss, other.loss);
    for (const { model } of [a, b, other]) model.dispose();
  });

  each("dropout differs from batch to batch, and is off in predict", () => {
    const model = small(3);
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
    const losses_ = [1, 2, 3].map(() => model.trainOnBatch(x, y).loss);
    assert.is(new Set(losses_).size, 3);
    same(model.predict(x).data, model.predict(x).data);
    model.dispose();
  });
});
