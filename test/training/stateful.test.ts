/** Training of stateful layers: batches that fit each other, and validation beside them. */
import * as assert from "uvu/assert";
import { layers, sequential, type FitOptions, type Model } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, sameWeights } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { rejected } from "../support/refused.ts";

const [B, T] = [4, 6];
const x = floats([B, T, 2]);
const y = floats([B, T, 1], 1);
const [vx, vy] = [floats([B, T, 2], 2), floats([B, T, 1], 3)];

function make(): Model {
  const model = sequential(
    [layers.gru({ units: 3, stateful: true, returnSequences: true }), layers.dense({ units: 1 })],
    { inputShape: [null, 2], seed: 1 },
  );
  model.compile({ optimizer: "sgd", loss: "mse" });
  return model;
}

eachBackend("stateful training", (test) => {
  test("shuffled batches, and rows that do not divide, are refused before the first update", async () => {
    const [x10, y10] = [floats([10, T, 2]), floats([10, T, 1], 1)];
    const why = "with stateful layers, whose row i goes on from row i of the batch before";
    const help = "leave out the last 2, or choose another batchSize";
    const divides = `expected a batchSize that divides the rows ${why}`;
    const cases: [options: FitOptions, message: string][] = [
      [{ batchSize: 5 }, `fit: expected shuffle: false ${why}, got shuffle: true, which is the default`],
      [{ batchSize: 4, shuffle: false }, `fit: ${divides}, got 10 rows in batches of 4; ${help}`],
      [
        { batchSize: 5, shuffle: false, validationData: [floats([7, T, 2]), floats([7, T, 1])] },
        `fit: validationData: ${divides}, got 7 rows in batches of 5; ${help}`,
      ],
    ];
    for (const [options, message] of cases) {
      const model = make();
      const before = make();
      await rejected(model.fit(x10, y10, options), "ERR_OPTION", new RegExp(`^${message.replace(/[()]/g, "\\$&")}$`));
      sameWeights(model.getWeights(), before.getWeights());
    }
    await make().fit(x10, y10, { batchSize: 4, shuffle: false, stepsPerEpoch: 2 });
    await make().fit(x, y, { epochs: 2 }); // one batch: its rows keep their order
  });

  test("validation starts from zeros and leaves the states of the training alone", async () => {
    const [plain, validated] = [make(), make()];
    await plain.fit(x, y, { epochs: 3, shuffle: false });
    const options = { epochs: 3, shuffle: false, validationData: [vx, vy] } as const;
    const { history } = await validated.fit(x, y, options);
    sameWeights(validated.getWeights(), plain.getWeights());
    assert.equal(validated.predict(x).data, plain.predict(x).data); // from the same states
    const once = make();
    once.trainOnBatch(x, y);
    once.resetStates();
    close([history.val_loss[0]], [once.evaluate(vx, vy).loss], 1e-6);
  });

  test("validation of another batch size, in batches that follow each other", async () => {
    const model = make();
    const validationData = [floats([2 * B, T, 2], 2), floats([2 * B, T, 1], 3)] as const;
    const { history } = await model.fit(x, y, { shuffle: false, validationData, validationBatchSize: 2 });
    const once = make();
    once.trainOnBatch(x, y);
    once.resetStates();
    close(history.val_loss, [once.evaluate(...validationData, { batchSize: 2 }).loss], 1e-6);
  });
});
