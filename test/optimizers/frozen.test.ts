/** Weights that are frozen for some steps: they stay as they are, and what the optimizer keeps of them waits. */
import * as assert from "uvu/assert";
import {
  layers,
  loadModel,
  optimizers,
  sequential,
  type ArrayRecord,
  type NDArray,
  type Optimizer,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, sameWeights } from "../support/models.ts";
import { close, real } from "../support/numbers.ts";

const x = floats([6, 4, 3]);
const y = floats([6, 1], 1);

const network = () =>
  sequential([layers.gru({ units: 4, dropout: 0.2 }), layers.dense({ units: 1 })], { inputShape: [null, 3], seed: 3 });

type Network = ReturnType<typeof network>;

/** Names of the weights of the layer that is frozen. */
const FROZEN = ["gru/kernel", "gru/recurrent_kernel", "gru/bias"];

const some = (record: ArrayRecord, names: readonly string[]): ArrayRecord =>
  Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)));

const isFrozen = (name: string): boolean => FROZEN.includes(name);

const RULES: Record<string, () => Optimizer> = {
  adam: () => optimizers.adam({ learningRate: 0.05 }),
  "sgd with momentum": () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
  "adam with everything": () =>
    optimizers.adam({
      learningRate: 0.05,
      learningRates: { gru: 0.02 },
      excludeFromWeightDecay: ["bias"],
      weightDecay: 0.01,
      globalClipNorm: 1,
      clipNorm: 2,
      useEma: true,
      gradientAccumulationSteps: 2,
    }),
};

/** One step of plain Adam, or of momentum, in doubles. */
const PLAIN: Record<string, (w: Float64Array, g: ArrayLike<number>, slots: Float64Array[], step: number) => void> = {
  adam(w, g, [m, v], step) {
    const rate = (0.05 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    for (let i = 0; i < w.length; i++) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2;
      w[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-7);
    }
  },
  "sgd with momentum"(w, g, [velocity], _step) {
    for (let i = 0; i < w.length; i++) {
      velocity[i] = 0.9 * velocity[i] - 0.05 * g[i];
      w[i] += velocity[i];
    }
  },
};

const gradientOf = ({ data, shape }: NDArray, step: number): NDArray => ({ data: real(data.length, step, 2), shape });

/** Steps 1…9; the gru is frozen in 4…6. */
const STEPS = 9;
const freezes = (step: number): boolean => step > 3 && step <= 6;

eachBackend("frozen weights", (test) => {
  for (const [name, update] of Object.entries(PLAIN)) {
    test(`${name}: slots and the count of steps go on where weights are trained again`, () => {
      const model = network();
      const optimizer = RULES[name]();
      const expected = Object.fromEntries(
        Object.entries(model.getWeights()).map(([weight, { data }]) => [
          weight,
          { w: Float64Array.from(data), slots: [new Float64Array(data.length), new Float64Array(data.length)] },
        ]),
      );
      for (let step = 1; step <= STEPS; step++) {
        model.layers[0].trainable = !freezes(step);
        const weights = Object.entries(model.getWeights()).filter(([weight]) => !freezes(step) || !isFrozen(weight));
        const gradients = Object.fromEntries(weights.map(([weight, array]) => [weight, gradientOf(array, step)]));
        optimizer.apply(model, gradients);
        for (const [weight, { data }] of Object.entries(gradients))
          update(expected[weight].w, data, expected[weight].slots, step);
        for (const [weight, { data }] of Object.entries(model.getWeights()))
          close(data, expected[weight].w, 3e-6, `step ${step}: ${weight}`);
      }
      model.dispose();
    });
  }

  for (const [name, make] of Object.entries(RULES)) {
    test(`${name}: frozen weights do not move, the others do; unfrozen they move again`, () => {
      const model = network();
      model.compile({ loss: "mse", optimizer: make() });
      for (let step = 1; step <= STEPS; step += 3) {
        model.layers[0].trainable = !freezes(step);
        const before = model.getWeights();
        for (let k = 0; k < 3; k++) model.trainOnBatch(x, y);
        const after = model.getWeights();
        const others = Object.keys(before).filter((weight) => !isFrozen(weight));
        assert.is(differ(some(before, FROZEN), some(after, FROZEN)), !freezes(step), `gru in step ${step}`);
        assert.ok(differ(some(before, others), some(after, others)), `dense in step ${step}`);
      }
      model.dispose();
    });

    test(`${name}: frozen during fit, which makes averages the weights of those that train alone`, async () => {
      const model = network();
      model.compile({ loss: "mse", optimizer: make() });
      await model.fit(x, y, { epochs: 2, batchSize: 2 });
      model.layers[0].trainable = false;
      const before = some(model.getWeights(), FROZEN);
      await model.fit(x, y, { epochs: 2, batchSize: 2 });
      sameWeights(some(model.getWeights(), FROZEN), before);
      model.dispose();
    });

    test(`${name}: saved while frozen, loaded and unfrozen: the same bits as without`, () => {
      const steps = (model: Network) => {
        for (let k = 0; k < 3; k++) model.trainOnBatch(x, y);
      };
      const model = network();
      model.compile({ loss: "mse", optimizer: make() });
      steps(model);
      model.layers[0].trainable = false;
      steps(model);
      const bytes = model.save({ optimizer: true });

      const loaded = loadModel(bytes) as Network;
      assert.not.ok(loaded.layers[0].trainable);
      loaded.compile({ loss: "mse", optimizer: make() });
      const other = network(); // one that is compiled and trains already takes the same file
      other.compile({ loss: "mse", optimizer: make() });
      steps(other);
      other.layers[0].trainable = false;
      other.load(bytes);
      for (const each of [model, loaded, other]) {
        steps(each);
        each.layers[0].trainable = true;
        steps(each);
      }
      sameWeights(loaded.getWeights(), model.getWeights(), "loadModel");
      sameWeights(other.getWeights(), model.getWeights(), "load");
      assert.equal(loaded.save({ optimizer: true }), model.save({ optimizer: true }));
      for (const each of [model, loaded, other]) each.dispose();
    });
  }

  test("weights that never trained have no slots in a file; loading it takes those of former steps away", () => {
    const make = () => optimizers.adam({ learningRate: 0.05 });
    const model = network();
    model.layers[0].trainable = false;
    model.compile({ loss: "mse", optimizer: make() });
    model.trainOnBatch(x, y);
    const bytes = model.save({ optimizer: true });
    assert.not.match(new TextDecoder("latin1").decode(bytes), "optimizer/m/gru");
    const other = network();
    other.compile({ loss: "mse", optimizer: make() });
    other.trainOnBatch(x, y);
    other.layers[0].trainable = false;
    other.load(bytes);
    for (const each of [model, other]) {
      each.layers[0].trainable = true;
      each.trainOnBatch(x, y);
    }
    sameWeights(other.getWeights(), model.getWeights());
    for (const each of [model, other]) each.dispose();
  });
});
