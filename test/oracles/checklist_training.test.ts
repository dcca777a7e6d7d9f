/**
 * What the suites of Keras, TF.js and PyTorch assert of training, one test each: where epsilon, momentum and decay stand,
 * clipping, dropout, regularizers, memory that comes back, BPTT through states, masks, nested models.
 */
import * as assert from "uvu/assert";
import {
  backendInfo,
  cells,
  layers,
  losses,
  ops,
  optimizers,
  regularizers,
  sequential,
  trainStep,
  valueAndGrad,
  type Module,
  type NDArray,
  type Optimizer,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, I, H] = [4, 6, 3, 5];
const x = floats([B, T, I], 1);

/** A model of two weights, 1 and −2, after updates by given gradients. */
function updated(optimizer: Optimizer, ...gradients: [number, number][]): Float32Array {
  const model = sequential([layers.dense({ units: 2, useBias: false })], { inputShape: [1] });
  model.setWeights({ "dense/kernel": { data: Float32Array.of(1, -2), shape: [1, 2] } });
  for (const gradient of gradients)
    optimizer.apply(model, { "dense/kernel": { data: Float32Array.from(gradient), shape: [1, 2] } });
  const { data } = model.getWeights()["dense/kernel"];
  model.dispose();
  return data;
}

const torch = { convention: "torch" } as const;

