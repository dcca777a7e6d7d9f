/** Steps, rows and tokens that get no gradient, since they do not count or do not occur. */
import * as assert from "uvu/assert";
import { layers, ops, sequential, valueAndGrad, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats } from "../support/models.ts";
import { same } from "../support/numbers.ts";

const [B, T, I, H] = [4, 6, 3, 5];
const x = floats([B, T, I], 1);

eachBackend("what gets no gradient", (test) => {
  test("the embedding of a token that does not occur gets no gradient, and one that occurs twice gets both", () => {
    const model = sequential([layers.embedding({ inputDim: 4, outputDim: 2 })], { inputShape: [null] });
    const { grads } = valueAndGrad(model, (ids: Tensor) => ops.sum(model.call(ids)))({
      data: Int32Array.of(1, 3, 1),
      shape: [1, 3],
    });
    same(grads["embedding/embeddings"].data, [0, 0, 2, 2, 0, 0, 1, 1]);
    model.dispose();
  });

  test("masked steps and finished rows get no gradient", () => {
    const model = sequential([layers.lstm({ units: H, returnSequences: true })], { seed: 1, inputShape: [null, I] });
    const sum = (input: Tensor, steps: Record<string, Tensor>): Tensor => ops.sum(ops.square(model.call(input, steps)));
    const gradient = valueAndGrad(model, sum, { inputs: true });
    const mask = {
      data: Int32Array.from([1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
      shape: [B, T],
    };
    const lengths = Int32Array.of(3, 0, 6, 1);
    const silent = (grads: NDArray, valid: (b: number, t: number) => boolean): void => {
      for (let b = 0; b < B; b++) {
        for (let t = 0; t < T; t++) {
          const zeros = grads.data.subarray((b * T + t) * I, (b * T + t + 1) * I).every((g) => g === 0);
          assert.is(zeros, !valid(b, t), `row ${b} step ${t}`);
        }
      }
    };
    silent(gradient(x, { mask }).inputGrads[0], (b, t) => mask.data[b * T + t] === 1);
    silent(gradient(x, { lengths }).inputGrads[0], (b, t) => t < lengths[b]);
    model.dispose();
  });

  test("the row of the padding gets no gradient", () => {
    const model = sequential(
      [layers.embedding({ inputDim: 6, outputDim: 2, maskZero: true }), layers.lstm({ units: H })],
      { seed: 1, inputShape: [null] },
    );
    const { grads } = valueAndGrad(model, (ids: Tensor) => ops.sum(model.call(ids)))({
      data: Int32Array.of(1, 2, 0, 0, 3, 0, 4, 0),
      shape: [2, 4],
    });
    const { data } = grads["embedding/embeddings"];
    same(data.subarray(0, 2), [0, 0]);
    for (const token of [1, 2, 3, 4])
      assert.ok(
        data.subarray(2 * token, 2 * token + 2).some((g) => g !== 0),
        `token ${token}`,
      );
    same(data.subarray(10), [0, 0]);
  });
});
