/**
 * What the suites of ONNX Runtime, Keras, TF.js and PyTorch assert of recurrent layers, one test each: directions, states,
 * lengths, masks, options, refusals. Here the expected numbers follow from the layers themselves or from a plain loop.
 */
import * as assert from "uvu/assert";
import {
  cells,
  jit,
  layers,
  loadModel,
  sequential,
  type Layer,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 6];

interface Call {
  lengths?: number[];
  mask?: NDArray<Int32Array>;
  initialState?: NDArray[];
}

/** Calls a layer on arrays; gives all that it gives. */
function run(layer: Layer, x: NDArray, options: Call = {}): NDArray[] {
  const call = jit(layer, (input: Tensor, { lengths, mask, initialState }: Record<string, any>) =>
    [layer.call(input, { lengths, mask, initialState }) as Tensor | Tensor[]].flat(),
  );
  const { lengths, ...rest } = options;
  return call(x, { ...rest, lengths: lengths && Int32Array.from(lengths) }) as NDArray[];
}

/** Every kind of recurrent layer, made of the same options and with the same weights each time. */
const KINDS: Record<string, (options?: object) => Layer> = {
  simpleRNN: (options) => seeded(layers.simpleRNN({ units: H, ...options })),
  lstm: (options) => seeded(layers.lstm({ units: H, biasInitializer: "glorotUniform", ...options })),
  "gru after": (options) => seeded(layers.gru({ units: H, biasInitializer: "glorotUniform", ...options })),
  "gru before": (options) =>
    seeded(layers.gru({ units: H, resetAfter: false, biasInitializer: "glorotUniform", ...options })),
};

const made: Layer[] = [];

/** A layer with weights of its own seed, disposed of after the test. */
function seeded<L extends Layer>(layer: L): L {
  layer.seed = 7;
  made.push(layer);
  return layer;
}

const x = floats([B, T, I], 1);
const ALL = { returnSequences: true, returnState: true };
const maskOf = (mask: number[][]): NDArray<Int32Array> => ({
  data: Int32Array.from(mask.flat()),
  shape: [mask.length, mask[0].length],
});

/** Steps of each row in another order. */
function reversed({ data, shape: [n, steps, width] }: NDArray): NDArray {
  return {
    data: Float32Array.from(data, (_, i) => {
      const [b, t, k] = [Math.floor(i / (steps * width)), Math.floor(i / width) % steps, i % width];
      return data[(b * steps + steps - 1 - t) * width + k];
    }),
    shape: [n, steps, width],
  };
}

/** Step t of row b. */
const at = ({ data, shape }: NDArray, b: number, t: number): Float32Array =>
  data.subarray((b * shape[1] + t) * shape[2], (b * shape[1] + t + 1) * shape[2]);
const row = ({ data, shape }: NDArray, b: number): Float32Array => data.subarray(b * shape[1], (b + 1) * shape[1]);

