/** Lengths, masks and maskZero in every call of a model: what is beyond does not count, and costs nothing. */
import * as assert from "uvu/assert";
import { layers, losses, optimizers, sequential, type NDArray } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const B = 5;
const T = 6;
const lengths = Int32Array.of(6, 3, 0, 1, 4);
const x = floats([B, T, 3]);
const y = floats([B, T, 2], 1);

const maskOf = (valid: (b: number, t: number) => boolean): NDArray<Int32Array> => ({
  data: Int32Array.from({ length: B * T }, (_, i) => +valid(Math.floor(i / T), i % T)),
  shape: [B, T],
});
const prefix = maskOf((b, t) => t < lengths[b]);
const holes = maskOf((b, t) => (b + 2 * t) % 3 !== 0);

function model(returnSequences = true) {
  const made = sequential([layers.gru({ units: 4, returnSequences }), layers.dense({ units: 2 })], {
    seed: 2,
    inputShape: [null, 3],
  });
  made.compile({ loss: "mse", metrics: ["mae"], optimizer: optimizers.adam({ learningRate: 0.01 }) });
  return made;
}

/** The same with other numbers wherever the mask is 0. */
function disturbed(array: NDArray, mask: NDArray<Int32Array>): NDArray {
  const width = array.shape[2];
  return { ...array, data: array.data.map((value, i) => (mask.data[Math.floor(i / width)] ? value : 5 - value)) };
}

/** Means of squared and absolute errors over valid steps. */
function expectedScores(p: NDArray, mask: NDArray<Int32Array>): { loss: number; mae: number } {
  let [square, absolute, count] = [0, 0, 0];
  mask.data.forEach((valid, i) => {
    if (!valid) return;
    const d = [0, 1].map((k) => p.data[2 * i + k] - y.data[2 * i + k]);
    square += (d[0] ** 2 + d[1] ** 2) / 2;
    absolute += (Math.abs(d[0]) + Math.abs(d[1])) / 2;
    count++;
  });
  return { loss: square / count, mae: absolute / count };
}

