/** Files: save and load give the same model, and training goes on from a file as if it had never stopped. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Module,
  cells,
  initializers,
  layers,
  loadModel,
  losses,
  ops,
  optimizers,
  schedules,
  sequential,
  trainStep,
  type Optimizer,
  type Tensor,
} from "../../bindings/index.ts";
import { loadModel as loadToRun } from "../../bindings/infer.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, rows, sameWeights, tokens } from "../support/models.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const x = floats([12, 5, 3]);
const y = floats([12, 1], 1);

/** Everything random at once. */
const random = (seed = 3) =>
  sequential(
    [
      layers.gru({ units: 4, returnSequences: true, dropout: 0.2, recurrentDropout: 0.3 }),
      layers.dropout({ rate: 0.4 }),
      layers.lstm({ units: 3 }),
      layers.dense({ units: 1 }),
    ],
    { seed, inputShape: [null, 3] },
  );

const kinds: Record<string, () => Optimizer> = {
  sgd: () => optimizers.sgd({ learningRate: 0.1 }),
  "sgd with momentum": () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
  rmsprop: () => optimizers.rmsprop({ centered: true, momentum: 0.5 }),
  adam: () => optimizers.adam({ learningRate: 0.02, amsgrad: true, globalClipNorm: 0.5 }),
  "adamw by a schedule": () =>
    optimizers.adamw({
      learningRate: schedules.exponentialDecay({ initialLearningRate: 0.05, decaySteps: 4, decayRate: 0.7 }),
    }),
};

eachBackend("resume", (test) => {
  for (const [name, optimizer] of Object.entries(kinds)) {
    test(`${name}: fit goes on bit for bit`, async () => {
      const options = { batchSize: 5, validationSplit: 0.25 };
      const whole = random();
      whole.compile({ loss: "mse", optimizer: optimizer() });
      const all = await whole.fit(x, y, { ...options, epochs: 4 });

      const half = random();
      half.compile({ loss: "mse", optimizer: optimizer() });
      await half.fit(x, y, { ...options, epochs: 2 });
      const bytes = half.save({ optimizer: true });
      half.dispose();

      const rest = loadModel(bytes);
      rest.compile({ loss: "mse", optimizer: optimizer() });
      const { history } = await rest.fit(x, y, { ...options, initialEpoch: 2, epochs: 4 });
      assert.equal(history.loss, all.history.loss.slice(2));
      assert.equal(history.val_loss, all.history.val_loss.slice(2));
      sameWeights(rest.getWeights(), whole.getWeights());
      assert.equal(rest.save({ optimizer: true }), whole.save({ optimizer: true }));
      rest.dispose();
      whole.dispose();
    });
  }

  test("trainOnBatch goes on in the middle of an epoch", () => {
    const [whole, half] = [random(), random()];
    for (const model of [whole, half]) {
      model.compile({ loss: "mse", optimizer: kinds.adam() });
      for (let k = 0; k < 3; k++) model.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4));
    }
    const rest = loadModel(half.save({ optimizer: true }));
    rest.compile({ loss: "mse", optimizer: kinds.adam() });
    for (let k = 3; k < 6; k++)
      assert.equal(
        rest.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4)),
        whole.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4)),
      );
    sameWeights(rest.getWeights(), whole.getWeights());
    for (const model of [whole, half, rest]) model.dispose();
  });

  test("load() into a model that is compiled takes over weights, slots and random numbers", () => {
    const [a, b] = [random(3), random(99)];
    for (const model of [a, b]) model.compile({ loss: "mse", optimizer: kinds.adam() });
    a.trainOnBatch(x, y);
    b.trainOnBatch(y.data.length === 12 ? floats([12, 5, 3], 8) : x, y);
    b.load(a.save({ optimizer: true }));
    assert.is(b.seed, a.seed);
    for (let k = 0; k < 2; k++) assert.equal(b.trainOnBatch(x, y), a.trainOnBatch(x, y));
    sameWeights(b.getWeights(), a.getWeights());
    a.dispose();
    b.dispose();
  });

  test("trainStep of a Module of one's own goes on too", () => {
    class Own extends Module {
      cell = layers.gru({ units: 3, recurrentDropout: 0.5 });
      head = layers.dense({ units: 1 });
      override call(input: Tensor): Tensor {
        return this.head.call(this.cell.call(input));
      }
    }
    const make = (seed: number): { model: Own; step: (...args: unknown[]) => { value: number } } => {
      const model = new Own({ seed });
      const mse = losses.meanSquaredError();
      return {
        model,
        step: trainStep(model, optimizers.adam(), (input: Tensor, target: Tensor) => mse(target, model.call(input))),
      };
    };
    const a = make(1);
    a.step(x, y);
    a.model.compile({ loss: "mse" });
    const b = make(2);
    b.model.predict(x);
    b.model.load(a.model.save());
    assert.is(b.model.seed, 1);
    sameWeights(b.model.getWeights(), a.model.getWeights());
    const [first, second] = [make(1), make(1)];
    for (const { model, step } of [first, second]) {
      step(x, y);
      model.compile({ loss: "mse", optimizer: optimizers.sgd({ momentum: 0.9 }) });
      model.trainOnBatch(x, y);
    }
    const third = make(5);
    third.model.predict(x);
    third.model.load(first.model.save({ optimizer: true }));
    third.model.compile({ loss: "mse", optimizer: optimizers.sgd({ momentum: 0.9 }) });
    assert.equal(third.model.trainOnBatch(x, y), second.model.trainOnBatch(x, y));
    for (const { model } of [a, b, first, second, third]) model.dispose();
  });
});

