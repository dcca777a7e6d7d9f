/** Padding that the caller named counts in no loss, gradient or metric, whatever the outputs went through. */
import * as assert from "uvu/assert";
import {
  Module,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type Layer,
  type Loss,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { warnings } from "../support/collect.ts";
import { floats, sameWeights } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, F] = [3, 5, 4];
const x = floats([B, T, F]);
const y = floats([B, T, 2], 1);
const lengths = [5, 2, 3];
const mask = lengths.map((n) => Array.from({ length: T }, (_, t) => (t < n ? 1 : 0)));
const holes = [
  [1, 0, 1, 1, 0],
  [0, 1, 0, 0, 1],
  [1, 1, 1, 1, 1],
];

/** Mean squared and mean absolute error over the steps that count. */
function errors(p: NDArray, valid: number[][], target = y): [mse: number, mae: number] {
  const [, steps, width] = p.shape;
  let [squares, sizes, count] = [0, 0, 0];
  p.data.forEach((value, i) => {
    const step = Math.floor(i / width);
    if (!valid[Math.floor(step / steps)][step % steps]) return;
    squares += (value - target.data[i]) ** 2;
    sizes += Math.abs(value - target.data[i]);
    count++;
  });
  return [squares / count, sizes / count];
}

type Parts = Readonly<Record<"one" | "other" | "two" | "three", Layer>>;

/** What a model of one's own may do with the outputs of its recurrent layer before it gives them. */
const PATHS: Readonly<Record<string, (parts: Parts, h: Tensor, x: Tensor) => Tensor>> = {
  concat: ({ one, other }, h) => ops.concat([one.call(h) as Tensor, other.call(h) as Tensor]),
  "concat with something that knows no steps": ({ one }, h, x) =>
    ops.concat([
      one.call(h) as Tensor,
      ops.transpose(ops.reshape(ops.slice(x, [0, 0, 0], [B, T, 1]), [1, B, T]), [1, 2, 0]),
    ]),
  slice: ({ three }, h) => ops.slice(three.call(h) as Tensor, [0, 0, 1]),
  split: ({ two }, h) => ops.concat(ops.split(two.call(h) as Tensor, 2).reverse()),
  where: ({ two }, h) => ops.where(ops.greater(two.call(h) as Tensor, 0), two.call(h) as Tensor, 0),
  "reshape there and back": ({ two }, h) => ops.reshape(ops.reshape(two.call(h) as Tensor, [B, T * 2]), [B, T, 2]),
  "transpose there and back": ({ two }, h) => ops.transpose(ops.transpose(two.call(h) as Tensor, [0, 2, 1]), [0, 2, 1]),
  gather: ({ three }, h) => ops.gather(three.call(h) as Tensor, ops.argmax(ops.zeros([2, 3])), 2),
  stack: ({ one, other }, h) => ops.reshape(ops.stack([one.call(h) as Tensor, other.call(h) as Tensor], 2), [B, T, 2]),
  matmul: ({ three }, h) => ops.matmul(three.call(h) as Tensor, ops.zeros([3, 2])),
  softmax: ({ two }, h) => ops.softmax(two.call(h) as Tensor, -1),
  "residual of the input": ({ two }, h, x) => ops.add(two.call(h) as Tensor, ops.slice(x, [0, 0, 0], [-1, -1, 2])),
};

function network(path: (parts: Parts, h: Tensor, x: Tensor) => Tensor): Module {
  class Net extends Module {
    rnn = layers.lstm({ units: 3, returnSequences: true });
    one = layers.dense({ units: 1 });
    other = layers.dense({ units: 1 });
    two = layers.dense({ units: 2 });
    three = layers.dense({ units: 3 });

    override call(input: Tensor): Tensor {
      return path(this as unknown as Parts, this.rnn.call(input) as Tensor, input);
    }
  }
  return new Net({ seed: 3 });
}

const tagger = (loss: Loss | string): ReturnType<typeof sequential> => {
  const model = sequential([layers.lstm({ units: 3, returnSequences: true }), layers.dense({ units: 2 })], {
    inputShape: [null, F],
    seed: 4,
  });
  model.compile({ optimizer: "sgd", loss });
  return model;
};

const perStep: Loss = (t, p) => ops.mean(ops.square(ops.sub(t, p)), { axis: -1 });