eachBackend("checklist of layers", (test) => {
  test.after.each(() => made.splice(0).forEach((layer) => layer.dispose()));

  for (const [kind, make] of Object.entries(KINDS)) {
    test(`${kind}: the reverse direction ends at the first step, its outputs in the order computed`, () => {
      const backward = run(make({ ...ALL, goBackwards: true }), x);
      const forward = run(make(ALL), reversed(x));
      backward.forEach(({ data }, i) => same(data, forward[i].data, `result ${i}`));
    });

    test(`${kind}: what else is asked for changes no result`, () => {
      const [sequence, ...states] = run(make(ALL), x);
      same(run(make({ returnSequences: true }), x)[0].data, sequence.data, "sequence alone");
      const [last, ...sameStates] = run(make({ returnState: true }), x);
      same(run(make(), x)[0].data, last.data, "last alone");
      sameStates.forEach(({ data }, i) => same(data, states[i].data, `state ${i}`));
      for (let b = 0; b < B; b++) same(row(last, b), at(sequence, b, T - 1), `last of row ${b}`);
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
        const [sequence, ...states] = run(make(ALL), x, { lengths });
        lengths.forEach((length, b) => {
          for (let t = length; t < T; t++) same(at(sequence, b, t), new Float32Array(H), `row ${b} step ${t}`);
          if (length === 0) {
            for (const state of states) same(row(state, b), new Float32Array(H), `state of row ${b}`);
            return;
          }
          const alone = { data: x.data.slice(b * T * I, (b * T + length) * I), shape: [1, length, I] };
          const [own, ...ends] = run(make(ALL), alone);
          for (let t = 0; t < length; t++) close(at(sequence, b, t), at(own, 0, t), 1e-6, `row ${b} step ${t}`);
          ends.forEach((end, i) => close(row(states[i], b), end.data, 1e-6, `state ${i} of row ${b}`));
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
        const clean = run(layer, x, { lengths, initialState });
        run(layer, junk, { lengths, initialState }).forEach(({ data }, i) => same(data, clean[i].data, `result ${i}`));
        clean
          .slice(1)
          .forEach((state, i) => same(row(state, 1), row(initialState[i], 1), "a row without steps keeps its state"));
      }
    });

    test(`${kind}: one result whatever the batch, and nothing of the call before remains`, () => {
      const many = floats([33, 7, I], 3);
      const layer = make(ALL);
      const whole = run(layer, many);
      for (const [from, to] of [
        [0, 1],
        [31, 33],
        [5, 12],
      ]) {
        const part = run(layer, rows(many, from, to));
        part.forEach((result, i) =>
          close(result.data, rows(whole[i], from, to).data, 1e-6, `rows ${from}…${to}, result ${i}`),
        );
      }
      run(layer, floats([2, 9, I], 4, 100));
      run(layer, many).forEach(({ data }, i) => same(data, whole[i].data, `again, result ${i}`));
    });

    test(`${kind}: masked steps keep the state and repeat the output; zeros before the first, zeros all along without any`, () => {
      const mask = maskOf([
        [0, 1, 0, 0, 1],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
      ]);
      const [sequence, ...states] = run(make(ALL), x, { mask });
      const valid = { data: Float32Array.from([...at(x, 0, 1), ...at(x, 0, 4)]), shape: [1, 2, I] };
      const [own, ...ends] = run(make(ALL), valid);
      const zeros = new Float32Array(H);
      [zeros, at(own, 0, 0), at(own, 0, 0), at(own, 0, 0), at(own, 0, 1)].forEach((expected, t) =>
        close(at(sequence, 0, t), expected, 1e-6, `step ${t}`),
      );
      ends.forEach((end, i) => close(row(states[i], 0), end.data, 1e-6, `state ${i}`));
      for (let t = 0; t < T; t++) same(at(sequence, 2, t), zeros, "no valid step");
      same(row(run(make(), x, { mask })[0], 2), zeros, "last output without a valid step");
      const [zeroed] = run(make({ ...ALL, zeroOutputForMask: true }), x, { mask });
      for (const t of [0, 2, 3]) same(at(zeroed, 0, t), zeros, `zeroOutputForMask at ${t}`);
      same(at(zeroed, 0, 4), at(sequence, 0, 4), "valid steps stay");
    });

    test(`${kind}: goBackwards reverses the mask with the inputs`, () => {
      const mask = [
        [1, 1, 0, 1, 0],
        [0, 1, 1, 1, 1],
        [1, 0, 0, 0, 1],
      ];
      const backward = run(make({ ...ALL, goBackwards: true }), x, { mask: maskOf(mask) });
      const forward = run(make(ALL), reversed(x), { mask: maskOf(mask.map((steps) => [...steps].reverse())) });
      backward.forEach(({ data }, i) => close(data, forward[i].data, 1e-6, `result ${i}`));
    });

    test(`${kind}: a mask of trailing padding agrees with lengths where they count`, () => {
      const [byMask, ...maskStates] = run(make(ALL), x, {
        mask: maskOf([
          [1, 1, 0, 0, 0],
          [1, 1, 1, 1, 1],
          [1, 0, 0, 0, 0],
        ]),
      });
      const [byLengths, ...lengthStates] = run(make(ALL), x, { lengths: [2, 5, 1] });
      [2, 5, 1].forEach((length, b) => {
        for (let t = 0; t < length; t++) same(at(byMask, b, t), at(byLengths, b, t));
      });
      maskStates.forEach(({ data }, i) => same(data, lengthStates[i].data, `state ${i}`));
    });

    test(`${kind}: stateful calls go on where the last one ended, until resetStates; another batch size is refused`, () => {
      const layer = make({ ...ALL, stateful: true });
      const [first, second] = [layer.predict(x), layer.predict(x)] as unknown as NDArray[][];
      const [once, ...states] = run(make(ALL), x);
      const [twice] = run(make(ALL), x, { initialState: states });
      same(first[0].data, once.data, "first call");
      close(second[0].data, twice.data, 1e-6, "second call");
      refused(() => layer.predict(rows(x, 0, 2)), "ERR_STATE", /expected a batch of 3.*got 2; call resetStates first/);
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
      ] as [NDArray, Call][]) {
        for (const { data } of run(make(ALL), input, options)) assert.ok(data.every(Number.isFinite));
      }
      const one = seeded(layers.lstm({ units: 1, returnSequences: true }));
      assert.ok(run(one, floats([1, 1, 1], 8))[0].data.every(Number.isFinite));
    });

    test(`${kind}: unroll and implementation are accepted, and change nothing`, () => {
      const plain = run(make(ALL), x);
      for (const options of [{ unroll: true }, { implementation: 0 }, { implementation: 1 }, { implementation: 2 }]) {
        run(make({ ...ALL, ...options }), x).forEach(({ data }, i) =>
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
        () => run(make(), x, { initialState: [floats([B, H]), floats([B, H]), floats([B, H])] }),
        "ERR_SHAPE",
        /initial states/,
      );
      refused(() => run(make(), x, { initialState: [] }), "ERR_SHAPE", /initial states .*got none/);
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

  test("unitForgetBias adds 1 to the initial bias of the forget gate only", () => {
    const bias = (options: object): Float32Array => {
      const layer = seeded(layers.lstm({ units: H, ...options }));
      layer.predict(x);
      return layer.getWeights().bias.data;
    };
    same(
      bias({}),
      Float32Array.from({ length: 4 * H }, (_, i) => +(i >= H && i < 2 * H)),
    );
    same(bias({ unitForgetBias: false }), new Float32Array(4 * H));
  });

  test("returnState gives the output, then h, then c", () => {
    const [output, h, c] = run(KINDS.lstm({ returnState: true, goBackwards: true }), x);
    same(h.data, output.data);
    assert.ok(c.data.some((value, i) => value !== h.data[i]));
  });

  for (const useBias of [true, false]) {
    test(`peepholes ${useBias ? "with" : "without"} a bias: i and f see the cell before, o the one after`, () => {
      const layer = seeded(
        layers.lstm({ units: H, peepholes: true, useBias, ...ALL, biasInitializer: "glorotUniform" }),
      );
      const [sequence, , cell] = run(layer, x);
      const w = layer.getWeights();
      const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
      for (let b = 0; b < B; b++) {
        let [h, c] = [new Float64Array(H), new Float64Array(H)];
        for (let t = 0; t < T; t++) {
          const z = Array.from({ length: 4 * H }, (_, m) => {
            let sum = useBias ? w.bias.data[m] : 0;
            for (let i = 0; i < I; i++) sum += at(x, b, t)[i] * w.kernel.data[i * 4 * H + m];
            for (let k = 0; k < H; k++) sum += h[k] * w.recurrent_kernel.data[k * 4 * H + m];
            return sum;
          });
          const next = c.map(
            (old, j) =>
              sigmoid(z[H + j] + w.peephole_f.data[j] * old) * old +
              sigmoid(z[j] + w.peephole_i.data[j] * old) * Math.tanh(z[2 * H + j]),
          );
          h = next.map((value, j) => sigmoid(z[3 * H + j] + w.peephole_o.data[j] * value) * Math.tanh(value));
          c = next;
          close(at(sequence, b, t), h, 1e-5, `row ${b} step ${t}`);
        }
        close(row(cell, b), c, 1e-5, `cell of row ${b}`);
      }
    });
  }

  test("a stack of cells has states of its own sizes, and carries masks and states through all of them", () => {
    const stack = (options: object): Layer =>
      seeded(
        layers.rnn({
          cell: [cells.lstm({ units: 3 }), cells.gru({ units: 4 }), cells.simpleRNN({ units: 2 })],
          ...options,
        } as never),
      ) as Layer;
    const mask = maskOf([
      [1, 1, 0, 1, 1],
      [0, 1, 1, 0, 0],
      [1, 1, 1, 1, 1],
    ]);
    const [output, ...states] = run(stack(ALL), x, { mask });
    assert.equal(
      states.map(({ shape }) => shape),
      [
        [3, 3],
        [3, 3],
        [3, 4],
        [3, 2],
      ],
    );
    same(row(states[3], 1), at(output, 1, 2), "the last state of a masked row");
    const stateful = stack({ ...ALL, stateful: true });
    const calls = [stateful.predict(x), stateful.predict(x)] as unknown as NDArray[][];
    const [once, ...ends] = run(stack(ALL), x);
    same(calls[0][0].data, once.data);
    close(calls[1][0].data, run(stack(ALL), x, { initialState: ends })[0].data, 1e-6);
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
      { seed: 3, inputShape: [null, I] },
    );
    const again = loadModel(model.save());
    assert.equal(Object.keys(again.getWeights()), Object.keys(model.getWeights()));
    assert.is(again.summary(), model.summary());
    same(again.predict(x).data, model.predict(x).data);
    for (const each of [model, again]) each.dispose();
  });

  test("a layer over both directions turns the outputs back, and refuses directions that do not fit", () => {
    const both = seeded(layers.bidirectional({ layer: layers.gru({ units: H, returnSequences: true }) }));
    const [merged] = run(both as unknown as Layer, x);
    const weights = both.getWeights();
    const half = (path: string, goBackwards: boolean): NDArray => {
      const layer = seeded(layers.gru({ units: H, returnSequences: true, goBackwards }));
      layer.predict(x);
      layer.setWeights(
        Object.fromEntries(Object.keys(layer.getWeights()).map((name) => [name, weights[`${path}/${name}`]])),
      );
      return layer.predict(x);
    };
    const [forward, backward] = [half("forward_gru", false), reversed(half("backward_gru", true))];
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++)
        close(at(merged, b, t), [...at(forward, b, t), ...at(backward, b, t)], 1e-6, `row ${b} step ${t}`);
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
});
