/** Numbers that stop being finite in training: the error names where, and the last finite weights stay. */
import * as assert from "uvu/assert";
import {
  Module,
  NonFiniteError,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights } from "../support/models.ts";
import { refused } from "../support/refused.ts";

const x = floats([6, 4, 3]);
const y = floats([6, 1], 1);

const small = () =>
  sequential(
    [
      layers.simpleRNN({ units: 3, activation: "relu", returnSequences: true, name: "first" }),
      layers.gru({ units: 2, activation: "linear", name: "second" }),
      layers.dense({ units: 1, name: "head" }),
    ],
    { seed: 1, inputShape: [null, 3] },
  );

async function failure(promise: Promise<unknown>): Promise<NonFiniteError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof NonFiniteError, String(error));
  assert.is(error.code, "ERR_NON_FINITE");
  return error;
}

eachBackend("non-finite", (test) => {
  test("a huge learning rate: epoch, batch, layer, and the weights before that batch", async () => {
    const model = small();
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 1e25 }) });
    const kept: ReturnType<typeof model.getWeights>[] = [model.getWeights()];
    const error = await failure(
      model.fit(x, y, {
        epochs: 50,
        batchSize: 3,
        callbacks: [{ onBatchEnd: (_event, m) => void kept.push(m.getWeights()) }],
      }),
    );
    assert.match(
      error.message,
      new RegExp(
        `^fit: expected a finite loss and gradients, got .* in epoch ${error.epoch + 1}, batch ${error.batch + 1}, ` +
          "first in (first|second|head); the weights are those before that batch$",
      ),
    );
    assert.is(kept.length - 1, error.epoch * 2 + error.batch, "batches done before");
    sameWeights(model.getWeights(), kept.at(-1)!);
    for (const { data } of Object.values(model.getWeights())) assert.ok(data.every(Number.isFinite));
    model.dispose();
  });

  test("the first layer with an output that is not finite is named", async () => {
    for (const [weight, layer] of [
      ["first/kernel", "first"],
      ["second/kernel", "second"],
      ["head/kernel", "head"],
    ] as const) {
      const model = small();
      model.compile({ loss: "mse", optimizer: "sgd" });
      const weights = model.getWeights();
      for (const { data } of Object.values(weights)) data.fill(0.5);
      weights[weight].data.fill(3e38);
      weights["head/bias"].data.fill(layer === "head" ? 3e38 : 0);
      model.setWeights(weights);
      const ones = { data: new Float32Array(72).fill(1), shape: [6, 4, 3] };
      const error = await failure(model.fit(ones, y));
      assert.is(error.layer, layer, weight);
      assert.equal([error.epoch, error.batch], [0, 0]);
      assert.match(
        error.message,
        new RegExp(
          "got an output that is not finite \\(loss (NaN|Infinity|-Infinity)\\) in epoch 1, batch 1, " +
            `first in ${layer};`,
        ),
      );
      sameWeights(model.getWeights(), weights);
      model.dispose();
    }
  });

  test("finite outputs, a loss that is not", async () => {
    const model = small();
    model.compile({ loss: "mse", optimizer: "sgd" });
    model.setWeights({ "head/bias": [1e30] });
    const error = await failure(model.fit(x, y));
    assert.match(error.message, /got a loss of Infinity from finite outputs in epoch 1, batch 1, first in head/);
    assert.is(error.layer, "head");
    model.dispose();
  });

  test("a finite loss, a gradient that is not: the layer it comes from", () => {
    for (const clipping of [{}, { globalClipNorm: 1 }, { clipNorm: 1 }, { clipValue: 1 }]) {
      const model = sequential(
        [
          layers.dense({ units: 2, name: "below" }),
          layers.dense({ units: 2, name: "here" }),
          layers.dense({ units: 1, name: "above" }),
        ],
        { seed: 1, inputShape: [2] },
      );
      model.compile({
        loss: losses.meanSquaredError({ reduction: "sum" }),
        optimizer: optimizers.sgd({ learningRate: 0.1, ...clipping }),
      });
      const weights = model.getWeights();
      // p = 0, and yet d(loss)/d(here/kernel) = 1e25·2·(p − y)·1e20
      weights["below/kernel"].data.fill(0);
      weights["below/bias"].data.fill(1e25);
      weights["here/kernel"].data.fill(0);
      weights["above/kernel"].data.fill(1e20);
      model.setWeights(weights);
      let error: unknown;
      try {
        model.trainOnBatch(floats([2, 2]), [[1], [1]]);
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(error instanceof NonFiniteError);
      assert.match(
        error.message,
        /got a gradient that is not finite in epoch 1, batch 1, first in here;/,
        JSON.stringify(clipping),
      );
      sameWeights(model.getWeights(), weights);
      model.dispose();
    }
  });

  test("after it the model trains on, its optimizer as before", async () => {
    const [model, twin] = [small(), small()];
    for (const each of [model, twin]) {
      each.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 0.01 }) });
      each.trainOnBatch(x, y);
    }
    const weights = model.getWeights();
    model.setWeights({ "head/bias": [1e30] });
    await failure(model.fit(x, y, { epochs: 2 }));
    model.setWeights(weights);
    assert.equal(model.trainOnBatch(x, y), twin.trainOnBatch(x, y));
    sameWeights(model.getWeights(), twin.getWeights());
    model.dispose();
    twin.dispose();
  });

  test("the batch that failed is the one shown, not others", async () => {
    const model = small();
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
    model.setWeights({ "first/kernel": { data: new Float32Array(9).fill(2), shape: [3, 3] } });
    const data = x.data.slice();
    data.fill(3e38, 2 * 12, 3 * 12); // row 2
    const error = await failure(model.fit({ ...x, data }, y, { batchSize: 1, shuffle: false, epochs: 3 }));
    assert.equal([error.epoch, error.batch, error.layer], [0, 2, "first"]);
    model.dispose();
  });

  test("trainStep and apply refuse them too", () => {
    class Own extends Module {
      cell = layers.dense({ units: 1 });
      override call(input: Tensor): Tensor {
        return ops.exp(this.cell.call(input));
      }
    }
    const model = new Own({ seed: 1 });
    const value = (input: Tensor): Tensor => ops.sum(model.call(input));
    const optimizer = optimizers.adam();
    const step = trainStep(model, optimizer, value);
    step(rows(x, 0, 1));
    const before = model.getWeights();
    refused(
      () => step({ data: new Float32Array(12).fill(1e4), shape: [1, 4, 3] }),
      "ERR_NON_FINITE",
      /^trainStep: expected a finite value and gradients, got value Infinity in call 2; the weights are those before it$/,
    );
    sameWeights(model.getWeights(), before);
    const { grads } = valueAndGrad(model, value)(x);
    grads["cell/bias"].data[0] = NaN;
    refused(
      () => optimizer.apply(model, grads),
      "ERR_VALUE",
      /^apply: expected finite gradients, got one that is not; the weights are as before$/,
    );
    sameWeights(model.getWeights(), before);
    step(rows(x, 0, 1));
    model.dispose();
  });
});
