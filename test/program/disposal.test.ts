/** Weights that are gone: layers, streams and functions that outlive the model their weights lie in. */
import * as assert from "uvu/assert";
import {
  jit,
  layers,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { refused } from "../support/refused.ts";

eachBackend("weights of a model that was disposed of", (test, _build, backend) => {
  const x = [[1, 2, 3]];
  const gone = /expected (those|weights|a live model).*, got (those of one|one) that was disposed of/;

  test("are refused by its layers, by programs made before and by new ones", () => {
    const layer = layers.dense({ units: 2 });
    const model = sequential([layer], { inputShape: [3], seed: 1 });
    const fn = jit(layer, (a: Tensor) => layer.call(a));
    const grad = valueAndGrad(layer, (a: Tensor) => ops.sum(layer.call(a)));
    const step = trainStep(layer, optimizers.adam(), (a: Tensor) => ops.sum(layer.call(a)));
    for (const run of [fn, grad, step]) run(x);
    model.dispose();
    const before = backend.arena.bytes;
    for (const run of [fn, grad, step]) {
      refused(() => run(x), "ERR_DISPOSED", gone);
      refused(
        () =>
          run([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        "ERR_DISPOSED",
        gone,
      );
    }
    refused(() => layer.predict(x), "ERR_DISPOSED", gone);
    refused(() => layer.getWeights(), "ERR_DISPOSED", gone);
    refused(() => layer.setWeights({ bias: [0, 0] }), "ERR_DISPOSED", gone);
    refused(() => layer.save(), "ERR_DISPOSED", gone);
    assert.is(backend.arena.bytes, before);
    layer.dispose();
  });

  test("are refused by another model that shares a layer, and by its streams", () => {
    const shared = layers.gru({ units: 2 });
    const owner = sequential([shared], { inputShape: [null, 3], seed: 1 });
    const borrower = sequential([shared, layers.dense({ units: 1 })], { inputShape: [null, 3], seed: 2 });
    const stream = borrower.stream();
    const frame = Float32Array.of(1, 2, 3);
    stream.step(frame);
    borrower.predict([x]);
    owner.dispose();
    refused(() => borrower.predict([x]), "ERR_DISPOSED", gone);
    refused(() => stream.step(frame), "ERR_DISPOSED", gone);
    refused(() => borrower.stream(), "ERR_DISPOSED", gone);
    borrower.dispose();
  });

  test("give every byte back, once, in whatever order models go", () => {
    const before = backend.arena.bytes;
    const shared = layers.gru({ units: 2 });
    const owner = sequential([shared], { inputShape: [null, 3], seed: 1 });
    const borrower = sequential([shared, layers.dense({ units: 1 })], { inputShape: [null, 3], seed: 2 });
    borrower.predict([x]);
    shared.predict([x]);
    owner.predict([x]);
    borrower.dispose();
    assert.is(owner.predict([x]).shape[1], 2);
    owner.dispose();
    shared.dispose();
    assert.is(backend.arena.bytes, before);
  });
});
