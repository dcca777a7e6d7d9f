/** Divided batches give what whole ones give, but for rounding, and the same bits every time. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Module,
  constraints,
  layers,
  losses,
  ops,
  optimizers,
  regularizers,
  sequential,
  type CompileOptions,
  type Tensor,
} from "../../bindings/index.ts";
import type { BatchOptions } from "../../bindings/training/data/dataset.ts";
import { hasRelaxed } from "../support/builds.ts";
import { floats, sameWeights, tokens } from "../support/models.ts";
import { startsDuring, useThreads } from "../support/threads.ts";

const test = suite("threads");

const [B, T, I, K] = [33, 20, 8, 12];
const x = floats([B, T, I]);
const y = floats([B, T, 4], 1);
const text = tokens([B, T], K);
const labels = tokens([B, T], K, 1);
const lengths = Int32Array.from({ length: B }, (_, b) => (b * 7) % (T + 1));
const mask = { data: Int32Array.from({ length: B * T }, (_, i) => ((i * 5) % 7 < 4 ? 1 : 0)), shape: [B, T] };
const weights = Float32Array.from({ length: B }, (_, b) => (b % 5) / 2);

interface Case {
  readonly make: () => Module;
  readonly compile?: Partial<CompileOptions>;
  readonly x?: any;
  readonly y?: any;
  readonly options?: BatchOptions;
}

const regression =
  (more = {}) =>
  () =>
    sequential([layers.lstm({ units: 48, returnSequences: true, ...more }), layers.dense({ units: 4 })], {
      inputShape: [null, I],
      seed: 3,
    });
const characters =
  (embedding = {}) =>
  () =>
    sequential(
      [
        layers.embedding({ inputDim: K, outputDim: 16, ...embedding }),
        layers.gru({ units: 48, returnSequences: true }),
        layers.dense({ units: K }),
      ],
      { inputShape: [null], seed: 3 },
    );
const xent = (options = {}) => ({
  loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, ...options }),
  metrics: ["accuracy"],
});

class Two extends Module {
  body = layers.simpleRNN({ units: 64, returnSequences: true });
  near = layers.dense({ units: 4 });
  far = layers.dense({ units: K });

  override call(input: Tensor): Record<string, Tensor> {
    const h: Tensor = this.body.call(input);
    return { near: this.near.call(h), far: this.far.call(h) };
  }
}

/** A cell whose steps are a loop in the program. */
class Leaky extends Module {
  stateSize = 64;
  input = layers.dense({ units: 64 });
  state = layers.dense({ units: 64, useBias: false });

  override call(input: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const next = ops.tanh(ops.add(this.input.call(input), this.state.call(h)));
    return [next, [next]];
  }
}

const own = (yTrue: Tensor, yPred: Tensor): Tensor => ops.mean(ops.abs(ops.sub(yTrue, yPred)), { axis: [1, 2] });

const cases: Record<string, Case> = {
  "a mean over rows": { make: regression(), compile: { metrics: ["mae", "r2"] } },
  lengths: { make: regression(), options: { lengths } },
  "a mask with holes, and steps that weigh": { make: regression(), options: { mask, sampleWeight: floats([B, T], 2) } },
  "rows that weigh": { make: regression(), options: { sampleWeight: weights } },
  "a sum": { make: regression(), compile: { loss: losses.huber({ reduction: "sum" }) } },
  "dropout everywhere": { make: regression({ dropout: 0.2, recurrentDropout: 0.3 }), options: { lengths } },
  penalties: {
    make: () =>
      sequential(
        [
          layers.gru({
            units: 48,
            kernelRegularizer: regularizers.l2({ l2: 0.1 }),
            kernelConstraint: constraints.maxNorm({ maxValue: 1 }),
          }),
          layers.dropout({ rate: 0.4 }),
          layers.dense({ units: 4, activityRegularizer: regularizers.l1({ l1: 0.1 }) }),
        ],
        { inputShape: [null, I], seed: 3 },
      ),
    y: floats([B, 4], 1),
  },
  "both directions": {
    make: () =>
      sequential([layers.bidirectional({ layer: layers.lstm({ units: 32 }) }), layers.dense({ units: 4 })], {
        inputShape: [null, I],
        seed: 3,
      }),
    y: floats([B, 4], 1),
    options: { lengths },
  },
  "recomputed segments": { make: regression({ checkpointEvery: 7 }), options: { lengths } },
  clipping: {
    make: regression(),
    compile: { optimizer: optimizers.sgd({ learningRate: 0.1, clipNorm: 0.01, globalClipNorm: 0.02 }) },
  },
  tokens: { make: characters(), compile: xent(), x: text, y: labels },
  "token 0 as padding": { make: characters({ maskZero: true }), compile: xent(), x: text, y: labels },
  "ignored labels": { make: characters(), compile: xent({ ignoreIndex: 3 }), x: text, y: labels },
  "classes that weigh, in the divisor too": {
    make: characters(),
    compile: xent({ classWeights: Array.from({ length: K }, (_, k) => k / 4) }),
    x: text,
    y: labels,
  },
  "classes that weigh": {
    make: characters(),
    compile: xent(),
    x: text,
    y: labels,
    options: { classWeight: { 0: 3, 2: 0.5 } },
  },
  "several outputs": {
    make: () => new Two({ seed: 3 }),
    y: { near: y, far: labels },
    compile: {
      loss: { near: "mse", far: losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreIndex: 1 }) },
      lossWeights: { near: 2, far: 0.5 },
      metrics: { far: "accuracy" },
    },
  },
  "a cell of one's own, in a loop": {
    make: () =>
      sequential(
        [
          layers.rnn({ cell: new Leaky(), returnSequences: true }),
          layers.dropout({ rate: 0.2 }),
          layers.dense({ units: 4 }),
        ],
        { inputShape: [null, I], seed: 3 },
      ),
    options: { lengths },
  },
  "a loss of one's own with a number per row": { make: regression(), compile: { loss: own } },
};

