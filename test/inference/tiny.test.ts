/** Numbers below 1e-30 count as 0 where they come in and in states: they would make every product slow. */
import * as assert from "uvu/assert";
import { jit, layers, ops, sequential, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats } from "../support/models.ts";
import { same } from "../support/numbers.ts";

const KINDS = {
  simpleRNN: () => layers.simpleRNN({ units: 5 }),
  lstm: () => layers.lstm({ units: 5 }),
  gru: () => layers.gru({ units: 5 }),
  "gru, reset before": () => layers.gru({ units: 5, resetAfter: false }),
};
const TINY = [1e-31, -9e-31, 1e-38, -1e-45];
const frames = (value: (i: number) => number) => ({
  data: Float32Array.from({ length: 24 }, (_, i) => value(i)),
  shape: [2, 3, 4],
});

eachBackend("tiny numbers", (test) => {
  for (const [kind, layer] of Object.entries(KINDS)) {
    test(`${kind}: tiny inputs give what zeros give`, () => {
      const model = sequential([layer(), layers.dense({ units: 2 })], { inputShape: [null, 4], seed: 1 });
      const zeros = model.predict(frames(() => 0)).data;
      same(model.predict(frames((i) => TINY[i % 4])).data, zeros, "predict");
      const stream = model.stream();
      const expected = stream.step([0, 0, 0, 0]).slice();
      stream.reset();
      same(stream.step(TINY), expected, "step");
      stream.reset();
      same(stream.process(Float32Array.from(TINY)), expected, "process");
      model.dispose();
    });

    test(`${kind}: a state that fades ends at 0`, () => {
      const model = sequential([layer()], { inputShape: [null, 4], seed: 1 });
      for (const [name, { data, shape }] of Object.entries(model.getWeights()))
        model.setWeights({ [name]: { data: data.map((w) => (name.includes("bias") ? w - 2 : w / 20)), shape } });
      for (const name of Object.keys(model.getWeights()).filter((each) => each.includes("bias"))) {
        const { shape } = model.getWeights()[name];
        model.setWeights({ [name]: { data: new Float32Array(shape.reduce((n, extent) => n * extent, 1)), shape } });
      }
      const stream = model.stream();
      stream.step([1, 1, 1, 1]);
      let smallest = Infinity;
      for (let t = 0; t < 300; t++)
        for (const h of stream.step([0, 0, 0, 0])) if (h !== 0) smallest = Math.min(smallest, Math.abs(h));
      assert.ok(smallest >= 1e-30, `a state of ${smallest}`);
      assert.ok(smallest < 1e-25, "it faded");
      same(stream.step([0, 0, 0, 0]), [0, 0, 0, 0, 0]);
      model.dispose();
    });
  }

  test("from 1e-30 up numbers keep their bits", () => {
    const plus0 = jit(null, (x: Tensor) => ops.add(x, 0));
    const x = Float32Array.of(1e-30, -1e-30, 1.5e-30, 1, -3);
    same(plus0({ data: x, shape: [5] }).data, x);
    same(plus0({ data: Float32Array.of(9.9e-31, -1e-37), shape: [2] }).data, [0, 0]);
  });

  test("training on tiny inputs is training on zeros", () => {
    const weights = [1e-36, 0].map((value) => {
      const model = sequential([layers.gru({ units: 3 }), layers.dense({ units: 1 })], {
        inputShape: [null, 4],
        seed: 1,
      });
      model.compile({ loss: "mse" });
      model.trainOnBatch(
        frames(() => value),
        floats([2, 1], 1),
      );
      const after = model.getWeights();
      model.dispose();
      return after;
    });
    for (const [name, { data }] of Object.entries(weights[0])) same(data, weights[1][name].data, name);
  });
});
