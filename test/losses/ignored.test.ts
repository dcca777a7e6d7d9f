/** Labels that do not count: batches in which some are ignored, and batches in which all are. */
import * as assert from "uvu/assert";
import {
  Module,
  ValueError,
  layers,
  losses,
  optimizers,
  sequential,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, sameWeights } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused, rejected } from "../support/refused.ts";

const IGNORED = -1;
const x = floats([4, 3, 2]);
const labels: NDArray<Int32Array> = {
  data: Int32Array.of(0, 1, 2, IGNORED, IGNORED, IGNORED, 1, IGNORED, 0, 2, 2, 1),
  shape: [4, 3],
};
const none = { data: new Int32Array(12).fill(IGNORED), shape: [4, 3] };

function tagger(options: { ignoreIndex?: number; ignoreClass?: number } = { ignoreIndex: IGNORED }) {
  const model = sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 3 })], {
    seed: 2,
    inputShape: [null, 2],
  });
  // momentum moves weights by a gradient of zero too
  model.compile({
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, ...options }),
    optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
  });
  return model;
}

eachBackend("ignored labels", (test) => {
  test("a batch without a label that counts is an error that names it, and makes no update", async () => {
    for (const options of [{ ignoreIndex: IGNORED }, { ignoreClass: IGNORED }]) {
      const [model, twin] = [tagger(options), tagger(options)];
      for (const each of [model, twin]) each.trainOnBatch(x, labels);
      refused(
        () => model.trainOnBatch(x, none),
        "ERR_VALUE",
        /^fit: expected a label that counts, got only ignored ones in epoch 1, batch 1; the weights are those before that batch$/,
      );
      sameWeights(model.getWeights(), twin.getWeights());
      const error = await model.fit(x, labels, { batchSize: 1, shuffle: false }).catch((reason: unknown) => reason);
      assert.ok(error instanceof ValueError, String(error));
      assert.match(
        error.message,
        /^fit: expected a label that counts, got only ignored ones in epoch 1, batch 2; the weights/,
      );
      twin.trainOnBatch(
        { data: x.data.slice(0, 6), shape: [1, 3, 2] },
        { data: labels.data.slice(0, 3), shape: [1, 3] },
      );
      sameWeights(model.getWeights(), twin.getWeights());
      assert.equal(model.trainOnBatch(x, labels), twin.trainOnBatch(x, labels), "and trains on");
      model.dispose();
      twin.dispose();
    }
  });

  test("evaluate leaves such a batch out, unless there is no other", async () => {
    const model = tagger();
    const rows = [0, 2, 3];
    const each = rows.map(
      (row) =>
        model.testOnBatch(
          { data: x.data.slice(row * 6, row * 6 + 6), shape: [1, 3, 2] },
          { data: labels.data.slice(row * 3, row * 3 + 3), shape: [1, 3] },
        ).loss,
    );
    const counted = rows.map((row) => labels.data.slice(row * 3, row * 3 + 3).filter((k) => k !== IGNORED).length);
    const total = each.reduce((sum, loss, i) => sum + loss * counted[i], 0) / counted.reduce((a, b) => a + b);
    close([model.evaluate(x, labels, { batchSize: 1 }).loss], [total], 1e-6);
    refused(
      () => model.evaluate(x, none),
      "ERR_VALUE",
      /^evaluate: expected a label that counts, got only ignored ones$/,
    );
    refused(
      () => model.testOnBatch(x, none),
      "ERR_VALUE",
      /^testOnBatch: expected a label that counts, got only ignored ones$/,
    );
    await rejected(
      model.evaluate(() => [[x, none]]),
      "ERR_VALUE",
      /^evaluate: expected a label that counts/,
    );
    await rejected(
      model.fit(x, labels, { validationData: [x, none] }),
      "ERR_VALUE",
      /^fit: validationData: expected a label that counts, got only ignored ones$/,
    );
    model.dispose();
  });

  test("a mask and ignored labels together leave what neither takes away", () => {
    const model = tagger();
    const lengths = [3, 3, 1, 2]; // with the labels: 0 1 2 | – | 1 | 2 2
    const logits = model.predict(x, { lengths });
    const kept = [
      [0, 0, 0],
      [0, 1, 1],
      [0, 2, 2],
      [2, 0, 1],
      [3, 0, 2],
      [3, 1, 2],
    ];
    const expected = kept.map(([b, t, label]) => {
      const row = Array.from(logits.data.subarray((b * 3 + t) * 3, (b * 3 + t) * 3 + 3));
      return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label];
    });
    close([model.testOnBatch(x, labels, { lengths }).loss], [expected.reduce((a, b) => a + b) / 6], 1e-6);
    refused(
      () => model.trainOnBatch(x, labels, { lengths: [0, 3, 0, 0] }),
      "ERR_VALUE",
      /expected a label that counts/,
    );
    model.dispose();
  });

  test("of several outputs one may ignore all of a batch", () => {
    class Two extends Module {
      a = layers.dense({ units: 3 });
      b = layers.dense({ units: 3 });
      override call(input: Tensor): Tensor[] {
        return [this.a.call(input), this.b.call(input)];
      }
    }
    const model = new Two({ seed: 1 });
    model.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreIndex: IGNORED }) });
    const input = floats([2, 2]);
    const [some, ignored] = [Int32Array.of(1, 2), Int32Array.of(IGNORED, IGNORED)];
    const logs = model.trainOnBatch(input, [some, ignored]);
    assert.is(logs.loss, logs.output_0_loss);
    assert.ok(Number.isNaN(logs.output_1_loss), "of which nothing is known");
    refused(() => model.trainOnBatch(input, [ignored, ignored]), "ERR_VALUE", /expected a label that counts/);
    model.dispose();
  });
});
