/** Bidirectional layers: the order of their states, ways to merge, masks, directions with options of their own. */
import * as assert from "uvu/assert";
import { layers, type Layer, type Module, type NDArray } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { callLayer, disposeSeeded, reversed, seeded, stepOf } from "../support/layers.ts";
import { floats } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 3];
const x = floats([B, T, I], 1);
const ALL = { returnSequences: true, returnState: true };

/** A layer in one direction with the weights of one half of a bidirectional one. */
function halfOf(both: Module, name: string, layer: Layer): Layer {
  seeded(layer);
  layer.predict(x);
  const weights = both.getWeights();
  layer.setWeights(
    Object.fromEntries(Object.keys(layer.getWeights()).map((weight) => [weight, weights[`${name}/${weight}`]])),
  );
  return layer;
}

eachBackend("bidirectional layers", (test) => {
  disposeSeeded(test);

  test("a layer over both directions turns the outputs back, and refuses directions that do not fit", () => {
    const both = seeded(layers.bidirectional({ layer: layers.gru({ units: H, returnSequences: true }) }));
    const [merged] = callLayer(both, x);
    const half = (path: string, goBackwards: boolean): NDArray =>
      callLayer(halfOf(both, path, layers.gru({ units: H, returnSequences: true, goBackwards })), x)[0];
    const [forward, backward] = [half("forward_gru", false), reversed(half("backward_gru", true))];
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++)
        close(stepOf(merged, b, t), [...stepOf(forward, b, t), ...stepOf(backward, b, t)], 1e-6, `row ${b} step ${t}`);
    }
    const layer = layers.gru({ units: H });
    refused(
      () => layers.bidirectional({ layer, backwardLayer: layers.gru({ units: H }) }),
      "ERR_OPTION",
      /backwardLayer with goBackwards/,
    );
    refused(
      () =>
        layers.bidirectional({
          layer,
          backwardLayer: layers.gru({ units: H, goBackwards: true, returnSequences: true }),
        }),
      "ERR_OPTION",
      /the same returnSequences/,
    );
  });

  test("a bidirectional layer takes and gives the forward states, then the backward ones, h before c", () => {
    const both = seeded(layers.bidirectional({ layer: layers.lstm({ units: H, ...ALL }) }));
    const initialState = [1, 2, 3, 4].map((salt) => floats([B, H], salt));
    const [, ...states] = callLayer(both, x, { initialState });
    const forward = callLayer(halfOf(both, "forward_lstm", layers.lstm({ units: H, ...ALL })), x, {
      initialState: initialState.slice(0, 2),
    });
    const backward = callLayer(halfOf(both, "backward_lstm", layers.lstm({ units: H, ...ALL, goBackwards: true })), x, {
      initialState: initialState.slice(2),
    });
    assert.is(states.length, 4);
    [...forward.slice(1), ...backward.slice(1)].forEach(({ data }, i) =>
      close(states[i].data, data, 1e-6, `state ${i}`),
    );
    refused(
      () => callLayer(both, x, { initialState: initialState.slice(0, 2) }),
      "ERR_SHAPE",
      /expected 2 initial states/,
    );
  });

  test("the merge modes are sum, product, mean and concatenation of both, and null gives both", () => {
    const weights = seeded(layers.bidirectional({ layer: layers.gru({ units: H }) }));
    weights.predict(x);
    const merged = (mergeMode: "concat" | "sum" | "mul" | "ave" | null): NDArray[] => {
      const layer = seeded(layers.bidirectional({ layer: layers.gru({ units: H }), mergeMode }));
      layer.predict(x);
      layer.setWeights(weights.getWeights());
      return callLayer(layer, x);
    };
    const [forward, backward] = merged(null);
    assert.equal(
      [forward.shape, backward.shape],
      [
        [B, H],
        [B, H],
      ],
    );
    const each = (fn: (a: number, b: number) => number): Float32Array =>
      forward.data.map((a, i) => fn(a, backward.data[i]));
    close(
      merged("sum")[0].data,
      each((a, b) => a + b),
      1e-6,
    );
    close(
      merged("mul")[0].data,
      each((a, b) => a * b),
      1e-6,
    );
    close(
      merged("ave")[0].data,
      each((a, b) => (a + b) / 2),
      1e-6,
    );
    const [concat] = merged("concat");
    for (let b = 0; b < B; b++)
      same(concat.data.subarray(b * 2 * H, (b + 1) * 2 * H), [
        ...forward.data.subarray(b * H, (b + 1) * H),
        ...backward.data.subarray(b * H, (b + 1) * H),
      ]);
  });

  test("a bidirectional layer of sequences writes 0 at masked steps in both directions", () => {
    const both = seeded(layers.bidirectional({ layer: layers.lstm({ units: H, returnSequences: true }) }));
    const mask = { data: Int32Array.from([1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]), shape: [B, T] };
    const [output] = callLayer(both, x, { mask });
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++)
        assert.is(
          stepOf(output, b, t).every((value) => value === 0),
          mask.data[b * T + t] === 0,
          `row ${b} step ${t}`,
        );
    }
  });

  test("a bidirectional layer decides what stands at masked steps, whatever its layers say", () => {
    const mask = { data: Int32Array.from([1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]), shape: [B, T] };
    for (const returnSequences of [true, false]) {
      const [plain, zeroing] = [false, true].map(
        (zeroOutputForMask) =>
          callLayer(
            seeded(
              layers.bidirectional({
                layer: layers.gru({ units: H, returnSequences, zeroOutputForMask }),
                backwardLayer: layers.gru({ units: H, returnSequences, goBackwards: true }),
              }),
            ),
            x,
            { mask },
          )[0],
      );
      same(zeroing.data, plain.data);
    }
  });

  test("directions may have activations of their own", () => {
    const both = seeded(
      layers.bidirectional({
        layer: layers.gru({ units: H, activation: "relu" }),
        backwardLayer: layers.gru({
          units: H,
          activation: "softsign",
          recurrentActivation: "hardSigmoid",
          goBackwards: true,
        }),
        mergeMode: null,
      }),
    );
    const [forward, backward] = callLayer(both, x);
    same(forward.data, callLayer(halfOf(both, "forward_gru", layers.gru({ units: H, activation: "relu" })), x)[0].data);
    close(
      backward.data,
      callLayer(
        halfOf(
          both,
          "backward_gru",
          layers.gru({ units: H, activation: "softsign", recurrentActivation: "hardSigmoid", goBackwards: true }),
        ),
        x,
      )[0].data,
      1e-6,
    );
  });
});