eachBackend("padding", (test) => {
  for (const [name, path] of Object.entries(PATHS)) {
    test(`${name}: loss and metric count the valid steps`, () => {
      for (const [given, valid] of [
        [{ lengths }, mask],
        [{ mask: holes }, holes],
      ] as const) {
        const model = network(path);
        model.compile({ optimizer: "sgd", loss: "mse", metrics: ["mae"] });
        const [mse, mae] = errors(model.predict(x, given) as NDArray, valid as number[][]);
        const logs = model.evaluate(x, y, given);
        close([logs.loss, logs.mae], [mse, mae], 1e-6);
        close([model.trainOnBatch(x, y, given).loss], [mse], 1e-6);
      }
    });
  }

  test("a mask that a layer found goes through ops as well", () => {
    const masked: NDArray = {
      data: x.data.map((value, i) => (holes.flat()[Math.floor(i / F)] ? value : 9)),
      shape: x.shape,
    };
    for (const name of ["concat", "slice", "split", "where", "gather", "stack", "matmul", "softmax"]) {
      class Net extends Module {
        masking = layers.masking({ maskValue: 9 });
        inner = network(PATHS[name]);
        override call(input: Tensor): Tensor {
          return this.inner.call(this.masking.call(input)) as Tensor;
        }
      }
      const model = new Net({ seed: 3 });
      model.compile({ optimizer: "sgd", loss: "mse" });
      const [mse] = errors(model.predict(masked) as NDArray, holes);
      close([model.evaluate(masked, y).loss], [mse], 1e-6, name);
    }
  });

  test("steps that are cut off or put together along the time keep what they were", () => {
    class Shifted extends Module {
      rnn = layers.gru({ units: 2, returnSequences: true });
      override call(input: Tensor): Tensor {
        const h = this.rnn.call(input) as Tensor;
        return ops.concat([ops.slice(h, [0, 1]), ops.slice(h, [0, 0], [-1, 1])], 1); // steps 1, 2, 3, 4, 0
      }
    }
    const model = new Shifted({ seed: 3 });
    model.compile({ optimizer: "sgd", loss: "mse" });
    for (const [given, valid] of [
      [{ lengths }, mask],
      [{ mask: holes }, holes],
    ] as const) {
      const turned = valid.map(([first, ...rest]) => [...rest, first]);
      const [mse] = errors(model.predict(x, given) as NDArray, turned);
      close([model.evaluate(x, y, given).loss], [mse], 1e-6);
    }
  });

  test("a loss of one's own is masked, weighted and averaged as one of the library", () => {
    const sampleWeight = floats([B, T], 5);
    for (const given of [{}, { lengths }, { mask: holes }, { sampleWeight: [0, 1, 2] }, { sampleWeight, lengths }]) {
      const [ours, own] = [tagger("mse"), tagger(perStep)];
      const [a, b] = [ours.trainOnBatch(x, y, given), own.trainOnBatch(x, y, given)];
      close([b.loss], [a.loss], 1e-6, JSON.stringify(Object.keys(given)));
      const [after, expected] = [own, ours].map((model) =>
        Object.values(model.getWeights()).flatMap(({ data }) => [...data]),
      );
      close(after, expected, 1e-6);
    }
  });

  test("targets in the padding have no influence on the update", () => {
    const junk = { data: y.data.map((value, i) => (mask.flat()[i >> 1] ? value : 1000)), shape: y.shape };
    for (const loss of ["mse", perStep, (t: Tensor, p: Tensor) => ops.add(losses.huber()(t, p), 1)]) {
      const [clean, dirty] = [tagger(loss), tagger(loss)];
      clean.trainOnBatch(x, y, { lengths });
      dirty.trainOnBatch(x, junk, { lengths });
      sameWeights(dirty.getWeights(), clean.getWeights());
    }
  });

  test("losses in functions of one's own count what the predictions know", () => {
    const expected = tagger("mse").evaluate(x, y, { lengths }).loss;
    const n = Int32Array.from(lengths);
    const loss = losses.meanSquaredError();
    const model = tagger("mse");
    const fn = (v: Tensor, t: Tensor, steps: Tensor): Tensor => loss(t, model.call(v, { lengths: steps }) as Tensor);
    close([valueAndGrad(model, fn)(x, y, n).value], [expected], 1e-6);
    const step = trainStep(model, optimizers.sgd(), fn);
    close([step(x, y, n).value], [expected], 1e-6);
    const none = losses.meanSquaredError({ reduction: "none" });
    const summed = valueAndGrad(model, (v: Tensor, t: Tensor, steps: Tensor) =>
      ops.sum(none(t, model.call(v, { lengths: steps }) as Tensor)),
    );
    const again = tagger("mse");
    again.setWeights(model.getWeights());
    close([summed(x, y, n).value], [again.evaluate(x, y, { lengths }).loss * 10], 1e-6); // 5 + 2 + 3 steps
  });

  test("a function that gives one number is taken as it is, and said to be once where steps are padding", async () => {
    const mean: Loss = (t, p) => ops.mean(ops.square(ops.sub(t, p)));
    const said = await warnings(() => {
      tagger(mean).evaluate(x, y);
      for (let i = 0; i < 2; i++) tagger(mean).evaluate(x, y, { lengths });
    });
    assert.ok(said.length <= 1);
    for (const text of said) assert.match(text, /expected a loss of one number per step \[3, 5\]/);
    refused(
      () => tagger(mean).trainOnBatch(x, y, { sampleWeight: [1, 2, 3] }),
      "ERR_OPTION",
      /expected a loss of one number per row or step with weights/,
    );
  });

  test("loss of fit and evaluate is the mean over what counts, whatever the batch size", async () => {
    const [mse] = errors(tagger("mse").predict(x, { lengths }), mask);
    for (const batchSize of [1, 2, 3]) close([tagger("mse").evaluate(x, y, { lengths, batchSize }).loss], [mse], 1e-6);
    const model = tagger("mse");
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: "mse", metrics: ["mse"] });
    const { history } = await model.fit(x, y, { lengths, batchSize: 2 });
    close(history.loss, [mse], 1e-6);
    close(history.mse, [mse], 1e-6);
    model.compile({ loss: "mse", lossMean: "batches" });
    const each = [0, 1, 2].map((row) => {
      const rows = (array: NDArray): NDArray => {
        const size = array.data.length / B;
        return { data: array.data.slice(row * size, (row + 1) * size), shape: [1, ...array.shape.slice(1)] };
      };
      return model.evaluate(rows(x), rows(y), { lengths: [lengths[row]] }).loss;
    });
    close([model.evaluate(x, y, { lengths, batchSize: 1 }).loss], [each.reduce((sum, loss) => sum + loss) / 3], 1e-6);
    refused(
      () => model.compile({ loss: "mse", lossMean: "rows" as "batches" }),
      "ERR_OPTION",
      /lossMean "counted" or "batches"/,
    );
  });

  test("a recurrent layer that does not get the lengths of the call says so", async () => {
    class Lost extends Module {
      rnn = layers.gru({ units: 2, name: "lost" });
      override call(input: Tensor): Tensor {
        return this.rnn.call(ops.reshape(ops.reshape(input, [B * T, F]), [B, T, F])) as Tensor;
      }
    }
    const said = await warnings(() => void new Lost().predict(x, { lengths }));
    assert.ok(said.length <= 1); // once for both builds
    for (const text of said) assert.match(text, /expected lengths with x \[3, 5, 4\].*pass them on/);
    class Told extends Lost {
      override call(input: Tensor): Tensor {
        return this.rnn.call(ops.reshape(ops.reshape(input, [B * T, F]), [B, T, F]), { lengths: null }) as Tensor;
      }
    }
    assert.equal(await warnings(() => void new Told().predict(x, { lengths })), []);
  });

  test("sentences of words: timeDistributed gives each step its own mask and masks steps without a word", () => {
    const words = {
      data: Int32Array.of(3, 1, 4, 0, 1, 5, 0, 0, 0, 0, 0, 0, 6, 5, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0),
      shape: [2, 3, 4],
    };
    const embed = (): Layer => layers.embedding({ inputDim: 7, outputDim: 3, maskZero: true, name: "e" });
    const [inner, outer] = [layers.gru({ units: 4, name: "g" }), layers.lstm({ units: 2, name: "l" })];
    for (const first of [embed(), layers.timeDistributed({ layer: embed() })]) {
      const model = sequential([first, layers.timeDistributed({ layer: inner }), outer], {
        inputShape: [3, 4],
        seed: 5,
      });
      const got = model.predict(words);
      const weights = Object.values(model.getWeights());
      const alone = sequential([embed(), layers.gru({ units: 4 })], { inputShape: [null] });
      alone.setWeights(Object.fromEntries(Object.keys(alone.getWeights()).map((name, i) => [name, weights[i]])));
      const above = sequential([layers.lstm({ units: 2 })], { inputShape: [null, 4] });
      above.setWeights(Object.fromEntries(Object.keys(above.getWeights()).map((name, i) => [name, weights[i + 4]])));
      const documents = [
        [
          [3, 1, 4],
          [1, 5],
        ],
        [[6, 5, 3, 5]],
      ];
      const expected = documents.flatMap((sentences) => [
        ...above.predict([sentences.map((sentence) => [...alone.predict([sentence]).data])]).data,
      ]);
      close(got.data, expected, 1e-6);
    }
  });

  test("zeroOutputForMask leaves a single last output alone", () => {
    const last = (zeroOutputForMask: boolean): NDArray =>
      sequential([layers.gru({ units: 3, zeroOutputForMask })], { inputShape: [null, F], seed: 6 }).predict(x, {
        mask,
      });
    assert.equal(last(true).data, last(false).data);
  });

  test("functions as metrics, and metrics that count by weights", () => {
    const sampleWeight = { data: Float32Array.from({ length: B * T }, (_, i) => i % 3), shape: [B, T] };
    const model = tagger("mse");
    const absolute = (t: Tensor, p: Tensor): Tensor => ops.abs(ops.sub(t, p));
    model.compile({ loss: "mse", metrics: ["mae", absolute], weightedMetrics: ["mae", "mse"] });
    const logs = model.evaluate(x, y, { sampleWeight, lengths });
    const p = model.predict(x, { lengths });
    let [sum, squares, total] = [0, 0, 0];
    p.data.forEach((value, i) => {
      const weight = sampleWeight.data[i >> 1] * mask.flat()[i >> 1];
      sum += weight * Math.abs(value - y.data[i]);
      squares += weight * (value - y.data[i]) ** 2;
      total += weight;
    });
    const [, mae] = errors(p, mask);
    close([logs.mae, logs.absolute, logs.weighted_mae, logs.mse], [mae, mae, sum / total, squares / total], 1e-6);
  });
});
