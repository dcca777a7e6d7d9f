/** Options of all optimizers: averages of weights, gradients accumulated over steps, learning rates per weight. */
import * as assert from "uvu/assert";
import {
  Module,
  ValueError,
  callbacks,
  layers,
  loadModel,
  losses,
  ops,
  optimizers,
  schedules,
  sequential,
  trainStep,
  type ArrayRecord,
  type NDArray,
  type Optimizer,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, rows, sameWeights } from "../support/models.ts";
import { close, real } from "../support/numbers.ts";
import { refused, rejected } from "../support/refused.ts";

const [I, O] = [4, 3];
const x = floats([12, 5, 3]);
const y = floats([12, 1], 1);

const dense = (options: object = {}) =>
  sequential([layers.dense({ units: O, ...options })], { inputShape: [I], seed: 1 });
const network = (seed = 3, dropout = 0.2) =>
  sequential([layers.gru({ units: 4, dropout }), layers.dense({ units: 1 })], { inputShape: [null, 3], seed });

const gradientsAt = (step: number): ArrayRecord => ({
  "dense/kernel": { data: real(I * O, step, 2), shape: [I, O] },
  "dense/bias": { data: real(O, 50 + step), shape: [O] },
});

type Plain = Record<string, Float64Array>;
const plain = (record: ArrayRecord, value: (x: number, name: string, i: number) => number = (x) => x): Plain =>
  Object.fromEntries(
    Object.entries(record).map(([name, { data }]) => [name, Float64Array.from(data, (x, i) => value(x, name, i))]),
  );

function closeTo(actual: ArrayRecord, expected: Plain, what = ""): void {
  for (const [name, { data }] of Object.entries(actual)) close(data, expected[name], 3e-6, `${what} ${name}`);
}

/** The mean of several records. */
function meanOf(records: ArrayRecord[]): ArrayRecord {
  return Object.fromEntries(
    Object.entries(records[0]).map(([name, { shape, data }]) => [
      name,
      {
        shape,
        data: data.map((_, i) => records.reduce((sum, record) => sum + record[name].data[i], 0) / records.length),
      },
    ]),
  );
}

/** Training as in Keras: gradients summed over `steps`, weights averaged in every step, from those of the first on. */
function simulate(
  {
    momentum,
    frequency = Infinity,
    steps = 1,
    rate,
  }: { momentum: number; frequency?: number; steps?: number; rate: number },
  count: number,
): { weights: Plain; averages: Plain } {
  const start = dense();
  const weights = plain(start.getWeights());
  const averages = plain(start.getWeights(), () => 0);
  const sums = plain(start.getWeights(), () => 0);
  start.dispose();
  for (let done = 0; done < count; done++) {
    const iterations = Math.floor(done / steps);
    const gradients = gradientsAt(done);
    for (const [name, w] of Object.entries(weights)) {
      for (let i = 0; i < w.length; i++) {
        sums[name][i] += gradients[name].data[i];
        if ((done + 1) % steps === 0) {
          w[i] -= (rate * sums[name][i]) / steps;
          sums[name][i] = 0;
        }
        const keep = iterations === 0 ? 0 : momentum;
        averages[name][i] = keep * averages[name][i] + (1 - keep) * w[i];
        if ((iterations + 1) % frequency === 0) w[i] = averages[name][i];
      }
    }
  }
  return { weights, averages };
}

