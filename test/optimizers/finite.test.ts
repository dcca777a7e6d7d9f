/** Weights are finite after every update, or it is not made: whatever the optimizer, its options and the gradients. */
import * as assert from "uvu/assert";
import { GatewiseError, layers, optimizers, sequential, trainStep, ops, type Tensor } from "../../bindings/index.ts";
import { Random } from "../../bindings/base/random.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, sameWeights } from "../support/models.ts";
import { rejected } from "../support/refused.ts";

const KINDS = ["sgd", "rmsprop", "adam", "adamw", "nadam", "adamax", "adagrad", "adadelta", "lion"] as const;

/** Options that are allowed and extreme. */
const EXTREMES: Readonly<Record<string, readonly unknown[]>> = {
  learningRate: [0, 1e-3, 1, 3e38],
  epsilon: [0, 1e-45, 1e-7, 3e38],
  convention: ["keras", "torch"],
  weightDecay: [0, 0.1, 3e38],
  momentum: [0, 0.9],
  nesterov: [false, true],
  centered: [false, true],
  amsgrad: [false, true],
  gradientAccumulationSteps: [undefined, 2],
  globalClipNorm: [undefined, 1],
  useEma: [false, true],
};

/** An optimizer with some extreme options, of those that it has. */
function randomOptimizer(random: Random): ReturnType<typeof optimizers.sgd> {
  const kind = KINDS[random.below(KINDS.length)];
  const chosen = Object.entries(EXTREMES).filter(() => random.uniform() < 0.6);
  const options: Record<string, unknown> = {};
  for (const [name, values] of chosen) {
    const wanted = { ...options, [name]: values[random.below(values.length)] };
    try {
      optimizers[kind](wanted);
      Object.assign(options, wanted);
    } catch {
      // not one of its options, or not with the others
    }
  }
  return optimizers[kind](options);
}

const make = (): ReturnType<typeof sequential> =>
  sequential([layers.simpleRNN({ units: 2 }), layers.dense({ units: 1 })], { inputShape: [null, 2], seed: 1 });

eachBackend("finite weights", (test) => {
  test("random optimizers, by gradients of every size", () => {
    const random = new Random(1).fork("finite");
    let [made, refusals] = [0, 0];
    for (let round = 0; round < 150; round++) {
      const model = make();
      const optimizer = randomOptimizer(random);
      for (let step = 0; step < 4; step++) {
        const scale = [0, 1e-38, 1, 1e10, 1e19, 3e38][random.below(6)];
        const before = model.getWeights();
        const grads = Object.fromEntries(
          Object.entries(before).map(([name, { data, shape }]) => [
            name,
            { data: data.map(() => (2 * random.uniform() - 1) * scale), shape },
          ]),
        );
        try {
          optimizer.apply(model, grads);
          made++;
        } catch (error) {
          if (!(error instanceof GatewiseError)) throw error;
          sameWeights(model.getWeights(), before);
          refusals++;
        }
        for (const [name, { data }] of Object.entries(model.getWeights()))
          assert.ok(data.every(Number.isFinite), `${name} in round ${round}`);
      }
      model.dispose();
    }
    assert.ok(made > 100 && refusals > 20, `${made} made, ${refusals} refused`);
  });

  test("fit and trainStep refuse an update that would overflow, and leave weights and slots as they were", async () => {
    const [x, y] = [floats([4, 3, 2]), floats([4, 1], 1)];
    const model = make();
    model.compile({ optimizer: optimizers.sgd({ learningRate: 3e38, momentum: 0.9 }), loss: "mse" });
    const before = model.getWeights();
    await rejected(
      model.fit(x, y, { epochs: 3 }),
      "ERR_NON_FINITE",
      /^fit: expected finite weights after the update, got some that are not in epoch 1, batch 1; the weights are those before/,
    );
    sameWeights(model.getWeights(), before);
    const target = make();
    const zero = { data: new Float32Array(12).fill(0), shape: [2, 3, 2] };
    const step = trainStep(target, optimizers.adam({ epsilon: 0 }), (v: Tensor) =>
      ops.mean(ops.square(target.call(v) as Tensor)),
    );
    const start = target.getWeights();
    assert.throws(() => step(zero), /^trainStep: expected finite weights after the update, got value/);
    sameWeights(target.getWeights(), start);
  });
});