interface Outcome {
  readonly numbers: number[];
  readonly weights: ReturnType<Module["getWeights"]>;
}

/** Three updates and an evaluation. */
function train({ make, compile = {}, x: input = x, y: target = y, options = {} }: Case): Outcome {
  const model = make();
  model.predict(input, { batchSize: 1 }); // builds those without an inputShape
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: "mse", ...compile });
  const logs = [1, 2, 3].map(() => model.trainOnBatch(input, target, options));
  logs.push(model.evaluate(input, target, { ...options, batchSize: 32 }));
  const result = { numbers: logs.flatMap(Object.values) as number[], weights: model.getWeights() };
  model.dispose();
  return result;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.is(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    assert.ok(
      distance <= 2e-5 * Math.max(1, Math.abs(expected[i])),
      `${what}[${i}]: expected ${expected[i]}, got ${actual[i]}`,
    );
  }
}

for (const [name, settings] of Object.entries(cases)) {
  for (const threads of [2, 3]) {
    test(`${name}: ${threads} threads as one`, async () => {
      await useThreads(1);
      const expected = train(settings);
      const { pool, arena } = await useThreads(threads);
      const results: Outcome[] = [];
      const starts = await startsDuring(pool!, () => {
        for (let run = 0; run < 2; run++) results.push(train(settings));
      });
      assert.ok(starts >= 2 * 4 * (threads - 1), `workers were started ${starts} times`);
      const [once, again] = results;
      near(once.numbers, expected.numbers, "losses and metrics");
      for (const [weight, { data }] of Object.entries(expected.weights)) near(once.weights[weight].data, data, weight);
      sameWeights(again.weights, once.weights, "the same bits");
      assert.equal(again.numbers, once.numbers);
      assert.is(arena.bytes, 0, "memory is given back");
    });
  }
}

if (hasRelaxed) {
  test("the relaxed build", async () => {
    await useThreads(1, "relaxed");
    const expected = train(cases.lengths);
    await useThreads(2, "relaxed");
    near(train(cases.lengths).numbers, expected.numbers, "losses");
  });
}

test("predict divides batches, and takes one for every thread where there are more rows", async () => {
  const model = regression();
  await useThreads(1);
  const one = model();
  const { pool } = await useThreads(2);
  const two = model();
  // two of 4 rows are not worth a worker, and neither is the last row alone
  for (const [batchSize, worth] of [
    [4, 0],
    [10, 2],
    [16, 1],
    [32, 1],
    [100, 1],
  ]) {
    for (const options of [{}, { lengths }, { mask }]) {
      let divided: Float32Array | undefined;
      const starts = await startsDuring(pool!, () => (divided = two.predict(x, { ...options, batchSize }).data));
      assert.is(starts, worth, `batches of ${batchSize}`);
      near(divided!, one.predict(x, { ...options, batchSize }).data, `${batchSize} ${Object.keys(options)}`);
    }
  }
  one.dispose();
  two.dispose();
});

test("fit, with callbacks, validation and a batch left over, and going on from a file", async () => {
  const history = async (save: boolean): Promise<{ losses: number[]; weights: ReturnType<Module["getWeights"]> }> => {
    const settings = { optimizer: optimizers.adam({ learningRate: 0.01 }), loss: "mse", metrics: ["mae"] } as const;
    let model = regression({ dropout: 0.3 })();
    model.compile(settings as unknown as CompileOptions);
    const options = { batchSize: 10, validationSplit: 0.3 };
    const first = await model.fit(x, y, { ...options, epochs: save ? 1 : 2 });
    const losses = [...first.history.loss, ...first.history.val_loss];
    if (save) {
      const bytes = model.save({ optimizer: true });
      model.dispose();
      model = regression({ dropout: 0.3 })();
      model.load(bytes);
      model.compile(settings as unknown as CompileOptions);
      const second = await model.fit(x, y, { ...options, initialEpoch: 1, epochs: 2 });
      losses.splice(1, 0, ...second.history.loss);
      losses.push(...second.history.val_loss);
    }
    const weights = model.getWeights();
    model.dispose();
    return { losses, weights };
  };
  await useThreads(1);
  const expected = await history(false);
  const { pool } = await useThreads(2);
  let whole: typeof expected | undefined;
  assert.ok((await startsDuring(pool!, async () => (whole = await history(false)))) > 4);
  near(whole!.losses, expected.losses, "losses");
  const resumed = await history(true);
  assert.equal(resumed.losses, whole!.losses);
  sameWeights(resumed.weights, whole!.weights);
});

test.run();