eachBackend("checklist of training", (test) => {
  test("clipping by the norm of all: the coefficient is min(1, max / (norm + 1e-6)), below the limit nothing happens", () => {
    const clip = { learningRate: 1, globalClipNorm: 1, ...torch };
    close(updated(optimizers.sgd(clip), [3, 4]), [1 - 3 / 5.000001, -2 - 4 / 5.000001], 1e-7);
    close(updated(optimizers.sgd(clip), [0.3, 0.4]), [0.7, -2.4], 1e-7);
    close(updated(optimizers.sgd(clip), [0, 0]), [1, -2], 0);
  });

  test("clipping takes all weights together, or each by itself", () => {
    const run = (clipping: object): Record<string, NDArray> => {
      const model = sequential([layers.dense({ units: 1 })], { inputShape: [1] });
      model.setWeights({ "dense/kernel": [[0]], "dense/bias": [0] });
      optimizers.sgd({ learningRate: 1, ...clipping }).apply(model, {
        "dense/kernel": { data: Float32Array.of(3), shape: [1, 1] },
        "dense/bias": { data: Float32Array.of(4), shape: [1] },
      });
      const weights = model.getWeights();
      model.dispose();
      return weights;
    };
    const stepOf = ({ "dense/kernel": kernel, "dense/bias": bias }: Record<string, NDArray>): number[] => [
      -kernel.data[0],
      -bias.data[0],
    ];
    close(stepOf(run({ globalClipNorm: 1 })), [0.6, 0.8], 1e-6);
    close(stepOf(run({ clipNorm: 1 })), [1, 1], 1e-6);
    close(stepOf(run({ clipValue: 3.5 })), [3, 3.5], 1e-6);
  });

  test("SGD: PyTorch's first momentum buffer is the gradient itself", () => {
    const rate = { learningRate: 0.1, momentum: 0.9 };
    close(updated(optimizers.sgd({ ...rate, ...torch }), [1, 2], [1, 2]), [1 - 0.1 - 0.19, -2 - 0.2 - 0.38], 1e-6);
    close(updated(optimizers.sgd({ ...rate, nesterov: true, ...torch }), [1, 2]), [1 - 0.19, -2 - 0.38], 1e-6);
  });

  test("Adam: epsilon is added after the bias correction in PyTorch, before it in Keras", () => {
    const options = { learningRate: 0.1, epsilon: 1e-3, beta1: 0.9, beta2: 0.999 };
    const g = 1e-3; // so that epsilon counts: the corrected moments are g and g²
    close(
      updated(optimizers.adam({ ...options, ...torch }), [g, -g]),
      [1 - (0.1 * g) / (g + 1e-3), -2 + (0.1 * g) / (g + 1e-3)],
      1e-6,
    );
    const root = Math.sqrt(1 - 0.999);
    close(
      updated(optimizers.adam(options), [g, -g]),
      [1 - (0.1 * root * g) / (root * g + 1e-3), -2 + (0.1 * root * g) / (root * g + 1e-3)],
      1e-6,
    );
  });

  test("RMSprop: epsilon stands outside the root in PyTorch, inside in Keras", () => {
    const options = { learningRate: 0.1, rho: 0.9, epsilon: 1e-3 };
    const [g, v] = [1e-2, 0.1 * 1e-4];
    close(
      updated(optimizers.rmsprop({ ...options, ...torch }), [g, -g]),
      [1 - (0.1 * g) / (Math.sqrt(v) + 1e-3), -2 + (0.1 * g) / (Math.sqrt(v) + 1e-3)],
      1e-6,
    );
    close(
      updated(optimizers.rmsprop(options), [g, -g]),
      [1 - (0.1 * g) / Math.sqrt(v + 1e-3), -2 + (0.1 * g) / Math.sqrt(v + 1e-3)],
      1e-6,
    );
  });

  test("decay is taken off the weights by AdamW, and added to the gradient by PyTorch's Adam", () => {
    const options = { learningRate: 0.1, weightDecay: 0.5, ...torch };
    close(updated(optimizers.adamw(options), [0, 0]), [0.95, -1.9], 1e-6);
    close(updated(optimizers.adam(options), [0, 0]), [0.9, -1.9], 1e-5); // L2 turns into a step of the rate, whatever its size
  });

  test("dropout of inputs and of the state acts in training only, with one mask for all steps", () => {
    for (const options of [{ dropout: 0.5 }, { recurrentDropout: 0.5 }]) {
      const model = sequential([layers.lstm({ units: H, returnSequences: true, ...options })], {
        seed: 1,
        inputShape: [null, I],
      });
      const plain = sequential([layers.lstm({ units: H, returnSequences: true })], { seed: 1, inputShape: [null, I] });
      same(model.predict(x).data, plain.predict(x).data, "inference");
      const forward = valueAndGrad(model, (input: Tensor) => [ops.sum(model.call(input)), model.call(input)], {
        aux: true,
        inputs: true,
      });
      assert.ok(
        forward(x).aux.data.some((value: number, i: number) => value !== forward(x).aux.data[i]),
        "training draws another mask each time",
      );
      model.dispose();
      plain.dispose();
    }
    const model = sequential([layers.simpleRNN({ units: H, dropout: 0.5 })], { seed: 2, inputShape: [null, I] });
    const { inputGrads } = valueAndGrad(model, (input: Tensor) => ops.sum(model.call(input)), { inputs: true })(x);
    for (let b = 0; b < B; b++) {
      const dropped = (t: number): boolean[] =>
        Array.from(inputGrads[0].data.subarray((b * T + t) * I, (b * T + t + 1) * I) as Float32Array, (g) => g === 0);
      for (let t = 1; t < T; t++) assert.equal(dropped(t), dropped(0), `row ${b} drops the same features at step ${t}`);
    }
    model.dispose();
  });

  test("regularizers add one penalty per kernel, recurrent kernel and bias", () => {
    const l2 = regularizers.l2({ l2: 0.1 });
    const model = sequential(
      [
        layers.gru({
          units: H,
          kernelRegularizer: l2,
          recurrentRegularizer: l2,
          biasRegularizer: l2,
          biasInitializer: "ones",
        }),
      ],
      { seed: 1, inputShape: [null, I] },
    );
    const plain = sequential([layers.gru({ units: H })], { inputShape: [null, I] });
    plain.setWeights(model.getWeights());
    const y = floats([B, H], 2);
    for (const each of [model, plain]) each.compile({ loss: "mse", optimizer: "sgd" });
    const penalty = Object.values(model.getWeights()).reduce(
      (sum, { data }) => data.reduce((total, w) => total + 0.1 * w * w, sum),
      0,
    );
    close([model.evaluate(x, y).loss], [plain.evaluate(x, y).loss + penalty], 1e-6);
    model.dispose();
    plain.dispose();
  });

  test("a penalty on outputs is that of a row on average, whatever the batch", () => {
    const model = sequential(
      [layers.dense({ units: H, activityRegularizer: regularizers.l1l2({ l1: 0.3, l2: 0.2 }) })],
      { seed: 1, inputShape: [I] },
    );
    const flat = floats([B, I], 3);
    const predicted = model.predict(flat);
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
    const penalty = predicted.data.reduce((total, value) => total + 0.3 * Math.abs(value) + 0.2 * value * value, 0) / B;
    close(
      [
        model.trainOnBatch(flat, predicted).loss,
        model.evaluate(flat, predicted).loss,
        model.evaluate(flat, predicted, { batchSize: 2 }).loss,
      ],
      [penalty, penalty, penalty],
      1e-6,
    );
    model.dispose();
  });

  test("the embedding of a token that does not occur gets no gradient, and one that occurs twice gets both", () => {
    const model = sequential([layers.embedding({ inputDim: 4, outputDim: 2 })], { inputShape: [null] });
    const { grads } = valueAndGrad(model, (ids: Tensor) => ops.sum(model.call(ids)))({
      data: Int32Array.of(1, 3, 1),
      shape: [1, 3],
    });
    same(grads["embedding/embeddings"].data, [0, 0, 2, 2, 0, 0, 1, 1]);
    model.dispose();
  });

  test("masked steps and finished rows get no gradient", () => {
    const model = sequential([layers.lstm({ units: H, returnSequences: true })], { seed: 1, inputShape: [null, I] });
    const sum = (input: Tensor, steps: Record<string, Tensor>): Tensor => ops.sum(ops.square(model.call(input, steps)));
    const gradient = valueAndGrad(model, sum, { inputs: true });
    const mask = {
      data: Int32Array.from([1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
      shape: [B, T],
    };
    const lengths = Int32Array.of(3, 0, 6, 1);
    const silent = (grads: NDArray, valid: (b: number, t: number) => boolean): void => {
      for (let b = 0; b < B; b++) {
        for (let t = 0; t < T; t++) {
          const zeros = grads.data.subarray((b * T + t) * I, (b * T + t + 1) * I).every((g) => g === 0);
          assert.is(zeros, !valid(b, t), `row ${b} step ${t}`);
        }
      }
    };
    silent(gradient(x, { mask }).inputGrads[0], (b, t) => mask.data[b * T + t] === 1);
    silent(gradient(x, { lengths }).inputGrads[0], (b, t) => t < lengths[b]);
    model.dispose();
  });

  for (const batch of [x, floats([1, T, I], 1)])
    test(`a stateful layer starts a batch of ${batch.shape[0]} from the state of the last one, which gets no gradient`, () => {
      const make = (options: object): Module => {
        const layer = layers.gru({ units: H, returnState: true, ...options });
        layer.seed = 4;
        return layer;
      };
      const stateful = make({ stateful: true });
      const step = valueAndGrad(stateful, (input: Tensor) => ops.sum(stateful.call(input)[0]));
      step(batch);
      const second = step(batch);
      const explicit = make({});
      const [, state] = explicit.predict(batch) as unknown as NDArray[];
      const expected = valueAndGrad(explicit, (input: Tensor, h: Tensor) =>
        ops.sum(explicit.call(input, { initialState: [h] })[0]),
      )(batch, state);
      close([second.value], [expected.value], 1e-6);
      for (const [name, { data }] of Object.entries(expected.grads)) close(second.grads[name].data, data, 1e-5, name);
      stateful.dispose();
      explicit.dispose();
    });

  test("two epochs of BPTT end in the same weights in one model, nested ones, and as a step of one's own", async () => {
    const y = floats([B, 1], 3);
    const make = (): [Module, Module] => [layers.lstm({ units: H }), layers.dense({ units: 1 })];
    const options = { seed: 5, inputShape: [null, I] };
    const flat = sequential(make(), options);
    const [lstm, dense] = make();
    const nested = sequential([sequential([lstm]) as Module, dense], options);
    const start = Object.values(flat.getWeights());
    const names = Object.keys(nested.getWeights());
    nested.setWeights(Object.fromEntries(names.map((name, i) => [name, start[i]])));
    const own = sequential(make(), options);
    own.setWeights(flat.getWeights());
    for (const model of [flat, nested]) {
      model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: "mse" });
      await model.fit(x, y, { epochs: 2, batchSize: 2, shuffle: false });
    }
    const mse = losses.meanSquaredError();
    const step = trainStep(own, optimizers.sgd({ learningRate: 0.1 }), (input: Tensor, target: Tensor) =>
      mse(target, own.call(input)),
    );
    for (let k = 0; k < 4; k++) step(half(x, k % 2), half(y, k % 2));
    sameWeights(own.getWeights(), flat.getWeights());
    Object.values(flat.getWeights()).forEach(({ data }, i) => same(nested.getWeights()[names[i]].data, data, names[i]));
    for (const model of [flat, nested, own]) model.dispose();
  });

  test("weights keep their order: kernel, recurrent kernel, bias, layer after layer, frozen ones in their places", () => {
    const model = sequential(
      [
        layers.embedding({ inputDim: 5, outputDim: 3, trainable: false }),
        layers.lstm({ units: 2, peepholes: true, returnSequences: true }),
        layers.rnn({ cell: [cells.gru({ units: 2 }), cells.simpleRNN({ units: 2, useBias: false })] }),
        layers.dense({ units: 1 }),
      ],
      { inputShape: [null] },
    );
    assert.equal(Object.keys(model.getWeights()), [
      "embedding/embeddings",
      "lstm/kernel",
      "lstm/recurrent_kernel",
      "lstm/bias",
      "lstm/peephole_i",
      "lstm/peephole_f",
      "lstm/peephole_o",
      "rnn/cells/0/kernel",
      "rnn/cells/0/recurrent_kernel",
      "rnn/cells/0/bias",
      "rnn/cells/1/kernel",
      "rnn/cells/1/recurrent_kernel",
      "dense/kernel",
      "dense/bias",
    ]);
    const { grads } = valueAndGrad(model, (ids: Tensor) => ops.sum(model.call(ids)))(tokens([2, 3], 5));
    assert.not.ok("embedding/embeddings" in grads);
    const before = model.getWeights();
    model.compile({ optimizer: "adam", loss: "mse" });
    model.trainOnBatch(tokens([2, 3], 5), floats([2, 1]));
    same(model.getWeights()["embedding/embeddings"].data, before["embedding/embeddings"].data, "frozen");
    assert.ok(differ(model.getWeights(), before));
    model.dispose();
  });

  test("no byte is leaked by forward passes, BPTT, masks or states", () => {
    const before = backendInfo().memoryBytes;
    const model = sequential(
      [
        layers.embedding({ inputDim: 9, outputDim: I, maskZero: true }),
        layers.gru({ units: H, returnSequences: true, stateful: true, dropout: 0.2 }),
        layers.lstm({ units: H }),
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

/** One half of the rows. */
function half({ data, shape }: NDArray, which: number): NDArray {
  const size = data.length / 2;
  return { data: data.slice(which * size, (which + 1) * size), shape: [shape[0] / 2, ...shape.slice(1)] };
}
