/** dispose: every byte comes back, whatever the model was used for, at once, and as often as one likes. */
import * as assert from "uvu/assert";
import {
  Module,
  jit,
  layers,
  optimizers,
  ops,
  sequential,
  trainStep,
  valueAndGrad,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats } from "../support/models.ts";

const x = floats([3, 4, 2]);
const y = floats([3, 1], 1);

const make = () =>
  sequential([layers.gru({ units: 3, stateful: true, dropout: 0.2 }), layers.dense({ units: 1 })], {
    seed: 1,
    inputShape: [null, 2],
  });

const uses: Record<string, (model: ReturnType<typeof make>) => unknown> = {
  nothing: () => undefined,
  predict: (m) => m.predict(x),
  "predict of several shapes": (m) => [1, 2, 3].map((n) => (m.resetStates(), m.predict(floats([n, n + 1, 2])))),
  training: async (m) => {
    m.compile({ loss: "mse", optimizer: optimizers.adam({ amsgrad: true, clipNorm: 1 }) });
    await m.fit(x, y, { validationData: [x, y] });
    m.save({ optimizer: true });
  },
  "several compiles": (m) =>
    ["sgd", "adam", "rmsprop"].forEach((optimizer) => {
      m.compile({ loss: "mse", optimizer });
      m.trainOnBatch(x, y);
    }),
  streams: (m) => {
    m.stream({ batch: 2 }).step(new Float32Array(4));
    m.stream({ block: 3 }).process(new Float32Array(14));
  },
  functions: (m) => {
    jit(m, (t: Tensor) => m.call(t))(x);
    optimizers.sgd({ momentum: 0.5 }).apply(m, valueAndGrad(m, (t: Tensor) => ops.mean(m.call(t)))(x).grads);
    trainStep(m, optimizers.adam(), (t: Tensor) => ops.mean(m.call(t)))(x);
  },
  inspect: (m) => {
    m.compile({ loss: "mse" });
    m.inspect(x, { y, gradients: true });
  },
  errors: (m) => {
    for (const wrong of [
      () => m.predict(floats([3, 4, 5])),
      () => m.stream({ batch: -1 }),
      () => m.compile({ loss: "nothing" }),
    ])
      assert.throws(wrong);
  },
};

eachBackend("dispose", (test, _build, { arena }) => {
  for (const [name, use] of Object.entries(uses)) {
    test(name, async () => {
      const before = arena.bytes;
      const model = make();
      await use(model);
      assert.ok(arena.bytes > before);
      model.dispose();
      assert.is(arena.bytes, before);
      model.dispose();
      model[Symbol.dispose]();
      assert.is(arena.bytes, before);
    });
  }

  test("using ends a model and its streams with their block", () => {
    const before = arena.bytes;
    {
      using model = make();
      using stream = model.stream();
      stream.step(new Float32Array(2));
      assert.ok(arena.bytes > before);
    }
    assert.is(arena.bytes, before);
  });

  test("a Module of one's own gives back what its parts have", () => {
    const before = arena.bytes;
    class Pair extends Module {
      parts = [layers.dense({ units: 2 }), layers.gru({ units: 2 })];
      override call(t: Tensor): Tensor {
        return (this.parts[1].call as (t: Tensor) => Tensor)((this.parts[0].call as (t: Tensor) => Tensor)(t));
      }
    }
    const pair = new Pair();
    pair.predict(x);
    pair.dispose();
    assert.is(arena.bytes, before);
  });
});