const test = suite("files");

test("every layer's options come back: the same file, the same predictions", () => {
  const ids = tokens([2, 6], 9);
  const models = [
    random(),
    sequential(
      [
        layers.embedding({
          inputDim: 9,
          outputDim: 4,
          maskZero: true,
          embeddingsInitializer: initializers.randomNormal({ stddev: 0.3 }),
        }),
        layers.lstm({ units: 3, peepholes: true, unitForgetBias: false, returnSequences: true, name: "first" }),
        layers.rnn({
          cell: [cells.gru({ units: 3, resetAfter: false }), cells.simpleRNN({ units: 2, activation: "relu" })],
          returnSequences: true,
        }),
        layers.simpleRNN({ units: 2, useBias: false, goBackwards: true }),
        layers.activation({ activation: "softsign" }),
        layers.dense({ units: 3, activation: "softmax", trainable: false, kernelInitializer: "heNormal" }),
      ],
      { seed: 4, inputShape: [6] },
    ),
  ];
  models.forEach((model, i) => {
    const input = i === 0 ? x : ids;
    const bytes = model.save();
    const copy = loadModel(bytes);
    assert.equal(copy.save(), bytes);
    assert.equal(copy.inputShape, model.inputShape);
    assert.is(copy.seed, model.seed);
    assert.is(copy.summary(), model.summary());
    sameWeights(copy.getWeights(), model.getWeights());
    same(copy.predict(input).data, model.predict(input).data);
    same(loadToRun(bytes).predict(input).data, model.predict(input).data);
    copy.dispose();
    model.dispose();
  });
});

test("a model built by its first call saves what it saw", () => {
  const model = sequential([layers.gru({ units: 2 })], { seed: 1 });
  model.predict(x);
  const copy = loadModel(model.save());
  assert.equal(copy.inputShape, [null, 3]);
  same(copy.predict(x).data, model.predict(x).data);
  copy.dispose();
  model.dispose();
});

test("without the optimizer the file is smaller, and training starts it anew", () => {
  const model = random();
  model.compile({ loss: "mse", optimizer: "adam" });
  model.trainOnBatch(x, y);
  const [lean, full] = [model.save(), model.save({ optimizer: true })];
  assert.ok(full.length > lean.length + 2 * 4 * model.countParams());
  const copy = loadModel(lean);
  copy.compile({ loss: "mse", optimizer: "adam" });
  copy.trainOnBatch(x, y);
  model.trainOnBatch(x, y);
  assert.ok(differ(copy.getWeights(), model.getWeights()));
  copy.dispose();
  model.dispose();
});

