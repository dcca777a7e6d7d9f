/** Backpropagation through time by `fit` beside steps by hand: nested models, masks, both directions, given states. */
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
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { disposeSeeded, seeded } from "../support/layers.ts";
import { floats, sameWeights } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, I, H] = [4, 6, 3, 5];
const x = floats([B, T, I], 1);

/** One half of the rows. */
function half({ data, shape }: NDArray, which: number): NDArray {
  const size = data.length / 2;
  return { data: data.slice(which * size, (which + 1) * size), shape: [shape[0] / 2, ...shape.slice(1)] };
}

eachBackend("backpropagation through time", (test) => {
  disposeSeeded(test);

  for (const batch of [x, floats([1, T, I], 1)])
    test(`a stateful layer starts a batch of ${batch.shape[0]} from its state, which gets no gradient`, () => {
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

  for (const [what, options, steps] of [
    ["with a mask", {}, true],
    ["backwards", { goBackwards: true }, false],
    ["backwards with a mask", { goBackwards: true }, true],
  ] as const) {
    test(`two epochs of BPTT ${what} end in the weights of steps by hand`, async () => {
      const make = () =>
        sequential([layers.lstm({ units: H, ...options }), layers.dense({ units: 1 })], {
          seed: 5,
          inputShape: [null, I],
        });
      const [model, own] = [seeded(make()), seeded(make())];
      own.setWeights(model.getWeights());
      const y = floats([B, 1], 3);
      const mask = {
        data: Int32Array.from([1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0]),
        shape: [B, T],
      };
      model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: "mse" });
      await model.fit(x, y, { epochs: 2, batchSize: B, shuffle: false, ...(steps ? { mask } : {}) });
      const step = trainStep(
        own,
        optimizers.sgd({ learningRate: 0.1 }),
        (input: Tensor, target: Tensor, given: object) =>
          ops.mean(ops.square(ops.sub(own.layers[1].call((own.layers[0] as Layer).call(input, given)), target))),
      );
      for (let epoch = 0; epoch < 2; epoch++) step(x, y, steps ? { mask } : {});
      for (const [name, { data }] of Object.entries(own.getWeights()))
        close(model.getWeights()[name].data, data, 1e-6, name);
    });
  }

  test("initial states may come from another layer, which they train", () => {
    class Pair extends Module {
      reader = layers.lstm({ units: H, returnState: true });
      writer = layers.lstm({ units: H });
      override call(input: Tensor): Tensor {
        const [, ...states] = this.reader.call(input);
        return this.writer.call(input, { initialState: states });
      }
    }
    const model = seeded(new Pair());
    const { grads } = valueAndGrad(model, (input: Tensor) => ops.sum(model.call(input)))(x);
    assert.ok(grads["reader/kernel"].data.some((g) => g !== 0));
    const before = model.getWeights();
    const copy = seeded(new Pair());
    copy.predict(x);
    copy.load(model.save());
    sameWeights(copy.getWeights(), before);
    same(copy.predict(x).data, model.predict(x).data);
  });
});
