/**
 * What every recurrent layer does whatever its kind, as the suites of ONNX Runtime, Keras, TF.js and PyTorch assert it:
 * directions, states, lengths, masks, options, refusals. The expected numbers follow from the layers themselves.
 */
import * as assert from "uvu/assert";
import { layers, type Layer, type NDArray } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import {
  callLayer,
  disposeSeeded,
  maskOf,
  reversed,
  rowOf,
  seeded,
  stepOf,
  type LayerCall,
} from "../support/layers.ts";
import { floats, rows } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 6];
const x = floats([B, T, I], 1);
const ALL = { returnSequences: true, returnState: true };

/** Every kind of recurrent layer, made of the same options and with the same weights each time. */
const KINDS: Record<string, (options?: object) => Layer> = {
  simpleRNN: (options) => seeded(layers.simpleRNN({ units: H, ...options })),
  lstm: (options) => seeded(layers.lstm({ units: H, biasInitializer: "glorotUniform", ...options })),
  "gru after": (options) => seeded(layers.gru({ units: H, biasInitializer: "glorotUniform", ...options })),
  "gru before": (options) =>
    seeded(layers.gru({ units: H, resetAfter: false, biasInitializer: "glorotUniform", ...options })),
};

eachBackend("calls of recurrent layers", (test) => {
  disposeSeeded(test);

  for (const [kind, make] of Object.entries(KINDS)) {
    test(`${kind}: the reverse direction ends at the first step, its outputs in the order computed`, () => {
      const backward = callLayer(make({ ...ALL, goBackwards: true }), x);
      const forward = callLayer(make(ALL), reversed(x));
      backward.forEach(({ data }, i) => same(data, forward[i].data, `result ${i}`));
    });

    test(`${kind}: what else is asked for changes no result`, () => {
      const [sequence, ...states] = callLayer(make(ALL), x);
      same(callLayer(make({ returnSequences: true }), x)[0].data, sequence.data, "sequence alone");
      const [last, ...sameStates] = callLayer(make({ returnState: true }), x);
      same(callLayer(make(), x)[0].data, last.data, "last alone");
      sameStates.forEach(({ data }, i) => same(data, states[i].data, `state ${i}`));
      for (let b = 0; b < B; b++) same(rowOf(last, b), stepOf(sequence, b, T - 1), `last of row ${b}`);
      same(states[0].data, last.data, "h is the last output");
    });

    for (const lengths of [
      [2, 5, 4],
      [5, 2, 4],
      [4, 5, 2],
      [0, 5, 3],
      [5, 0, 3],
      [0, 0, 0],
      [2, 3, 1],
    ]) {
      test(`${kind}: rows of ${lengths.join(", ")} steps are as if alone, zeros behind`, () => {
        const [sequence, ...states] = callLayer(make(ALL), x, { lengths });
        lengths.forEach((length, b) => {
          for (let t = length; t < T; t++) same(stepOf(sequence, b, t), new Float32Array(H), `row ${b} step ${t}`);
          if (length === 0) {
            for (const state of states) same(rowOf(state, b), new Float32Array(H), `state of row ${b}`);
            return;
          }
          const alone = { data: x.data.slice(b * T * I, (b * T + length) * I), shape: [1, length, I] };
          const [own, ...ends] = callLayer(make(ALL), alone);
          for (let t = 0; t < length; t++) close(stepOf(sequence, b, t), stepOf(own, 0, t), 1e-6, `row ${b} step ${t}`);
          ends.forEach((end, i) => close(rowOf(states[i], b), end.data, 1e-6, `state ${i} of row ${b}`));
        });
      });
    }

    test(`${kind}: lengths with initial states, in both directions; padding may hold anything`, () => {
      const lengths = [3, 0, 5];
      const junk: NDArray = { data: x.data.slice(), shape: x.shape };
      lengths.forEach((length, b) => junk.data.fill(b === 0 ? NaN : Infinity, (b * T + length) * I, (b + 1) * T * I));
      for (const goBackwards of [false, true]) {
        const layer = make({ ...ALL, goBackwards });
        const initialState = Array.from({ length: kind === "lstm" ? 2 : 1 }, (_, i) => floats([B, H], 10 + i));
        const clean = callLayer(layer, x, { lengths, initialState });
        callLayer(layer, junk, { lengths, initialState }).forEach(({ data }, i) =>
          same(data, clean[i].data, `result ${i}`),
        );
        clean
          .slice(1)
          .forEach((state, i) =>
            same(rowOf(state, 1), rowOf(initialState[i], 1), "a row without steps keeps its state"),
          );
      }
    });

    test(`${kind}: one result whatever the batch, and nothing of the call before remains`, () => {
      const many = floats([33, 7, I], 3);
      const layer = make(ALL);
      const whole = callLayer(layer, many);
      for (const [from, to] of [
        [0, 1],
        [31, 33],
        [5, 12],
      ]) {
        const part = callLayer(layer, rows(many, from, to));
        part.forEach((result, i) =>
          close(result.data, rows(whole[i], from, to).data, 1e-6, `rows ${from}…${to}, result ${i}`),
        );
      }
      callLayer(layer, floats([2, 9, I], 4, 100));
      callLayer(layer, many).forEach(({ data }, i) => same(data, whole[i].data, `again, result ${i}`));
    });

    test(`${kind}: masked steps keep the state and repeat the output; zeros where no step was valid yet`, () => {
      const mask = maskOf([
        [0, 1, 0, 0, 1],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
      ]);
      const [sequence, ...states] = callLayer(make(ALL), x, { mask });
      const valid = { data: Float32Array.from([...stepOf(x, 0, 1), ...stepOf(x, 0, 4)]), shape: [1, 2, I] };
      const [own, ...ends] = callLayer(make(ALL), valid);
      const zeros = new Float32Array(H);
      [zeros, stepOf(own, 0, 0), stepOf(own, 0, 0), stepOf(own, 0, 0), stepOf(own, 0, 1)].forEach((expected, t) =>
        close(stepOf(sequence, 0, t), expected, 1e-6, `step ${t}`),
      );
      ends.forEach((end, i) => close(rowOf(states[i], 0), end.data, 1e-6, `state ${i}`));
      for (let t = 0; t < T; t++) same(stepOf(sequence, 2, t), zeros, "no valid step");
      same(rowOf(callLayer(make(), x, { mask })[0], 2), zeros, "last output without a valid step");
      const [zeroed] = callLayer(make({ ...ALL, zeroOutputForMask: true }), x, { mask });
      for (const t of [0, 2, 3]) same(stepOf(zeroed, 0, t), zeros, `zeroOutputForMask at ${t}`);
      same(stepOf(zeroed, 0, 4), stepOf(sequence, 0, 4), "valid steps stay");
    });

    test(`${kind}: goBackwards reverses the mask with the inputs`, () => {
      const mask = [
        [1, 1, 0, 1, 0],
        [0, 1, 1, 1, 1],
        [1, 0, 0, 0, 1],
      ];
      const backward = callLayer(make({ ...ALL, goBackwards: true }), x, { mask: maskOf(mask) });
      const forward = callLayer(make(ALL), reversed(x), { mask: maskOf(mask.map((steps) => [...steps].reverse())) });
      backward.forEach(({ data }, i) => close(data, forward[i].data, 1e-6, `result ${i}`));
    });

    test(`${kind}: a mask of trailing padding agrees with lengths where they count`, () => {
      const [byMask, ...maskStates] = callLayer(make(ALL), x, {
        mask: maskOf([
          [1, 1, 0, 0, 0],
          [1, 1, 1, 1, 1],
          [1, 0, 0, 0, 0],
        ]),
      });
      const [byLengths, ...lengthStates] = callLayer(make(ALL), x, { lengths: [2, 5, 1] });
      [2, 5, 1].forEach((length, b) => {
        for (let t = 0; t < length; t++) same(stepOf(byMask, b, t), stepOf(byLengths, b, t));
      });
      maskStates.forEach(({ data }, i) => same(data, lengthStates[i].data, `state ${i}`));
    });

    test(`${kind}: stateful calls continue until resetStates; another batch size is refused`, () => {
      const layer = make({ ...ALL, stateful: true });
      const [first, second] = [layer.predict(x), layer.predict(x)] as unknown as NDArray[][];
      const [once, ...states] = callLayer(make(ALL), x);
      const [twice] = callLayer(make(ALL), x, { initialState: states });
      same(first[0].data, once.data, "first call");
      close(second[0].data, twice.data, 1e-6, "second call");
      refused(
        () => layer.predict(rows(x, 0, 2)),
        "ERR_STATE",
        /expected a batch of 3.*got 2; give batches of 3 rows, or call resetStates/,
      );
      layer.resetStates();
      same((layer.predict(x) as unknown as NDArray[])[0].data, once.data, "after resetStates");
      layer.resetStates();
      assert.equal((layer.predict(rows(x, 0, 2)) as unknown as NDArray[])[0].shape, [2, T, H]);
    });

    test(`${kind}: saturated gates, inputs of 1e4, rows without a step, extents of 1 give finite numbers`, () => {
      for (const [input, options] of [
        [floats([B, T, I], 5, 1e4), {}],
        [x, { mask: maskOf(Array.from({ length: B }, () => new Array(T).fill(0))) }],
        [floats([1, 1, I], 6), {}],
      ] as [NDArray, LayerCall][]) {
        for (const { data } of callLayer(make(ALL), input, options)) assert.ok(data.every(Number.isFinite));
      }
      const one = seeded(layers.lstm({ units: 1, returnSequences: true }));
      assert.ok(callLayer(one, floats([1, 1, 1], 8))[0].data.every(Number.isFinite));
    });

    test(`${kind}: unroll and implementation are accepted, and change nothing`, () => {
      const plain = callLayer(make(ALL), x);
      for (const options of [{ unroll: true }, { implementation: 0 }, { implementation: 1 }, { implementation: 2 }]) {
        callLayer(make({ ...ALL, ...options }), x).forEach(({ data }, i) =>
          same(data, plain[i].data, JSON.stringify(options)),
        );
      }
    });

    test(`${kind}: errors name the layer, what was expected and what came`, () => {
      refused(
        () => make().predict(floats([B, I])),
        "ERR_SHAPE",
        /expected input \[batch, time, features\], got \[3, 4\]/,
      );
      refused(() => make({ units: 0 }), "ERR_OPTION", /expected units to be a positive integer, got 0/);
      refused(() => make({ units: 2.5 }), "ERR_OPTION", /expected units to be a positive integer, got 2.5/);
      refused(
        () => make({ activation: "tahn" }),
        "ERR_OPTION",
        /expected a known activation, got "tahn", did you mean "tanh"/,
      );
      refused(
        () => callLayer(make(), x, { initialState: [floats([B, H]), floats([B, H]), floats([B, H])] }),
        "ERR_SHAPE",
        /initial states/,
      );
      refused(() => callLayer(make(), x, { initialState: [] }), "ERR_SHAPE", /initial states .*got none/);
      refused(() => make().predict(x, { lengths: [1, 2] }), "ERR_SHAPE", /expected lengths \[3\], got \[2\]/);
      refused(() => make().predict(x, { lengths: [1, 2, 6] }), "ERR_VALUE", /expected lengths of 0…5, got 6 for row 2/);
      refused(
        () =>
          make().predict(x, {
            mask: [
              [1, 1],
              [1, 0],
              [0, 0],
            ],
          }),
        "ERR_SHAPE",
        /expected mask \[3, 5\], got \[3, 2\]/,
      );
      const layer = make();
      layer.predict(x);
      refused(
        () => layer.predict(floats([B, T, I + 1])),
        "ERR_SHAPE",
        /expected input \[batch, time, 4\], got \[3, 5, 5\]/,
      );
    });
  }
});