test("an optimizer of another kind is refused, and the model is as before", () => {
  const model = random();
  model.compile({ loss: "mse", optimizer: "adam" });
  model.trainOnBatch(x, y);
  const bytes = model.save({ optimizer: true });
  const message =
    /^compile: expected the optimizer "adam" with slots m, v, whose state was loaded, got "sgd" with none$/;

  const copy = loadModel(bytes);
  refused(() => copy.compile({ loss: "mse", optimizer: "sgd" }), "ERR_STATE", message);
  refused(
    () => copy.compile({ loss: "mse", optimizer: optimizers.adam({ amsgrad: true }) }),
    "ERR_STATE",
    /got "adam" with m, v, vhat$/,
  );
  refused(() => copy.trainOnBatch(x, y), "ERR_STATE", /^trainOnBatch: expected a compiled model/);
  assert.equal(copy.save(), loadModel(bytes).save());
  copy.compile({ loss: "mse", optimizer: "adam" });
  assert.equal(copy.trainOnBatch(x, y), model.trainOnBatch(x, y));

  const other = random(8);
  other.compile({ loss: "mse", optimizer: "sgd" });
  const before = other.getWeights();
  refused(() => other.load(bytes), "ERR_STATE", message);
  sameWeights(other.getWeights(), before);
  assert.is(other.seed, 8);
  other.trainOnBatch(x, y);
  for (const made of [model, copy, other]) made.dispose();
});

test("a Module's file goes into a Module, not into loadModel", () => {
  class Own extends Module {
    cell = layers.dense({ units: 2 });
    override call(input: Tensor): Tensor {
      return ops.tanh(this.cell.call(input));
    }
  }
  const [a, b] = [new Own({ seed: 1 }), new Own({ seed: 2 })];
  const input = floats([2, 3]);
  const expected = a.predict(input).data;
  refused(() => b.load(a.save()), "ERR_STATE", /^load: expected a model with weights, got one that is not built/);
  b.predict(input);
  b.load(a.save());
  same(b.predict(input).data, expected);
  refused(
    () => loadModel(a.save()),
    "ERR_FORMAT",
    /^loadModel: expected a file of a model of layers, got one of a Module of your own; make it and call its load\(bytes\)$/,
  );
  a.dispose();
  b.dispose();
});

test("a file of another model is refused by name and shape, and nothing changes", () => {
  const make = (units: number, name?: string) =>
    sequential([layers.gru({ units, name }), layers.dense({ units: 1 })], { inputShape: [null, 3] });
  const target = make(4);
  const before = target.getWeights();
  refused(() => target.load(make(5).save()), "ERR_SHAPE", /^load: expected "gru\/kernel" \[3, 12\], got \[3, 15\]$/);
  refused(
    () => target.load(make(4, "other").save()),
    "ERR_FORMAT",
    /^load: expected weights gru\/kernel, .*, got "other\/bias"$/,
  );
  refused(
    () => target.load(sequential([layers.gru({ units: 4 })], { inputShape: [null, 3] }).save()),
    "ERR_FORMAT",
    /^load: expected a weight "dense\/kernel", got none$/,
  );
  sameWeights(target.getWeights(), before);
  target.dispose();
});

test("what cannot be written down is refused by name", () => {
  const own = sequential(
    [layers.dense({ units: 1, kernelInitializer: (shape) => new Float32Array(shape[0] * shape[1]) })],
    { inputShape: [2] },
  );
  refused(
    () => own.save(),
    "ERR_OPTION",
    /^save: expected options that can be written down, got a function as kernelInitializer of dense "dense"$/,
  );
  class Mine extends Module {
    override call(input: Tensor): Tensor {
      return ops.tanh(input);
    }
  }
  const custom = sequential([new Mine(), layers.dense({ units: 1 })], { inputShape: [2] });
  refused(() => custom.save(), "ERR_OPTION", /^save: expected layers from layers\.\*, got a Mine of your own/);
  refused(
    () => random().save({ optimizer: true }),
    "ERR_STATE",
    /^save: expected an optimizer whose state can be saved, got a model that is not compiled$/,
  );
});

test.run();
