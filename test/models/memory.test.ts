/** What `model.memory` says is what is taken then, and all of it comes back. */
import * as assert from "uvu/assert";
import { backendInfo, layers, losses, optimizers, sequential, ShapeError, StateError } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, tokens } from "../support/models.ts";

const [B, T, I] = [4, 60, 3];

eachBackend("memory", (test) => {
  const make = (checkpointEvery?: number) => {
    const model = sequential([layers.lstm({ units: 16, checkpointEvery }), layers.dense({ units: 1 })], {
      inputShape: [null, I],
      seed: 1,
    });
    model.compile({ optimizer: optimizers.adam(), loss: losses.meanSquaredError() });
    return model;
  };

  test("a training step takes what was said", () => {
    const before = backendInfo().memoryBytes;
    const model = make();
    const need = model.memory([B, T, I], [B, 1]);
    model.trainOnBatch(
      { data: new Float32Array(B * T * I), shape: [B, T, I] },
      { data: new Float32Array(B), shape: [B, 1] },
    );
    const taken = backendInfo().memoryBytes - before;
    assert.is(need.total, need.weights + need.gradients + need.optimizer + need.program);
    assert.is(need.optimizer, 2 * need.weights, "two moments");
    assert.ok(Math.abs(taken - need.total) < 0.02 * need.total + 1024, `expected ${need.total} bytes, took ${taken}`);
    model.dispose();
  });

  test("a prediction takes less, a checkpointed training too", () => {
    const [model, segmented] = [make(), make(50)];
    const x = [B, 50 * T, I];
    const training = model.memory(x, [B, 1]);
    const predicting = model.memory(x);
    assert.is(predicting.gradients + predicting.optimizer, 0);
    assert.ok(predicting.program < training.program);
    assert.ok(segmented.memory(x, [B, 1]).program < training.program / 4);
    model.dispose();
    segmented.dispose();
  });

  test("nothing runs and no program is kept", () => {
    const model = make();
    model.memory([B, T, I], [B, 1]);
    const before = backendInfo().memoryBytes;
    const { data } = model.getWeights()["lstm/kernel"];
    model.memory([B, 100 * T, I], [B, 1]);
    assert.is(backendInfo().memoryBytes, before);
    assert.equal(model.getWeights()["lstm/kernel"].data, data);
    model.dispose();
  });

  test("refuses what are no extents, other features, and targets without a loss", () => {
    const model = make();
    assert.throws(
      () => model.memory([B, 0, I]),
      (error: unknown) => error instanceof ShapeError && /memory: expected x as extents/.test(error.message),
    );
    assert.throws(
      () => model.memory([B, T, I + 1]),
      (error: unknown) => error instanceof ShapeError,
    );
    assert.throws(
      () => layers.dense({ units: 1 }).memory([B, I], [B, 1]),
      (error: unknown) => error instanceof StateError && /memory: expected a compiled model/.test(error.message),
    );
    model.dispose();
  });

  test("no byte is leaked by forward passes, BPTT, masks or states", () => {
    const before = backendInfo().memoryBytes;
    const model = sequential(
      [
        layers.embedding({ inputDim: 9, outputDim: 3, maskZero: true }),
        layers.gru({ units: 5, returnSequences: true, stateful: true, dropout: 0.2 }),
        layers.lstm({ units: 5 }),
        layers.dense({ units: 1 }),
      ],
      { inputShape: [null] },
    );
    model.compile({ optimizer: optimizers.adam({ globalClipNorm: 1 }), loss: "mse", metrics: ["mae"] });
    const [ids, y] = [tokens([B, T], 9), floats([B, 1])];
    const work = (): void => {
      model.predict(ids);
      model.trainOnBatch(ids, y);
      model.evaluate(ids, y);
    };
    work();
    const held = backendInfo().memoryBytes;
    for (let k = 0; k < 50; k++) work();
    assert.is(backendInfo().memoryBytes, held, "more work needs no more memory");
    model.dispose();
    assert.is(backendInfo().memoryBytes, before, "and all of it comes back");
  });
});
