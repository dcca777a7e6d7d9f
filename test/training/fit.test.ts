/** fit: history, batches, order, sample and class weights, validation, clipping; trainOnBatch and testOnBatch agree. */
import * as assert from "uvu/assert";
import {
  layers,
  losses,
  optimizers,
  sequential,
  valueAndGrad,
  type Module,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused, rejected } from "../support/refused.ts";

const x = floats([10, 4, 3]);
const y = floats([10, 4, 2], 1);
const labels = tokens([10, 4], 5, 2);
const near = (actual: number, expected: number, bound = 1e-5): void => close([actual], [expected], bound);

function regression(options: Parameters<Module["compile"]>[0] = { loss: "mse" }) {
  const model = sequential([layers.gru({ units: 4, returnSequences: true }), layers.dense({ units: 2 })], {
    seed: 7,
    inputShape: [null, 3],
  });
  model.compile(options);
  return model;
}

function classifier() {
  const model = sequential([layers.lstm({ units: 4, returnSequences: true }), layers.dense({ units: 5 })], {
    seed: 7,
    inputShape: [null, 3],
  });
  model.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
  return model;
}

const mse = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a, (value, i) => (value - b[i]) ** 2).reduce((sum, square) => sum + square, 0) / a.length;

eachBackend("fit", (test) => {
  test("history has a value per epoch for loss and metrics, then those of validation", async () => {
    const model = regression({ loss: "mse", metrics: ["mae", "meanSquaredError"] });
    const { history, epoch } = await model.fit(x, y, { epochs: 3, validationData: [x, y] });
    assert.equal(Object.keys(history), [
      "loss",
      "mae",
      "mean_squared_error",
      "val_loss",
      "val_mae",
      "val_mean_squared_error",
    ]);
    for (const values of Object.values(history)) {
      assert.is(values.length, 3);
      assert.ok(values.every(Number.isFinite));
    }
    assert.equal(epoch, [0, 1, 2]);
    assert.ok(history.loss[2] < history.loss[0]);
    for (let i = 0; i < 3; i++) near(history.val_loss[i], history.val_mean_squared_error[i]);
    model.dispose();
  });

  test("epochs is the last one's number: fit goes on from initialEpoch", async () => {
    const model = regression();
    const { epoch, history } = await model.fit(x, y, { initialEpoch: 2, epochs: 4 });
    assert.equal(epoch, [2, 3]);
    assert.is(history.loss.length, 2);
    assert.equal(await model.fit(x, y, { initialEpoch: 4, epochs: 4 }), { history: {}, epoch: [] });
    model.dispose();
  });

  test("the last batch may be short, and every row counts once", async () => {
    const still = optimizers.sgd({ learningRate: 0 });
    const model = regression({ loss: "mse", optimizer: still, metrics: ["mse"] });
    const expected = mse(model.predict(x).data, y.data);
    const batches: number[] = [];
    const { history } = await model.fit(x, y, {
      batchSize: 4,
      callbacks: [{ onBatchEnd: ({ batch }) => void batches.push(batch) }],
    });
    assert.equal(batches, [1, 2, 3]);
    near(history.loss[0], expected);
    near(history.mse[0], expected);
    for (const batchSize of [1, 3, 10, 64]) near(model.evaluate(x, y, { batchSize }).loss, expected);
    model.dispose();
  });

  test("without shuffling a fit is its batches in order", async () => {
    const [a, b] = [regression(), regression()];
    await a.fit(x, y, { batchSize: 4, shuffle: false, epochs: 2 });
    for (let epoch = 0; epoch < 2; epoch++) {
      for (const [start, end] of [
        [0, 4],
        [4, 8],
        [8, 10],
      ])
        b.trainOnBatch(rows(x, start, end), rows(y, start, end));
    }
    sameWeights(a.getWeights(), b.getWeights());
    a.dispose();
    b.dispose();
  });

  test("shuffling takes another order every epoch, by the seed, and every row once", async () => {
    /** Reads the order off the inputs: the model is the identity of one number, and the loss tells it. */
    const order = async (seed: number, epochs: number): Promise<number[][]> => {
      const model = sequential([layers.dense({ units: 1, kernelInitializer: "ones" })], { seed, inputShape: [1] });
      model.compile({ loss: (_y: Tensor, p: Tensor) => p, optimizer: optimizers.sgd({ learningRate: 0 }) });
      const seen: number[][] = [];
      let before = 0;
      const onBatchEnd = ({
        epoch,
        batch,
        logs,
      }: {
        epoch: number;
        batch: number;
        logs: Record<string, number>;
      }): void => {
        if (batch === 1) before = 0;
        (seen[epoch] ??= []).push(Math.round(logs.loss * batch - before));
        before = logs.loss * batch;
      };
      const numbers = { data: Float32Array.from({ length: 10 }, (_, i) => i), shape: [10, 1] };
      await model.fit(numbers, numbers, { epochs, batchSize: 1, callbacks: [{ onBatchEnd }] });
      model.dispose();
      return seen;
    };
    const [a, b, other] = [await order(3, 3), await order(3, 3), await order(4, 3)];
    assert.equal(a, b);
    assert.not.equal(a[0], other[0]);
    assert.not.equal(a[0], a[1]);
    for (const epoch of a)
      assert.equal(
        [...epoch].sort((m, n) => m - n),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
  });

  test("validationSplit takes the last rows, before any shuffling", async () => {
    const [a, b] = [regression(), regression()];
    const split = await a.fit(x, y, { validationSplit: 0.3, epochs: 2, batchSize: 3 });
    const given = await b.fit(rows(x, 0, 7), rows(y, 0, 7), {
      validationData: [rows(x, 7, 10), rows(y, 7, 10)],
      epochs: 2,
      batchSize: 3,
    });
    assert.equal(split, given);
    sameWeights(a.getWeights(), b.getWeights());
    a.dispose();
    b.dispose();
  });

  test("validation changes nothing, and is what evaluate gives", async () => {
    const [a, b] = [regression(), regression()];
    const { history } = await a.fit(x, y, { validationData: [rows(x, 0, 3), rows(y, 0, 3)], validationBatchSize: 2 });
    await b.fit(x, y);
    sameWeights(a.getWeights(), b.getWeights());
    near(history.val_loss[0], a.evaluate(rows(x, 0, 3), rows(y, 0, 3)).loss);
    a.dispose();
    b.dispose();
  });

  test("sample weights multiply, and the divisor stays the count", () => {
    const model = regression({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
    const p = model.predict(x).data;
    const each = Array.from({ length: 40 }, (_, i) =>
      mse(p.subarray(2 * i, 2 * i + 2), y.data.subarray(2 * i, 2 * i + 2)),
    );
    const perRow = Float32Array.from({ length: 10 }, (_, i) => i / 4);
    const perStep = floats([10, 4], 9);
    const byRow = each.reduce((sum, value, i) => sum + value * perRow[Math.floor(i / 4)], 0) / 40;
    const byStep = each.reduce((sum, value, i) => sum + value * perStep.data[i], 0) / 40;
    near(model.trainOnBatch(x, y, { sampleWeight: perRow }).loss, byRow);
    near(model.testOnBatch(x, y, { sampleWeight: perStep }).loss, byStep);
    near(model.evaluate(x, y, { sampleWeight: perRow, batchSize: 3 }).loss, byRow);
    model.dispose();
  });

  test("class weights are sample weights by label; others weigh 1; a split for validation is left alone", async () => {
    const [a, b] = [classifier(), classifier()];
    const classWeight = { 1: 3, 4: 0 };
    const sampleWeight = {
      data: Float32Array.from(labels.data, (label) => (({ 1: 3, 4: 0 }) as Record<number, number>)[label] ?? 1),
      shape: [10, 4],
    };
    const options = { epochs: 2, batchSize: 4 };
    assert.equal(
      await a.fit(x, labels, { ...options, classWeight }),
      await b.fit(x, labels, { ...options, sampleWeight }),
    );
    sameWeights(a.getWeights(), b.getWeights());
    const { history } = await a.fit(x, labels, { classWeight, validationSplit: 0.5 });
    near(history.val_loss[0], a.evaluate(rows(x, 5, 10), rows(labels, 5, 10)).loss);
    a.dispose();
    b.dispose();
  });

  test("class weights of one-hot rows and of yes and no, and of classes that are none", () => {
    const still = optimizers.sgd({ learningRate: 0 });
    const model = classifier();
    const oneHot = {
      data: Float32Array.from({ length: 200 }, (_, i) => +(labels.data[Math.floor(i / 5)] === i % 5)),
      shape: [10, 4, 5],
    };
    const classWeight = { 0: 2, 3: 0.5 };
    const expected = model.testOnBatch(x, labels, { classWeight }).loss;
    model.compile({ loss: losses.categoricalCrossentropy({ fromLogits: true }), optimizer: still });
    near(model.testOnBatch(x, oneHot, { classWeight }).loss, expected);
    near(model.testOnBatch(x, { ...oneHot, data: Uint8Array.from(oneHot.data) }, { classWeight }).loss, expected);
    refused(
      () => model.testOnBatch(x, oneHot, { classWeight: { 5: 1 } }),
      "ERR_OPTION",
      /^classWeight: expected weights of the classes 0…4, got one of "5"$/,
    );
    const binary = sequential([layers.gru({ units: 3 }), layers.dense({ units: 1, activation: "sigmoid" })], {
      seed: 1,
      inputShape: [null, 3],
    });
    binary.compile({ loss: "binaryCrossentropy", optimizer: still });
    const yes = Float32Array.from({ length: 10 }, (_, i) => i % 2);
    const weights = yes.map((label) => (label === 1 ? 4 : 1));
    for (const target of [yes, { data: yes, shape: [10, 1] }])
      assert.equal(
        binary.trainOnBatch(x, target, { classWeight: { 1: 4 } }),
        binary.trainOnBatch(x, target, { sampleWeight: weights }),
      );
    model.dispose();
    binary.dispose();
  });

  test("labels may be nested numbers, have a last axis of 1, or be of any integer type", () => {
    const model = classifier();
    const expected = model.testOnBatch(x, labels);
    const nested = Array.from({ length: 10 }, (_, b) => [...labels.data.subarray(4 * b, 4 * b + 4)]);
    assert.equal(model.testOnBatch(x, nested), expected);
    assert.equal(model.testOnBatch(x, { data: labels.data, shape: [10, 4, 1] }), expected);
    assert.equal(model.testOnBatch(x, { data: Uint8Array.from(labels.data), shape: [10, 4] }), expected);
    const single = sequential([layers.lstm({ units: 4 }), layers.dense({ units: 1 })], { inputShape: [null, 3] });
    single.compile({ loss: "mse" });
    assert.equal(single.testOnBatch(x, floats([10])), single.testOnBatch(x, floats([10, 1])));
    model.dispose();
    single.dispose();
  });

  test("accuracy is the share of right labels", () => {
    const model = classifier();
    const p = model.predict(x).data;
    let right = 0;
    labels.data.forEach((label, i) => {
      const row = [...p.subarray(5 * i, 5 * i + 5)];
      right += row.indexOf(Math.max(...row)) === label ? 1 : 0;
    });
    near(model.evaluate(x, labels, { batchSize: 3 }).accuracy, right / 40);
    model.dispose();
  });

  test("trainOnBatch gives the scores before its update, testOnBatch and evaluate those of now", () => {
    const model = regression({ loss: "mse", metrics: ["mae"] });
    const before = model.testOnBatch(x, y);
    assert.equal(model.evaluate(x, y), before);
    assert.equal(model.trainOnBatch(x, y), before);
    assert.ok(model.testOnBatch(x, y).loss < before.loss);
    model.dispose();
  });

  test("a step of fit is the optimizer applied to valueAndGrad's gradients", () => {
    for (const clipping of [{}, { clipNorm: 0.01 }, { clipValue: 0.005 }, { globalClipNorm: 0.02 }]) {
      const options = { learningRate: 0.5, ...clipping };
      const [a, b] = [regression({ loss: "mse", optimizer: optimizers.sgd(options) }), regression()];
      a.trainOnBatch(x, y);
      const loss = losses.meanSquaredError();
      const { grads } = valueAndGrad(b, (input: Tensor, target: Tensor) => loss(target, b.call(input)))(x, y);
      optimizers.sgd(options).apply(b, grads);
      sameWeights(a.getWeights(), b.getWeights(), JSON.stringify(clipping));
      a.dispose();
      b.dispose();
    }
  });

  test("clipping bounds what a step changes", () => {
    const changes = (clipping: object): Float32Array[] => {
      const model = regression({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 1, ...clipping }) });
      const before = model.getWeights();
      model.trainOnBatch(x, floats([10, 4, 2], 1, 100));
      const after = Object.entries(model.getWeights()).map(([name, { data }]) =>
        data.map((value, i) => value - before[name].data[i]),
      );
      model.dispose();
      return after;
    };
    const norm = (data: ArrayLike<number>): number =>
      Math.sqrt(Array.from(data).reduce((sum, value) => sum + value * value, 0));
    assert.ok(norm(changes({}).flatMap((data) => [...data])) > 10);
    for (const data of changes({ clipValue: 0.25 })) assert.ok(Math.max(...data.map(Math.abs)) < 0.25 + 1e-6);
    for (const data of changes({ clipNorm: 0.5 })) assert.ok(norm(data) < 0.5 + 1e-5);
    near(norm(changes({ globalClipNorm: 0.75 }).flatMap((data) => [...data])), 0.75, 1e-5);
  });

  test("a loss written by hand, of any shape, is averaged", async () => {
    const [a, b] = [
      regression(),
      regression({
        loss: (yTrue: Tensor, yPred: Tensor) => losses.meanSquaredError({ reduction: "none" })(yTrue, yPred),
      }),
    ];
    await a.fit(x, y);
    await b.fit(x, y);
    for (const [name, { data }] of Object.entries(a.getWeights())) close(b.getWeights()[name].data, data, 1e-6);
    a.dispose();
    b.dispose();
  });

  test("compiling again starts another optimizer and keeps the weights", () => {
    const model = regression();
    model.trainOnBatch(x, y);
    const weights = model.getWeights();
    model.compile({ loss: "mse", optimizer: "sgd" });
    sameWeights(model.getWeights(), weights);
    model.trainOnBatch(x, y);
    assert.ok(differ(model.getWeights(), weights));
    model.dispose();
  });

  test("an array whose buffer is transferred during a training ends it by name", async () => {
    for (const which of ["x", "y"] as const) {
      const arrays = { x: floats([10, 4, 3]), y: floats([10, 4, 2], 1) };
      const model = regression();
      const events = model.train(arrays.x, arrays.y, { batchSize: 5, epochs: 3 });
      await events.next();
      structuredClone(arrays[which].data, { transfer: [arrays[which].data.buffer] });
      await rejected(
        (async () => {
          for await (const _ of events);
        })(),
        "ERR_VALUE",
        new RegExp(`^fit: ${which}: expected numbers, got an array whose buffer was transferred$`),
      );
    }
  });
});
