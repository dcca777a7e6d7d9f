/** Shapes and defaults of recurrent layers. Where one differs from Keras, TF.js or PyTorch, a test is named so. */
import * as assert from "uvu/assert";
import { layers, type NDArray } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { callLayer, disposeSeeded, seeded } from "../support/layers.ts";
import { floats, rows } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 3];
const x = floats([B, T, I], 1);

eachBackend("shapes and defaults", (test) => {
  disposeSeeded(test);

  for (const [returnSequences, returnState, shapes] of [
    [false, false, [[B, H]]],
    [true, false, [[B, T, H]]],
    [
      false,
      true,
      [
        [B, H],
        [B, H],
        [B, H],
      ],
    ],
    [
      true,
      true,
      [
        [B, T, H],
        [B, H],
        [B, H],
      ],
    ],
  ] as const) {
    test(`shapes with returnSequences ${returnSequences} and returnState ${returnState}`, () => {
      assert.equal(
        callLayer(seeded(layers.lstm({ units: H, returnSequences, returnState })), x).map(({ shape }) => shape),
        shapes,
      );
    });
  }

  test("defaults are those of Keras 3, not of TF.js: recurrentActivation sigmoid, reset after, glorot uniform", () => {
    assert.is(layers.lstm({ units: 1 }).config.recurrentActivation, "sigmoid");
    assert.is(layers.gru({ units: 1 }).config.recurrentActivation, "sigmoid");
    assert.is(layers.gru({ units: 1 }).config.resetAfter, true);
    assert.is(layers.lstm({ units: 1 }).config.kernelInitializer, "glorotUniform");
  });

  test("a stateful layer takes its batch size from the first batch, other than TF.js, where it must be given", () => {
    const layer = seeded(layers.gru({ units: H, stateful: true }));
    assert.equal(layer.predict(x).shape, [B, H]);
    refused(() => layer.predict(rows(x, 0, 1)), "ERR_STATE", /expected a batch of 3/);
  });

  test("unlike PyTorch: a length of 0 is a row of zeros, input without a batch is refused", () => {
    const layer = seeded(layers.lstm({ units: H }));
    same(layer.predict(x, { lengths: [0, 5, 3] }).data.subarray(0, H), new Float32Array(H));
    refused(() => layer.predict(floats([T, I])), "ERR_SHAPE", /expected input \[batch, time, 4\], got \[5, 4\]/);
  });

  test("one row of many steps is the same as its parts in turn", () => {
    const long = floats([1, 700, I], 9);
    const layer = seeded(layers.lstm({ units: 17, returnSequences: true, returnState: true }));
    const [whole, ...ends] = callLayer(layer, long);
    let states: NDArray[] | undefined;
    for (let start = 0; start < 700; start += 100) {
      const part = { data: long.data.subarray(start * I, (start + 100) * I), shape: [1, 100, I] };
      const [output, ...after] = callLayer(layer, part, states && { initialState: states });
      close(output.data, whole.data.subarray(start * 17, (start + 100) * 17), 1e-5, `from step ${start}`);
      states = after;
    }
    states!.forEach(({ data }, i) => close(data, ends[i].data, 1e-5, `state ${i}`));
  });
});