eachBackend("averages of the weights", (test) => {
  for (const [name, options] of Object.entries({
    "by themselves": { momentum: 0.9 },
    "written every third update": { momentum: 0.8, frequency: 3 },
    "with sums": { momentum: 0.7, steps: 2 },
    "with both": { momentum: 0.6, frequency: 2, steps: 3 },
  } as Record<string, { momentum: number; frequency?: number; steps?: number }>)) {
    test(`${name}: as Keras has them`, () => {
      const m = dense();
      const sgd = optimizers.sgd({
        learningRate: 0.2,
        useEma: true,
        emaMomentum: options.momentum,
        emaOverwriteFrequency: options.frequency,
        gradientAccumulationSteps: options.steps,
      });
      for (let done = 0; done < 10; done++) {
        sgd.apply(m, gradientsAt(done));
        closeTo(m.getWeights(), simulate({ rate: 0.2, ...options }, done + 1).weights, `step ${done}`);
      }
      sgd.finalizeVariableValues(m);
      closeTo(m.getWeights(), simulate({ rate: 0.2, ...options }, 10).averages);
      m.dispose();
    });
  }

  test("training itself is as without them, to the bit", () => {
    const [a, b] = [network(), network()];
    a.compile({ loss: "mse", optimizer: optimizers.adam({ useEma: true }) });
    b.compile({ loss: "mse", optimizer: "adam" });
    for (let k = 0; k < 4; k++) assert.equal(a.trainOnBatch(x, y), b.trainOnBatch(x, y));
    sameWeights(a.getWeights(), b.getWeights());
    for (const m of [a, b]) m.dispose();
  });

  test("fit ends with the averages, also when it is stopped; not when it fails or is left", async () => {
    const run = async (
      train: (m: ReturnType<typeof network>, note: () => void) => Promise<unknown>,
    ): Promise<[raw: ArrayRecord, after: ArrayRecord, averages: ArrayRecord]> => {
      const m = network();
      const optimizer = optimizers.sgd({ learningRate: 0.1, useEma: true, emaMomentum: 0.5 });
      m.compile({ loss: "mse", optimizer });
      let raw: ArrayRecord = {};
      await train(m, () => {
        raw = m.getWeights();
      });
      const after = m.getWeights();
      optimizer.finalizeVariableValues(m);
      const averages = m.getWeights();
      m.dispose();
      return [raw, after, averages];
    };
    const whole = await run((m, note) =>
      m.fit(x, y, { epochs: 2, batchSize: 4, callbacks: [callbacks.lambda({ onBatchEnd: note })] }),
    );
    sameWeights(whole[1], whole[2]);
    assert.ok(differ(whole[0], whole[1]));

    const stop = callbacks.lambda({ onBatchEnd: (_event, model) => void (model.stopTraining = true) });
    const stopped = await run((m, note) =>
      m.fit(x, y, { epochs: 9, batchSize: 4, callbacks: [callbacks.lambda({ onBatchEnd: note }), stop] }),
    );
    sameWeights(stopped[1], stopped[2]);

    const fail = (): never => {
      throw new ValueError("no");
    };
    const failed = await run((m, note) =>
      rejected(
        m.fit(x, y, { callbacks: [callbacks.lambda({ onBatchEnd: note, onEpochEnd: fail })] }),
        "ERR_VALUE",
        /^no$/,
      ),
    );
    sameWeights(failed[1], failed[0]);

    const left = await run(async (m, note) => {
      for await (const { batch } of m.train(x, y, {
        epochs: 3,
        batchSize: 4,
        callbacks: [callbacks.lambda({ onBatchEnd: note })],
      }))
        if (batch === 2) break;
    });
    sameWeights(left[1], left[0]);
    assert.ok(differ(left[1], left[2]));
  });

  test("the best weights of early stopping stand after the averages", async () => {
    const m = network();
    m.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0.1, useEma: true, emaMomentum: 0.5 }) });
    let first: ArrayRecord = {};
    await m.fit(x, y, {
      epochs: 5,
      callbacks: [
        callbacks.lambda({ onEpochEnd: ({ epoch }) => void (first = epoch === 0 ? m.getWeights() : first) }),
        callbacks.earlyStopping({ monitor: "loss", minDelta: 100, restoreBestWeights: true }),
      ],
    });
    sameWeights(m.getWeights(), first);
    m.dispose();
  });

  test("a step that is not finite leaves them alone; frozen weights have none; constraints come after", () => {
    const m = sequential(
      [
        layers.dense({ units: O, trainable: false, name: "frozen" }),
        layers.dense({ units: O, kernelConstraint: "nonNeg" }),
      ],
      { inputShape: [O], seed: 2 },
    );
    m.setWeights({ "dense/kernel": { data: new Float32Array(O * O).fill(0.5), shape: [O, O] } });
    const sgd = optimizers.sgd({ learningRate: 1, useEma: true, emaMomentum: 0.5 });
    const frozen = m.getWeights()["frozen/kernel"];
    const give = (value: number) =>
      sgd.apply(m, { "dense/kernel": { data: new Float32Array(O * O).fill(value), shape: [O, O] } });
    give(2); // 0.5 − 2, which the constraint makes 0
    for (const bad of [NaN, Infinity]) refused(() => give(bad), "ERR_VALUE", /^apply: expected finite gradients/);
    close(m.getWeights()["dense/kernel"].data, new Float32Array(O * O), 0);
    give(-1);
    sgd.finalizeVariableValues(m);
    close(m.getWeights()["dense/kernel"].data, new Float32Array(O * O).fill(-1.5 / 2 + 1 / 2), 1e-6);
    assert.equal(m.getWeights()["frozen/kernel"], frozen);
    m.dispose();
  });

  test("nothing is averaged before the first step, and nothing without useEma", () => {
    const m = dense();
    const before = m.getWeights();
    optimizers.sgd({ useEma: true }).finalizeVariableValues(m);
    const sgd = optimizers.sgd();
    sgd.finalizeVariableValues(m);
    sameWeights(m.getWeights(), before);
    m.dispose();
    refused(() => sgd.finalizeVariableValues(m), "ERR_DISPOSED", /live model/);
    refused(
      () => sgd.finalizeVariableValues(sequential([layers.dense({ units: 1 })])),
      "ERR_STATE",
      /^finalizeVariableValues: expected a model with weights/,
    );
  });
});

