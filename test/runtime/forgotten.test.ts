/** Models that nobody disposed of: collected, told of once, and their bytes given back. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  backendInfo,
  initSync,
  jit,
  layers,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  Module,
} from "../../bindings/index.ts";
import { collectUntil, warnings } from "../support/collect.ts";
import { floats } from "../support/models.ts";

const test = suite("forgotten models");

const used = (): number => backendInfo().memoryBytes;
const small = () =>
  sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 1 })], {
    seed: 1,
    inputShape: [null, 2],
  });
const [x, y] = [floats([2, 4, 2]), floats([2, 4, 1], 1)];

/** What a model was used for, and then forgotten with. */
const uses: Record<string, () => unknown> = {
  "only built": () => small(),
  "predicted with": () => small().predict(x),
  trained: async () => {
    const model = small();
    model.compile({ loss: "mse" });
    await model.fit(x, y, { validationData: [x, y] });
    return model.save({ optimizer: true });
  },
  "trained with clipping, dropout and a constraint": async () => {
    const model = sequential(
      [
        layers.lstm({ units: 3, dropout: 0.5, recurrentDropout: 0.5, stateful: true }),
        layers.dense({ units: 1, kernelConstraint: "nonNeg" }),
      ],
      { inputShape: [null, 2] },
    );
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ momentum: 0.9, clipNorm: 1 }) });
    await model.fit(x, floats([2, 1]), { epochs: 2 });
  },
  "streamed from": () => small().stream().process(x.data),
  inspected: () => {
    const model = small();
    model.compile({ loss: "mse" });
    return model.inspect(x, { y, gradients: true });
  },
  "loaded into": () => {
    const model = small();
    model.load(small().save());
  },
  "trained by a step of its own": () => {
    class Own extends Module {
      cell = layers.dense({ units: 2 });
      override call(value: Parameters<typeof ops.tanh>[0]) {
        return ops.tanh(this.cell.call(value));
      }
    }
    const model = new Own();
    const loss = (input: Parameters<typeof ops.tanh>[0]) => ops.mean(ops.square(model.call(input)));
    trainStep(model, optimizers.adam(), loss)(x);
    const optimizer = optimizers.sgd();
    optimizer.apply(model, valueAndGrad(model, loss)(x).grads);
    jit(model, loss)(x);
  },
};

// first, while nothing has been said yet
test("a model that was disposed of is not told of", async () => {
  initSync();
  const given = await warnings(async () => {
    (() => small().dispose())();
    let collected = false;
    new FinalizationRegistry(() => (collected = true)).register((() => ({}))(), 0);
    await collectUntil(() => collected);
  });
  assert.equal(given, []);
  assert.is(used(), 0);
});

const said: string[] = [];

for (const [name, use] of Object.entries(uses)) {
  test(name, async () => {
    initSync();
    said.push(
      ...(await warnings(async () => {
        await use();
        assert.ok(used() > 0);
        await collectUntil(() => used() === 0);
      })),
    );
    assert.is(used(), 0, "bytes that did not come back");
  });
}

test("no warning for a few kilobytes, one as soon as it has been a megabyte", async () => {
  assert.equal(said, []);
  const large = (): unknown => sequential([layers.dense({ units: 400 })], { inputShape: [400] }).predict([row]);
  const row = new Array<number>(400).fill(0);
  for (let i = 0; i < 3; i++) {
    said.push(
      ...(await warnings(async () => {
        large();
        large();
        await collectUntil(() => used() === 0);
      })),
    );
  }
  assert.is(said.length, 1);
  assert.match(said[0], /models were collected that nobody disposed of; [123] MB have been freed.*call dispose\(\)/);
});

test("a model in use stays", async () => {
  initSync();
  const stream = small().stream(); // a stream keeps its model
  await collectUntil(() => used() === 0, 5);
  assert.is(stream.step([1, 2]).length, 1);
  stream.dispose();
});

test.run();
