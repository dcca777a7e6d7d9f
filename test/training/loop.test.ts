/** The loop around batches: callbacks, stopping, aborting, one training at a time. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layers, sequential, type Callback, type TrainEvent } from "../../bindings/index.ts";
import { differ, floats, sameWeights, trainable } from "../support/models.ts";
import { refused, rejected } from "../support/refused.ts";

const test = suite("loop");

const x = floats([12, 4, 3]);
const y = floats([12, 1], 1);

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("callbacks run in order, each waited for", async () => {
  const model = trainable();
  const log: string[] = [];
  const logger = (name: string, pause: number): Callback => {
    const note = async (text: string): Promise<void> => {
      await wait(pause);
      log.push(`${name} ${text}`);
    };
    return {
      onTrainBegin: (m) => note(`begin ${m === model}`),
      onBatchEnd: ({ epoch, batch, batches }) => note(`batch ${epoch}.${batch}/${batches}`),
      onEpochEnd: ({ epoch, logs }) => note(`epoch ${epoch} ${Object.keys(logs).join()}`),
      onTrainEnd: () => note("end"),
    };
  };
  await model.fit(x, y, {
    epochs: 2,
    batchSize: 6,
    validationSplit: 0.5,
    callbacks: [logger("a", 3), {}, logger("b", 0)],
  });
  assert.equal(
    log,
    ["begin true", "batch 0.1/1", "epoch 0 loss,val_loss", "batch 1.1/1", "epoch 1 loss,val_loss", "end"].flatMap(
      (text) => [`a ${text}`, `b ${text}`],
    ),
  );
  model.dispose();
});

test("stopTraining ends the training after the batch, in good order", async () => {
  const model = trainable();
  const seen: string[] = [];
  const { history, epoch } = await model.fit(x, y, {
    epochs: 5,
    batchSize: 4,
    callbacks: [
      {
        onBatchEnd(event, m) {
          seen.push(`${event.epoch}.${event.batch}`);
          if (event.epoch === 1 && event.batch === 2) m.stopTraining = true;
        },
        onTrainEnd: () => void seen.push("end"),
      },
    ],
  });
  assert.equal(seen, ["0.1", "0.2", "0.3", "1.1", "1.2", "end"]);
  assert.equal(epoch, [0, 1]);
  assert.is(history.loss.length, 2);
  assert.is((await model.fit(x, y, { epochs: 2 })).epoch.length, 2, "the next training starts anew");
  model.dispose();
});

test("a callback that throws ends the training with its error; the model trains on", async () => {
  const model = trainable();
  let ended = false;
  const callbacks: Callback[] = [
    {
      onEpochEnd: () => {
        throw new TypeError("mine");
      },
      onTrainEnd: () => void (ended = true),
    },
  ];
  const outcome = await model.fit(x, y, { epochs: 3, callbacks }).catch((error: unknown) => error);
  assert.ok(outcome instanceof TypeError && outcome.message === "mine");
  assert.ok(ended);
  await model.fit(x, y);
  model.dispose();
});

test("a signal aborted before: rejects with its reason, nothing changes", async () => {
  const model = trainable();
  const before = model.getWeights();
  const reason = new Error("not today");
  const outcome = await model.fit(x, y, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error);
  assert.is(outcome, reason);
  sameWeights(model.getWeights(), before);
  model.dispose();
});

test("a signal aborted during a batch takes effect after it; weights stay, the model is usable", async () => {
  const [model, twin] = [trainable(), trainable()];
  const controller = new AbortController();
  const batches: number[] = [];
  const options = { batchSize: 4, shuffle: false };
  const fitting = model.fit(x, y, {
    ...options,
    epochs: 3,
    signal: controller.signal,
    callbacks: [
      {
        onBatchEnd: ({ batch }) => {
          batches.push(batch);
          if (batch === 2) controller.abort("enough");
        },
      },
    ],
  });
  assert.is(await fitting.catch((reason: unknown) => reason), "enough");
  assert.equal(batches, [1, 2]);
  await twin.fit(x, y, {
    ...options,
    callbacks: [{ onBatchEnd: ({ batch }, m) => void (m.stopTraining = batch === 2) }],
  });
  sameWeights(model.getWeights(), twin.getWeights());
  assert.ok(model.predict(x).data.every(Number.isFinite));
  assert.is((await model.fit(x, y)).epoch.length, 1);
  model.dispose();
  twin.dispose();
});

test("an abort between validation batches takes effect there", async () => {
  const model = trainable(64);
  const controller = new AbortController();
  const many = { data: new Float32Array(20000 * 12), shape: [20000, 4, 3] };
  const none = new Float32Array(20000);
  const fitting = model.fit(x, y, {
    validationData: [many, none],
    validationBatchSize: 8,
    signal: controller.signal,
    callbacks: [{ onBatchEnd: () => void setTimeout(() => controller.abort("stop"), 5) }],
  });
  assert.is(await fitting.catch((reason: unknown) => reason), "stop");
  model.dispose();
});

test("one training at a time; predict, evaluate and streams between its batches are fine", async () => {
  const [model, twin] = [trainable(), trainable()];
  let looked = 0;
  await model.fit(x, y, {
    epochs: 2,
    batchSize: 4,
    callbacks: [
      {
        async onBatchEnd() {
          await rejected(
            model.fit(x, y),
            "ERR_STATE",
            /^fit: this model is already training; await the first fit, or abort it$/,
          );
          refused(
            () => model.trainOnBatch(x, y),
            "ERR_STATE",
            /^trainOnBatch: this model is training; await its fit, or abort it$/,
          );
          model.predict(x);
          model.evaluate(x, y, { batchSize: 5 });
          model.stream().step([1, 2, 3]);
          model.inspect(x);
          model.save({ optimizer: true });
          looked++;
        },
      },
    ],
  });
  assert.is(looked, 6);
  await twin.fit(x, y, { epochs: 2, batchSize: 4 });
  sameWeights(model.getWeights(), twin.getWeights(), "looking changes nothing");
  model.dispose();
  twin.dispose();
});

test("train gives every event, and its return() stops it", async () => {
  const model = trainable();
  const events: TrainEvent[] = [];
  let ended = 0;
  for await (const event of model.train(x, y, {
    epochs: 2,
    batchSize: 6,
    callbacks: [{ onTrainEnd: () => void ended++ }],
  }))
    events.push(event);
  assert.equal(
    events.map(({ type, epoch, batch }) => `${type} ${epoch}.${batch}`),
    ["batch 0.1", "batch 0.2", "epoch 0.2", "batch 1.1", "batch 1.2", "epoch 1.2"],
  );
  assert.ok(events.every(({ logs }) => Number.isFinite(logs.loss)));
  for await (const { type } of model.train(x, y, { epochs: 100, callbacks: [{ onTrainEnd: () => void ended++ }] }))
    if (type === "epoch") break;
  assert.is(ended, 2);
  const generator = model.train(x, y, { epochs: 3 });
  await generator.next();
  await rejected(model.fit(x, y), "ERR_STATE", /already training/);
  await generator.return();
  assert.equal(await generator.next(), { done: true, value: undefined });
  await model.fit(x, y);
  model.dispose();
});

test("fit is train to its end", async () => {
  const [a, b] = [trainable(), trainable()];
  const { history } = await a.fit(x, y, { epochs: 2, batchSize: 5 });
  const seen: number[] = [];
  for await (const { type, logs } of b.train(x, y, { epochs: 2, batchSize: 5 }))
    if (type === "epoch") seen.push(logs.loss);
  assert.equal(seen, history.loss);
  sameWeights(a.getWeights(), b.getWeights());
  a.dispose();
  b.dispose();
});

test("a model that is disposed of while it trains: a clear error, and every byte back", async () => {
  const model = trainable();
  const { arena } = model.backend;
  const fitting = model.fit(x, y, {
    epochs: 5,
    callbacks: [{ onEpochEnd: ({ epoch }) => void (epoch === 1 && model.dispose()) }],
  });
  await rejected(fitting, "ERR_DISPOSED", /^sequential: expected a live model, got one that was disposed of$/);
  assert.is(arena.bytes, 0);
  await rejected(model.fit(x, y), "ERR_DISPOSED", /^sequential: expected a live model/);
});

test("bad data are found before the first update, wherever they are", async () => {
  const model = sequential(
    [
      layers.embedding({ inputDim: 5, outputDim: 3 }),
      layers.gru({ units: 2 }),
      layers.dense({ units: 4, activation: "softmax" }),
    ],
    { seed: 1, inputShape: [null] },
  );
  model.compile({ loss: "sparseCategoricalCrossentropy" });
  const tokens = { data: new Int32Array(200), shape: [100, 2] };
  const labels = new Int32Array(100);
  const before = model.getWeights();
  const late = {
    ...tokens,
    data: tokens.data.with?.(190, 5) ?? Int32Array.from(tokens.data, (_, i) => (i === 190 ? 5 : 0)),
  };
  const wrong: [Promise<unknown>, RegExp][] = [
    [
      model.fit(late, labels, { batchSize: 8 }),
      /^fit: x: expected tokens for embedding "embedding" of 0…4, got 5 at \[95, 0\]$/,
    ],
    [
      model.fit(
        tokens,
        Int32Array.from(labels, (_, i) => (i === 99 ? -1 : 0)),
        { batchSize: 8 },
      ),
      /^fit: y: expected labels of 0…3, got -1 at \[99\]$/,
    ],
    [
      model.fit(tokens, labels, { validationData: [late, labels] }),
      /^fit: validationData: x: expected tokens for embedding "embedding" of 0…4, got 5 at \[95, 0\]$/,
    ],
  ];
  for (const [fitting, message] of wrong) await rejected(fitting, "ERR_VALUE", message);
  sameWeights(model.getWeights(), before);
  await model.fit(tokens, labels);
  assert.ok(differ(model.getWeights(), before));
  model.dispose();
});

test.run();