eachBackend("updates by several steps", (test) => {
  const kinds: Record<string, (more: object) => Optimizer> = {
    sgd: (more) => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, ...more }),
    "adam by its largest norm": (more) => optimizers.adam({ learningRate: 0.1, globalClipNorm: 0.5, ...more }),
    "nadam by each norm": (more) => optimizers.nadam({ learningRate: 0.1, clipNorm: 0.5, ...more }),
    "adagrad by value": (more) =>
      optimizers.adagrad({ learningRate: 0.1, clipValue: 0.2, convention: "torch", learningRateDecay: 0.1, ...more }),
    "rmsprop by all": (more) =>
      optimizers.rmsprop({ learningRate: 0.1, clipNorm: 1, globalClipNorm: 0.8, clipValue: 0.2, ...more }),
  };
  for (const [name, make] of Object.entries(kinds)) {
    test(`${name}: one update by the mean of three gradients`, () => {
      const [a, b] = [dense(), dense()];
      const [summing, once] = [make({ gradientAccumulationSteps: 3 }), make({})];
      for (let update = 0; update < 4; update++) {
        const before = a.getWeights();
        const gradients = [0, 1, 2].map((k) => gradientsAt(update * 3 + k));
        for (const each of gradients.slice(0, 2)) {
          summing.apply(a, each);
          sameWeights(a.getWeights(), before, "before the update is due");
        }
        summing.apply(a, gradients[2]);
        once.apply(b, meanOf(gradients));
        closeTo(a.getWeights(), plain(b.getWeights()), `update ${update}`);
      }
      for (const m of [a, b]) m.dispose();
    });
  }

  test("schedules go by steps", () => {
    const m = dense();
    const asked: number[] = [];
    const sgd = optimizers.sgd({ learningRate: (step) => (asked.push(step), step), gradientAccumulationSteps: 2 });
    const before = plain(m.getWeights());
    for (let k = 0; k < 4; k++) sgd.apply(m, gradientsAt(7));
    assert.equal(asked, [0, 1, 2, 3]);
    const gradient = plain(gradientsAt(7));
    closeTo(
      m.getWeights(),
      Object.fromEntries(
        Object.entries(before).map(([name, w]) => [name, w.map((value, i) => value - (1 + 3) * gradient[name][i])]),
      ),
    );
    m.dispose();
  });

  test("batches of a half, twice, are the batch: in trainStep, trainOnBatch and fit", async () => {
    const [stepped, given, fitted, whole] = [1, 1, 1, 1].map(() => network(3, 0));
    const make = (steps?: number): Optimizer =>
      optimizers.adam({ learningRate: 0.05, gradientAccumulationSteps: steps });
    const mse = losses.meanSquaredError();
    const step = trainStep(stepped, make(2), (a: Tensor, b: Tensor) => mse(b, stepped.call(a)));
    given.compile({ loss: "mse", optimizer: make(2) });
    fitted.compile({ loss: "mse", optimizer: make(2) });
    whole.compile({ loss: "mse", optimizer: make() });
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [start, end] of [
        [0, 6],
        [6, 12],
      ]) {
        step(rows(x, start, end), rows(y, start, end));
        given.trainOnBatch(rows(x, start, end), rows(y, start, end));
      }
      whole.trainOnBatch(x, y);
    }
    await fitted.fit(x, y, { epochs: 3, batchSize: 6, shuffle: false });
    for (const m of [stepped, given, fitted]) closeTo(m.getWeights(), plain(whole.getWeights()));
    for (const m of [stepped, given, fitted, whole]) m.dispose();
  });

  test("a step that is not finite counts for nothing, in the sums too", () => {
    const [hurt, healthy] = [dense(), dense()];
    const [a, b] = [1, 1].map(() => optimizers.adam({ learningRate: 0.1, gradientAccumulationSteps: 3, useEma: true }));
    for (let t = 0; t < 7; t++) {
      a.apply(hurt, gradientsAt(t));
      b.apply(healthy, gradientsAt(t));
      const bad = gradientsAt(t);
      bad["dense/bias"].data[1] = t % 2 ? NaN : Infinity;
      refused(() => a.apply(hurt, bad), "ERR_VALUE", /^apply: expected finite gradients/);
      sameWeights(hurt.getWeights(), healthy.getWeights());
    }
    // finite each, but not their sum
    const huge = { "dense/bias": { data: new Float32Array(O).fill(3e38), shape: [O] } };
    const before = healthy.getWeights();
    b.apply(healthy, huge);
    refused(() => b.apply(healthy, huge), "ERR_VALUE", /^apply: expected finite gradients/);
    sameWeights(healthy.getWeights(), before);
    for (const m of [hurt, healthy]) m.dispose();
  });

  test("1 is an update in every step", () => {
    const [a, b] = [dense(), dense()];
    optimizers.adam({ gradientAccumulationSteps: 1 }).apply(a, gradientsAt(1));
    optimizers.adam().apply(b, gradientsAt(1));
    sameWeights(a.getWeights(), b.getWeights());
    assert.equal(optimizers.adam({ gradientAccumulationSteps: 1 }).slots, ["m", "v"]);
    for (const m of [a, b]) m.dispose();
  });
});

