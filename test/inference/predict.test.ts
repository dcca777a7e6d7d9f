/** What predict takes and gives, and states that stay from one call to the next. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Module, layers, ops, optimizers, sequential, type NDArray, type Tensor } from "../../bindings/index.ts";
import { floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const test = suite("predict");

const x = floats([5, 4, 3]);
const small = () =>
  sequential([layers.gru({ units: 3 }), layers.dense({ units: 2 })], { seed: 1, inputShape: [null, 3] });

test("any form of the same numbers gives the same", () => {
  const model = small();
  const expected = model.predict(x);
  assert.equal(expected.shape, [5, 2]);
  const nested = Array.from({ length: 5 }, (_, b) =>
    Array.from({ length: 4 }, (_, t) => [...x.data.subarray((b * 4 + t) * 3, (b * 4 + t + 1) * 3)]),
  );
  assert.equal(model.predict(nested), expected);
  assert.equal(model.predict({ data: [...x.data], shape: x.shape }), expected);
  assert.equal(model.predict({ data: Float64Array.from(x.data), shape: x.shape }), expected);
  assert.equal(model.predict([x]), expected, "a list of one input");
  model.dispose();
});

test("tokens of any integer type, and whole numbers as floats", () => {
  const model = sequential([layers.embedding({ inputDim: 7, outputDim: 2 }), layers.gru({ units: 2 })], {
    seed: 1,
    inputShape: [null],
  });
  const ids = tokens([2, 5], 7);
  const expected = model.predict(ids);
  for (const Type of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ]) {
    assert.equal(model.predict({ data: Type.from(ids.data), shape: ids.shape }), expected, Type.name);
  }
  assert.equal(model.predict([[...ids.data.subarray(0, 5)], [...ids.data.subarray(5)]]), expected);
  model.dispose();
});

test("batches of any size give what the whole gives, in copies", () => {
  const model = small();
  const whole = model.predict(x);
  for (const batchSize of [1, 2, 5, 100]) close(model.predict(x, { batchSize }).data, whole.data, 1e-6);
  const kept = whole.data.slice();
  const again = model.predict(x);
  again.data.fill(9);
  same(whole.data, kept);
  same(model.predict(x).data, kept);
  model.dispose();
});

test("several inputs and several outputs", () => {
  class Pair extends Module {
    a = layers.dense({ units: 2 });
    b = layers.dense({ units: 3 });
    override call(left: Tensor, right: Tensor): Tensor[] {
      return [this.a.call(left), ops.add(this.b.call(right), ops.sum(left, { axis: 1, keepDims: true }))];
    }
  }
  const model = new Pair({ seed: 1 });
  const [left, right] = [floats([5, 2]), floats([5, 4], 1)];
  const [p, q] = model.predict([left, right], { batchSize: 2 }) as unknown as NDArray[];
  assert.equal(
    [p.shape, q.shape],
    [
      [5, 2],
      [5, 3],
    ],
  );
  const [p3] = model.predict([rows(left, 3, 4), rows(right, 3, 4)]) as unknown as NDArray[];
  close(p3.data, p.data.subarray(6, 8), 1e-6);
  refused(
    () => model.predict([left, rows(right, 0, 4)]),
    "ERR_SHAPE",
    /^predict: x: expected 5 rows in every array, got 4$/,
  );
  model.dispose();
});

test("returnState in the last layer gives output and states", () => {
  const model = sequential([layers.lstm({ units: 3, returnState: true, returnSequences: true })], {
    seed: 1,
    inputShape: [null, 3],
  });
  const [output, h, c] = model.predict(x) as unknown as NDArray[];
  assert.equal(
    [output.shape, h.shape, c.shape],
    [
      [5, 4, 3],
      [5, 3],
      [5, 3],
    ],
  );
  for (let b = 0; b < 5; b++)
    same(h.data.subarray(3 * b, 3 * b + 3), output.data.subarray((b * 4 + 3) * 3, (b * 4 + 4) * 3));
  refused(
    () => sequential([layers.gru({ units: 2, returnState: true }), layers.dense({ units: 1 })]),
    "ERR_OPTION",
    /^gru "gru": expected returnState only in the last layer of a sequential, got it before$/,
  );
  model.compile({ loss: "mse" });
  refused(
    () => model.trainOnBatch(x, floats([5, 4, 3])),
    "ERR_OPTION",
    /^sequential: expected y for a list of 3 outputs, got one; to train on the first alone, leave returnState out$/,
  );
  model.dispose();
});

test("a layer alone is a model", () => {
  const layer = layers.gru({ units: 2 });
  assert.equal(layer.predict(x).shape, [5, 2]);
  layer.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 0.1 }) });
  const first = layer.trainOnBatch(x, floats([5, 2])).loss;
  assert.ok(layer.trainOnBatch(x, floats([5, 2])).loss < first);
  layer.dispose();
});

/** x cut along time. */
const steps = (from: number, to: number): NDArray => {
  const data = Float32Array.from({ length: 5 }, (_, b) => b).reduce<number[]>(
    (all, b) => [...all, ...x.data.subarray((b * 4 + from) * 3, (b * 4 + to) * 3)],
    [],
  );
  return { data: Float32Array.from(data), shape: [5, to - from, 3] };
};

