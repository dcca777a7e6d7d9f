/** Weights of layers in layers: their names and their order, and what a file brings back of them. */
import * as assert from "uvu/assert";
import { cells, layers, loadModel, ops, sequential, valueAndGrad, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { differ, floats, tokens } from "../support/models.ts";
import { same } from "../support/numbers.ts";

eachBackend("order of weights", (test) => {
  test("weights keep their order: kernel, recurrent kernel, bias, layer by layer, frozen ones in place", () => {
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

  test("layers, cells and stacks of cells come back from a file with their options and weights", () => {
    const model = sequential(
      [
        layers.lstm({ units: 3, peepholes: true, returnSequences: true, recurrentActivation: "hard_sigmoid" }),
        layers.rnn({
          cell: [cells.lstm({ units: 3 }), cells.gru({ units: 4, resetAfter: false })],
          returnSequences: true,
          goBackwards: true,
        }),
        layers.rnn({ cell: cells.simpleRNN({ units: 5, activation: "relu" }) }),
      ],
      { seed: 3, inputShape: [null, 4] },
    );
    const x = floats([3, 5, 4], 1);
    const again = loadModel(model.save());
    assert.equal(Object.keys(again.getWeights()), Object.keys(model.getWeights()));
    assert.is(again.summary(), model.summary());
    same(again.predict(x).data, model.predict(x).data);
    for (const each of [model, again]) each.dispose();
  });
});