eachBackend("learning rates of some weights", (test) => {
  const stack = () =>
    sequential(
      [
        layers.embedding({ inputDim: 6, outputDim: 3 }),
        layers.lstm({ units: 2, returnSequences: true }),
        layers.lstm({ units: 2 }),
        layers.dense({ units: 1 }),
      ],
      { inputShape: [null], seed: 1 },
    );
  const ones = (m: Module): ArrayRecord =>
    Object.fromEntries(
      Object.entries(m.getWeights()).map(([name, { data, shape }]): [string, NDArray] => [
        name,
        { data: new Float32Array(data.length).fill(1), shape },
      ]),
    );
  /** How far every weight went down, which is the same for all elements. */
  const moved = (m: Module, update: () => void): Record<string, number> => {
    const before = m.getWeights();
    update();
    return Object.fromEntries(
      Object.entries(m.getWeights()).map(([name, { data }]) => [
        name,
        Math.round(1000 * (before[name].data[0] - data[0])) / 1000,
      ]),
    );
  };

  test("the longest path holds, others have the rate of all, lstm is not lstm_1", () => {
    const m = stack();
    const sgd = optimizers.sgd({
      learningRate: 0.5,
      learningRates: { lstm: 0.1, "lstm/kernel": 0.2, embedding: 0, "lstm_1/bias": (step) => 0.25 * (step + 1) },
    });
    const expected = {
      "embedding/embeddings": 0,
      "lstm/kernel": 0.2,
      "lstm/recurrent_kernel": 0.1,
      "lstm/bias": 0.1,
      "lstm_1/kernel": 0.5,
      "lstm_1/recurrent_kernel": 0.5,
      "lstm_1/bias": 0.25,
      "dense/kernel": 0.5,
      "dense/bias": 0.5,
    };
    assert.equal(
      moved(m, () => sgd.apply(m, ones(m))),
      expected,
    );
    sgd.learningRate = 0.125;
    sgd.learningRates.lstm = 0.75;
    assert.equal(
      moved(m, () => sgd.apply(m, ones(m))),
      {
        ...expected,
        "lstm/recurrent_kernel": 0.75,
        "lstm/bias": 0.75,
        "lstm_1/kernel": 0.125,
        "lstm_1/recurrent_kernel": 0.125,
        "lstm_1/bias": 0.5,
        "dense/kernel": 0.125,
        "dense/bias": 0.125,
      },
    );
    m.dispose();
  });

  test("the same rate for all is what it is without", async () => {
    const [a, b] = [network(), network()];
    a.compile({
      loss: "mse",
      optimizer: optimizers.nadam({
        learningRate: 0.01,
        learningRates: { gru: 0.01, "dense/bias": 0.01 },
        globalClipNorm: 0.3,
      }),
    });
    b.compile({ loss: "mse", optimizer: optimizers.nadam({ learningRate: 0.01, globalClipNorm: 0.3 }) });
    await a.fit(x, y, { epochs: 2, batchSize: 4 });
    await b.fit(x, y, { epochs: 2, batchSize: 4 });
    sameWeights(a.getWeights(), b.getWeights());
    for (const m of [a, b]) m.dispose();
  });

  test("weights left out of decay: by path, or by what they are called", () => {
    const zeros = (m: Module): ArrayRecord =>
      Object.fromEntries(
        Object.entries(m.getWeights()).map(([name, { data, shape }]): [string, NDArray] => [
          name,
          { data: new Float32Array(data.length), shape },
        ]),
      );
    for (const [convention, kinds] of [
      ["keras", ["sgd", "rmsprop", "adamw", "nadam", "adamax", "adagrad", "adadelta", "lion"]],
      ["torch", ["sgd", "adamw"]],
    ] as const) {
      for (const kind of kinds) {
        const m = stack();
        m.setWeights(ones(m));
        const optimizer = optimizers[kind]({
          learningRate: 0.5,
          weightDecay: 0.1,
          learningRates: { lstm_1: 1 },
          excludeFromWeightDecay: ["bias", "embedding", "lstm_1/kernel"],
          convention,
        });
        const decayed = [0.05, 0.1]; // rate · decay: the gradients are zero
        assert.equal(
          moved(m, () => optimizer.apply(m, zeros(m))),
          {
            "embedding/embeddings": 0,
            "lstm/kernel": decayed[0],
            "lstm/recurrent_kernel": decayed[0],
            "lstm/bias": 0,
            "lstm_1/kernel": 0,
            "lstm_1/recurrent_kernel": decayed[1],
            "lstm_1/bias": 0,
            "dense/kernel": decayed[0],
            "dense/bias": 0,
          },
          `${convention} ${kind}`,
        );
        m.dispose();
      }
    }
    const m = stack();
    const odd = optimizers.adamw({ excludeFromWeightDecay: ["biases"] });
    refused(
      () => odd.apply(m, zeros(m)),
      "ERR_OPTION",
      /^optimizers\.adamw: expected excludeFromWeightDecay of embedding, embedding\/embeddings, embeddings, lstm, .*, got "biases", did you mean "bias"\?$/,
    );
    m.dispose();
    for (const given of ["bias", { bias: true }, [1]]) {
      refused(
        () => optimizers.adamw({ excludeFromWeightDecay: given as never }),
        "ERR_OPTION",
        /^optimizers\.adamw: expected excludeFromWeightDecay as a list of names, got (string|object)$/,
      );
    }
  });

  test("paths of a Module of one's own", () => {
    class Blocks extends Module {
      blocks = [layers.dense({ units: 2 }), layers.dense({ units: 2 })];
      override call(input: Tensor): Tensor {
        return this.blocks.reduce((h, block) => block.call(h), input);
      }
    }
    const m = new Blocks({ seed: 1 });
    const step = trainStep(m, optimizers.sgd({ learningRate: 0, learningRates: { "blocks/1": 1 } }), (a: Tensor) =>
      ops.sum(m.call(a)),
    );
    m.predict([[1, 2]]);
    const before = m.getWeights();
    step([[1, 2]]);
    const after = m.getWeights();
    for (const name of Object.keys(before))
      assert.is(differ({ w: after[name] }, { w: before[name] }), name.startsWith("blocks/1"), name);
    m.dispose();
  });

  test("a path that leads to no weight is refused at the first use, and the model is as before", async () => {
    const m = stack();
    const before = m.getWeights();
    const message =
      /^optimizers\.adam: expected learningRates of embedding, embedding\/embeddings, lstm, lstm\/kernel, .*, got "embeding", did you mean "embedding"\?$/;
    const adam = optimizers.adam({ learningRates: { lstm: 0.1, embeding: 0.2 } });
    refused(() => adam.apply(m, ones(m)), "ERR_OPTION", message);
    m.compile({ loss: "mse", optimizer: adam });
    refused(() => m.trainOnBatch([[1, 2]], [[0]]), "ERR_OPTION", message);
    await rejected(m.fit([[1, 2]], [[0]]), "ERR_OPTION", message);
    sameWeights(m.getWeights(), before);
    m.compile({ loss: "mse" });
    m.trainOnBatch([[1, 2]], [[0]]);
    m.dispose();
    refused(
      () => optimizers.sgd({ learningRates: { lstm: -1 } }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected learningRates of "lstm" ≥ 0, got -1$/,
    );
    refused(
      () => optimizers.sgd({ learningRates: 3 as never }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected learningRates by path, got 3$/,
    );
    assert.throws(() => {
      optimizers.sgd().learningRates.late = 1;
    }, TypeError);
  });

  test("reduceLROnPlateau multiplies all of them, down to a least; a schedule is refused", async () => {
    const m = network();
    const optimizer = optimizers.sgd({ learningRate: 0.1, learningRates: { gru: 0.02, "dense/bias": 1 } });
    m.compile({ loss: "mse", optimizer });
    await m.fit(x, y, {
      epochs: 3,
      callbacks: [
        callbacks.reduceLROnPlateau({ monitor: "loss", minDelta: 100, patience: 1, factor: 0.5, minLr: 0.008 }),
      ],
    });
    assert.is(optimizer.learningRate, 0.025);
    assert.equal({ ...optimizer.learningRates }, { gru: 0.008, "dense/bias": 0.25 });
    for (const options of [
      { learningRate: schedules.stepDecay({ initialLearningRate: 0.1, decaySteps: 2 }) },
      { learningRates: { gru: () => 0.1 } },
    ]) {
      m.compile({ loss: "mse", optimizer: optimizers.sgd(options) });
      const plateau = callbacks.reduceLROnPlateau({ monitor: "loss", minDelta: 100, patience: 1 });
      await rejected(
        m.fit(x, y, { epochs: 3, callbacks: [plateau] }),
        "ERR_OPTION",
        /^optimizers\.sgd: expected numbers as learning rates to multiply, got a schedule$/,
      );
    }
    m.dispose();
  });
});

eachBackend("what optimizers keep", (test, _build, { arena }) => {
  const kinds: Record<string, () => Optimizer> = {
    "averages, sums and rates": () =>
      optimizers.nadam({
        useEma: true,
        emaMomentum: 0.8,
        emaOverwriteFrequency: 3,
        gradientAccumulationSteps: 2,
        learningRates: { gru: 0.02 },
      }),
    nadam: () => optimizers.nadam({ learningRate: 0.02 }),
    adamax: () => optimizers.adamax({ learningRate: 0.02, clipNorm: 1 }),
    adagrad: () => optimizers.adagrad({ learningRate: 0.1, learningRateDecay: 0.1 }),
    adadelta: () => optimizers.adadelta({ learningRate: 1 }),
    lion: () => optimizers.lion({ learningRate: 0.01, weightDecay: 0.1 }),
    dampening: () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 }),
  };
  for (const [name, make] of Object.entries(kinds)) {
    test(`${name}: a training goes on bit for bit, from any step`, () => {
      for (const first of [1, 2, 3]) {
        const [whole, half] = [network(), network()];
        for (const m of [whole, half]) {
          m.compile({ loss: "mse", optimizer: make() });
          for (let k = 0; k < first; k++) m.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4));
        }
        const bytes = half.save({ optimizer: true });
        const loaded = network(9);
        loaded.compile({ loss: "mse", optimizer: make() });
        loaded.load(bytes);
        const rest = loadModel(bytes);
        rest.compile({ loss: "mse", optimizer: make() });
        for (let k = first; k < first + 3; k++) {
          const expected = whole.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4));
          for (const m of [rest, loaded]) assert.equal(m.trainOnBatch(rows(x, k, k + 4), rows(y, k, k + 4)), expected);
        }
        for (const m of [rest, loaded]) {
          sameWeights(m.getWeights(), whole.getWeights());
          assert.equal(m.save({ optimizer: true }), whole.save({ optimizer: true }));
        }
        for (const m of [whole, half, rest, loaded]) m.dispose();
      }
    });
  }

  test("state of another kind is refused", () => {
    const m = network();
    m.compile({ loss: "mse", optimizer: optimizers.lion({ useEma: true }) });
    m.trainOnBatch(x, y);
    const copy = loadModel(m.save({ optimizer: true }));
    refused(
      () => copy.compile({ loss: "mse", optimizer: optimizers.lion({ gradientAccumulationSteps: 2 }) }),
      "ERR_STATE",
      /^compile: expected the optimizer "lion" with slots m, ema, whose state was loaded, got "lion" with m, gradients$/,
    );
    for (const each of [m, copy]) each.dispose();
  });

  test("compile frees what the former optimizer kept, but not what a trainStep or apply work with", () => {
    const m = network(3, 0);
    const mse = losses.meanSquaredError();
    const trained = (optimizer: Optimizer): number => {
      m.compile({ loss: "mse", optimizer });
      m.trainOnBatch(x, y);
      return arena.bytes;
    };
    const bytes = trained(optimizers.adam({ amsgrad: true, useEma: true }));
    for (let k = 0; k < 5; k++)
      assert.is(trained(optimizers.adam({ amsgrad: true, useEma: true })), bytes, `compile ${k}`);
    assert.ok(trained(optimizers.sgd()) < bytes);

    const adam = optimizers.adam();
    const step = trainStep(m, adam, (a: Tensor, b: Tensor) => mse(b, m.call(a)));
    const other = network(3, 0);
    const apart = optimizers.adam();
    const same = trainStep(other, apart, (a: Tensor, b: Tensor) => mse(b, other.call(a)));
    other.setWeights(m.getWeights());
    for (const [model, optimizer, run] of [
      [m, adam, step],
      [other, apart, same],
    ] as const) {
      model.compile({ loss: "mse", optimizer });
      model.trainOnBatch(x, y);
      run(x, y);
    }
    m.compile({ loss: "mse", optimizer: "sgd" });
    m.compile({ loss: "mse", optimizer: "lion" });
    for (let k = 0; k < 2; k++) assert.is(step(x, y).value, same(x, y).value);
    for (const each of [m, other]) each.dispose();
  });

  test("compile is refused while a training runs", async () => {
    const m = network();
    m.compile({ loss: "mse" });
    await m.fit(x, y, {
      callbacks: [
        callbacks.lambda({
          onBatchEnd: () =>
            refused(
              () => m.compile({ loss: "mae" }),
              "ERR_STATE",
              /^compile: this model is training; await its fit, or abort it$/,
            ),
        }),
      ],
    });
    m.compile({ loss: "mae" });
    m.dispose();
  });
});