eachBackend("masks", (test) => {
  for (const [name, steps, mask] of [
    ["lengths", { lengths }, prefix],
    ["a mask", { mask: prefix }, prefix],
    ["a mask with holes", { mask: holes }, holes],
  ] as const) {
    test(`${name}: loss and metrics are means over valid steps`, () => {
      const m = model();
      const { loss, mae } = expectedScores(m.predict(x, steps), mask);
      for (const scores of [m.testOnBatch(x, y, steps), m.evaluate(x, y, steps), m.trainOnBatch(x, y, steps)]) {
        close([scores.loss, scores.mae], [loss, mae], 1e-5);
      }
      m.dispose();
    });

    test(`${name}: what stands at other steps is never seen`, async () => {
      const [a, b] = [model(), model()];
      const others = disturbed(x, mask);
      same(a.predict(x, steps).data, b.predict(others, steps).data);
      assert.equal(
        await a.fit(x, y, { epochs: 2, batchSize: 2, ...steps }),
        await b.fit(others, disturbed(y, mask), { epochs: 2, batchSize: 2, ...steps }),
      );
      sameWeights(a.getWeights(), b.getWeights());
      a.dispose();
      b.dispose();
    });

    test(`${name}: they are cut into batches with their rows, and follow the shuffling`, async () => {
      const m = model();
      const whole = m.predict(x, steps);
      close(m.predict(x, { ...steps, batchSize: 2 }).data, whole.data, 1e-6);
      const frozen = model();
      frozen.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }), metrics: ["mae"] });
      const { history } = await frozen.fit(x, y, {
        batchSize: 1,
        ...steps,
        validationData: [x, y, steps],
        validationBatchSize: 5,
      });
      const { loss, mae } = expectedScores(whole, mask);
      close([history.mae[0], history.val_loss[0], history.val_mae[0]], [mae, loss, mae], 1e-5);
      m.dispose();
      frozen.dispose();
    });
  }

  test("a row is what it is alone, cut to its length", () => {
    const m = model();
    const p = m.predict(x, { lengths });
    lengths.forEach((length, b) => {
      const row = rows(p, b, b + 1).data;
      const cut = { data: rows(x, b, b + 1).data.slice(0, 3 * length), shape: [1, length, 3] };
      if (length > 0) close(row.subarray(0, 2 * length), m.predict(cut).data, 1e-6);
    });
    m.dispose();
  });

  test("lengths: outputs beyond are 0 before what follows; a mask repeats the former one", () => {
    const m = sequential([layers.lstm({ units: 2, returnSequences: true })], { seed: 1, inputShape: [null, 3] });
    const zeros = m.predict(x, { lengths }).data;
    const held = m.predict(x, { mask: prefix }).data;
    lengths.forEach((length, b) => {
      const at = (data: Float32Array, t: number): number[] => [...data.subarray((b * T + t) * 2, (b * T + t + 1) * 2)];
      for (let t = length; t < T; t++) {
        assert.equal(at(zeros, t), [0, 0]);
        assert.equal(at(held, t), length > 0 ? at(held, length - 1) : [0, 0]);
      }
    });
    m.dispose();
  });

  test("without sequences the last valid step's output counts", () => {
    const m = model(false);
    const last = m.predict(x, { lengths });
    same(m.predict(x, { mask: prefix }).data, last.data);
    same(m.predict(disturbed(x, prefix), { lengths }).data, last.data);
    assert.ok(Number.isFinite(m.trainOnBatch(x, floats([B, 2]), { lengths }).loss));
    m.dispose();
  });

  test("maskZero reaches loss and metrics", async () => {
    const ids = tokens([B, T], 4, 3);
    const embedded = sequential(
      [
        layers.embedding({ inputDim: 4, outputDim: 3, maskZero: true }),
        layers.gru({ units: 4, returnSequences: true }),
        layers.dropout({ rate: 0.1 }),
        layers.dense({ units: 4 }),
      ],
      { seed: 2, inputShape: [null] },
    );
    embedded.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
    const logits = embedded.predict(ids).data;
    let [loss, right, count] = [0, 0, 0];
    ids.data.forEach((id, i) => {
      if (id === 0) return;
      const row = [...logits.subarray(4 * i, 4 * i + 4)];
      loss += Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[id];
      right += +(row.indexOf(Math.max(...row)) === id);
      count++;
    });
    const scores = embedded.evaluate(ids, ids);
    close([scores.loss, scores.accuracy], [loss / count, right / count], 1e-5);
    refused(
      () => embedded.predict(ids, { lengths }),
      "ERR_VALUE",
      /^embedding "embedding": expected lengths, a mask or maskZero, got two of them$/,
    );
    const padding = { data: new Int32Array(12), shape: [2, 6] };
    assert.is(embedded.trainOnBatch(padding, padding).loss, 0);
    await embedded.fit(ids, ids, { epochs: 2 });
    embedded.dispose();
  });

  test("a batch without a valid step has a loss of 0 and changes nothing by it", () => {
    const m = model();
    m.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 1 }), metrics: ["mae"] });
    const before = m.getWeights();
    const none = Int32Array.of(0, 0, 0, 0, 0);
    assert.equal(m.trainOnBatch(x, y, { lengths: none }), { loss: 0, mae: 0 });
    sameWeights(m.getWeights(), before);
    assert.equal(m.evaluate(x, y, { mask: { data: new Int32Array(B * T), shape: [B, T] } }), { loss: 0, mae: 0 });
    m.dispose();
  });

  test("both, or those that do not fit, are refused", () => {
    const m = model();
    const wrong: [object, string, RegExp][] = [
      [{ lengths, mask: prefix }, "ERR_VALUE", /^SUBJECT: expected lengths or a mask, got both$/],
      [{ lengths: [1, 2] }, "ERR_SHAPE", /^SUBJECT: expected lengths \[5\], got \[2\]$/],
      [{ lengths: [1, 2, 3, 7, 1] }, "ERR_VALUE", /^SUBJECT: expected lengths of 0…6, got 7 for row 3$/],
      [{ lengths: [1, 2, -1, 2, 1] }, "ERR_VALUE", /^SUBJECT: expected lengths of 0…6, got -1 for row 2$/],
      [{ lengths: [1, 2, 1.5, 2, 1] }, "ERR_VALUE", /^SUBJECT: lengths: expected whole numbers, got 1.5 at \[2\]$/],
      [{ mask: [1, 1, 1, 1, 1] }, "ERR_SHAPE", /^SUBJECT: expected mask \[5, 6\], got \[5\]$/],
      [
        { mask: { data: new Uint8Array(25), shape: [5, 5] } },
        "ERR_SHAPE",
        /^SUBJECT: expected mask \[5, 6\], got \[5, 5\]$/,
      ],
    ];
    for (const [steps, code, message] of wrong) {
      const calls: [string, () => unknown][] = [
        ["predict", () => m.predict(x, steps)],
        ["evaluate", () => m.evaluate(x, y, steps)],
        ["trainOnBatch", () => m.trainOnBatch(x, y, steps)],
        ["testOnBatch", () => m.testOnBatch(x, y, steps)],
        ["inspect", () => m.inspect(x, steps)],
      ];
      for (const [subject, run] of calls) refused(run, code, new RegExp(message.source.replace("SUBJECT", subject)));
    }
    m.dispose();
  });
});
