/** How far a mask goes: through layers that keep the steps, and no further than the sequence. */
import { layers, sequential } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { disposeSeeded, seeded } from "../support/layers.ts";
import { floats } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 3];
const x = floats([B, T, I], 1);

eachBackend("paths of masks", (test) => {
  disposeSeeded(test);

  test("a mask passes through timeDistributed, and one of another shape is refused", () => {
    const model = seeded(
      sequential([layers.timeDistributed({ layer: layers.dense({ units: 2 }) }), layers.gru({ units: H })]),
    );
    const plain = seeded(sequential([layers.dense({ units: 2 }), layers.gru({ units: H })]));
    const mask = { data: Int32Array.from([1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0]), shape: [B, T] };
    model.predict(x);
    plain.predict(x);
    plain.setWeights(
      Object.fromEntries(
        Object.keys(plain.getWeights()).map((name, i) => [name, Object.values(model.getWeights())[i]]),
      ),
    );
    close(model.predict(x, { mask }).data, plain.predict(x, { mask }).data, 1e-6);
    refused(
      () => model.predict(x, { mask: { data: new Int32Array(18), shape: [B, T + 1] } }),
      "ERR_SHAPE",
      /expected mask \[3, 5\], got \[3, 6\]/,
    );
  });

  test("the mask ends where the sequence does: a last output counts in every loss, whatever is masked", () => {
    const model = seeded(
      sequential([layers.gru({ units: H }), layers.dense({ units: 1 })], { seed: 1, inputShape: [null, I] }),
    );
    model.compile({ loss: "mse" });
    const mask = { data: Int32Array.from({ length: B * T }, (_, i) => +(i >= T)), shape: [B, T] }; // row 0 is masked
    const predicted = model.predict(x, { mask });
    close([model.evaluate(x, [0, 0, 0], { mask }).loss], [predicted.data.reduce((sum, p) => sum + p * p, 0) / B], 1e-6);
  });
});
