/** Dropout acts in training only; penalties on weights and outputs are part of the loss. */
import * as assert from "uvu/assert";
import { layers, ops, optimizers, regularizers, sequential, valueAndGrad, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, I, H] = [4, 6, 3, 5];
const x = floats([B, T, I], 1);

eachBackend("regularization", (test) => {
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
});