for (const [name, make] of Object.entries({
  lstm: () => layers.lstm({ units: 3, stateful: true }),
  gru: () => layers.gru({ units: 3, stateful: true }),
  simpleRNN: () => layers.simpleRNN({ units: 3, stateful: true }),
})) {
  test(`${name}: stateful goes on where the last batch ended, until resetStates`, () => {
    const model = sequential([make()], { seed: 1, inputShape: [null, 3] });
    const whole = model.predict(x).data;
    model.resetStates();
    model.predict(steps(0, 1));
    close(model.predict(steps(1, 4)).data, whole, 1e-6);
    assert.not.equal([...model.predict(x).data], [...whole]);
    model.resetStates();
    same(model.predict(x).data, whole);
    model.dispose();
  });
}

test("stateful: training goes on from batch to batch too, and another batch size needs resetStates", () => {
  const model = sequential([layers.gru({ units: 2, stateful: true })], { seed: 1, inputShape: [null, 3] });
  const twin = sequential([layers.gru({ units: 2 })], { seed: 1, inputShape: [null, 3] });
  const y = floats([5, 2]);
  for (const each of [model, twin]) each.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
  const first = model.trainOnBatch(x, y).loss;
  assert.is(first, twin.trainOnBatch(x, y).loss);
  assert.is.not(model.trainOnBatch(x, y).loss, first);
  refused(
    () => model.predict(rows(x, 0, 2)),
    "ERR_STATE",
    /^stateful: expected a batch of 5, as the state "gru\/h" \[5, 2\] was made for, got 2; give batches of 5 rows, or call resetStates first$/,
  );
  model.resetStates();
  assert.equal(model.predict(rows(x, 0, 2)).shape, [2, 2]);
  model.resetStates();
  assert.is(model.trainOnBatch(x, y).loss, first);
  sameWeights(model.getWeights(), twin.getWeights());
  model.dispose();
  twin.dispose();
});

test("stateful: a call that fails before it ran leaves no state of its batch size behind", () => {
  const model = sequential([layers.gru({ units: 2, stateful: true }), layers.lstm({ units: 2 })], { seed: 1 });
  refused(() => model.predict(x), "ERR_SHAPE", /^lstm "lstm": expected input \[batch, time, features\]/);
  const good = sequential(
    [layers.gru({ units: 2, stateful: true, returnSequences: true }), layers.dense({ units: 1 })],
    { seed: 1, inputShape: [null, 3] },
  );
  good.compile({ loss: "mse" });
  refused(() => good.trainOnBatch(x, floats([5, 4, 7])), "ERR_SHAPE", /^meanSquaredError/);
  assert.equal(good.predict(rows(x, 0, 3)).shape, [3, 4, 1]);
  model.dispose();
  good.dispose();
});

test.run();
