/**
 * What the suites of Keras, TF.js and PyTorch assert of layers around layers, of shapes and defaults, one test each. Where
 * this library differs from one of them on purpose, the test's name says so.
 */
import * as assert from "uvu/assert";
import {
  Module,
  jit,
  layers,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type Layer,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const [B, T, I, H] = [3, 5, 4, 3];
const x = floats([B, T, I], 1);
const ALL = { returnSequences: true, returnState: true };
const made: Module[] = [];

/** A module that is disposed of after the test, with a seed of its own unless it is built already. */
function seeded<M extends Module>(module: M): M {
  if (!module.built) module.seed = 7;
  made.push(module);
  return module;
}

function run(
  layer: Layer,
  input: NDArray,
  options: { mask?: NDArray<Int32Array>; initialState?: NDArray[] } = {},
): NDArray[] {
  return jit(layer, (tensor: Tensor, more: object) => [layer.call(tensor, more) as Tensor | Tensor[]].flat())(
    input,
    options,
  ) as NDArray[];
}

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

const row = ({ data, shape }: NDArray, b: number, t: number): Float32Array =>
  data.subarray((b * shape[1] + t) * shape[2], (b * shape[1] + t + 1) * shape[2]);

eachBackend("checklist of wrappers, shapes and defaults", (test) => {
  test.after.each(() => made.splice(0).forEach((module) => module.dispose()));

  test("a bidirectional layer takes and gives the forward states, then the backward ones, h before c", () => {
    const both = seeded(layers.bidirectional({ layer: layers.lstm({ units: H, ...ALL }) })) as unknown as Layer;
    const initialState = [1, 2, 3, 4].map((salt) => floats([B, H], salt));
    const [, ...states] = run(both, x, { initialState });
    const forward = run(halfOf(both, "forward_lstm", layers.lstm({ units: H, ...ALL })), x, {
      initialState: initialState.slice(0, 2),
    });
    const backward = run(halfOf(both, "backward_lstm", layers.lstm({ units: H, ...ALL, goBackwards: true })), x, {
      initialState: initialState.slice(2),
    });
    assert.is(states.length, 4);
    [...forward.slice(1), ...backward.slice(1)].forEach(({ data }, i) =>
      close(states[i].data, data, 1e-6, `state ${i}`),
    );
    refused(() => run(both, x, { initialState: initialState.slice(0, 2) }), "ERR_SHAPE", /expected 2 initial states/);
  });

  test("the merge modes are sum, product, mean and concatenation of both, and null gives both", () => {
    const weights = seeded(layers.bidirectional({ layer: layers.gru({ units: H }) }));
    weights.predict(x);
    const merged = (mergeMode: "concat" | "sum" | "mul" | "ave" | null): NDArray[] => {
      const layer = seeded(layers.bidirectional({ layer: layers.gru({ units: H }), mergeMode }));
      layer.predict(x);
      layer.setWeights(weights.getWeights());
      return run(layer as unknown as Layer, x);
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
    const both = seeded(
      layers.bidirectional({ layer: layers.lstm({ units: H, returnSequences: true }) }),
    ) as unknown as Layer;
    const mask = { data: Int32Array.from([1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]), shape: [B, T] };
    const [output] = run(both, x, { mask });
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < T; t++)
        assert.is(
          row(output, b, t).every((value) => value === 0),
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
          run(
            seeded(
              layers.bidirectional({
                layer: layers.gru({ units: H, returnSequences, zeroOutputForMask }),
                backwardLayer: layers.gru({ units: H, returnSequences, goBackwards: true }),
              }),
            ) as unknown as Layer,
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
    ) as unknown as Layer;
    const [forward, backward] = run(both, x);
    same(forward.data, run(halfOf(both, "forward_gru", layers.gru({ units: H, activation: "relu" })), x)[0].data);
    close(
      backward.data,
      run(
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
        run(seeded(layers.lstm({ units: H, returnSequences, returnState })) as Layer, x).map(({ shape }) => shape),
        shapes,
      );
    });
  }

  test("the mask ends where the sequence does: a last output counts in every loss, whatever is masked", () => {
    const model = seeded(
      sequential([layers.gru({ units: H }), layers.dense({ units: 1 })], { seed: 1, inputShape: [null, I] }),
    );
    model.compile({ loss: "mse" });
    const mask = { data: Int32Array.from({ length: B * T }, (_, i) => +(i >= T)), shape: [B, T] }; // none of the first row
    const predicted = model.predict(x, { mask });
    close([model.evaluate(x, [0, 0, 0], { mask }).loss], [predicted.data.reduce((sum, p) => sum + p * p, 0) / B], 1e-6);
  });

  test("defaults are Keras 3's, other than TF.js': recurrentActivation sigmoid, reset after, glorot uniform; nothing is refused for them", () => {
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

  test("a length of 0 is a row of zeros, other than PyTorch, which refuses it; input without a batch is refused, other than there", () => {
    const layer = seeded(layers.lstm({ units: H }));
    same(layer.predict(x, { lengths: [0, 5, 3] }).data.subarray(0, H), new Float32Array(H));
    refused(() => layer.predict(floats([T, I])), "ERR_SHAPE", /expected input \[batch, time, 4\], got \[5, 4\]/);
  });

  test("one row of many steps is the same as its parts in turn", () => {
    const long = floats([1, 700, I], 9);
    const layer = seeded(layers.lstm({ units: 17, ...ALL }));
    const [whole, ...ends] = run(layer as Layer, long);
    let states: NDArray[] | undefined;
    for (let start = 0; start < 700; start += 100) {
      const part = { data: long.data.subarray(start * I, (start + 100) * I), shape: [1, 100, I] };
      const [output, ...after] = run(layer as Layer, part, states && { initialState: states });
      close(output.data, whole.data.subarray(start * 17, (start + 100) * 17), 1e-5, `from step ${start}`);
      states = after;
    }
    states!.forEach(({ data }, i) => close(data, ends[i].data, 1e-5, `state ${i}`));
  });

  test("dropout of stacked layers acts between them, not after the last one; states are in the order of layers", () => {
    const layer = seeded(
      layers.gru({ units: H, numLayers: 2, dropout: 0.9, biasInitializer: "ones", ...ALL }),
    ) as Layer;
    const plain = seeded(layers.gru({ units: H, numLayers: 2, ...ALL })) as Layer;
    const [, first, second] = run(layer, x);
    plain.predict(x);
    plain.setWeights(layer.getWeights());
    const training = jit(layer, (input: Tensor) => layer.call(input), { training: true })(x) as NDArray[];
    same(training[1].data, first.data, "the first layer sees all of its input");
    assert.ok(
      training[2].data.some((value, i) => value !== second.data[i]),
      "the second one does not",
    );
    assert.ok(
      training[0].data.every((value) => value !== 0),
      "nothing is dropped from the output",
    );
    run(plain, x).forEach(({ data }, i) => same(data, [run(layer, x)[0], first, second][i].data));
  });

  test("the row of the padding gets no gradient", () => {
    const model = seeded(
      sequential([layers.embedding({ inputDim: 6, outputDim: 2, maskZero: true }), layers.lstm({ units: H })], {
        seed: 1,
        inputShape: [null],
      }),
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

  for (const [what, options, steps] of [
    ["with a mask", {}, true],
    ["backwards", { goBackwards: true }, false],
    ["backwards with a mask", { goBackwards: true }, true],
  ] as const) {
    test(`two epochs of BPTT ${what} end in the weights of steps by hand`, async () => {
      const make = () =>
        sequential([layers.lstm({ units: H, ...options }), layers.dense({ units: 1 })], {
          seed: 5,
          inputShape: [null, I],
        });
      const [model, own] = [seeded(make()), seeded(make())];
      own.setWeights(model.getWeights());
      const y = floats([B, 1], 3);
      const mask = { data: Int32Array.from([1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]), shape: [B, T] };
      model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: "mse" });
      await model.fit(x, y, { epochs: 2, batchSize: B, shuffle: false, ...(steps ? { mask } : {}) });
      const step = trainStep(
        own,
        optimizers.sgd({ learningRate: 0.1 }),
        (input: Tensor, target: Tensor, given: object) =>
          ops.mean(ops.square(ops.sub(own.layers[1].call((own.layers[0] as Layer).call(input, given)), target))),
      );
      for (let epoch = 0; epoch < 2; epoch++) step(x, y, steps ? { mask } : {});
      for (const [name, { data }] of Object.entries(own.getWeights()))
        close(model.getWeights()[name].data, data, 1e-6, name);
    });
  }

  test("initial states may come from another layer, which they train", () => {
    class Pair extends Module {
      reader = layers.lstm({ units: H, returnState: true });
      writer = layers.lstm({ units: H });
      override call(input: Tensor): Tensor {
        const [, ...states] = this.reader.call(input);
        return this.writer.call(input, { initialState: states });
      }
    }
    const model = seeded(new Pair());
    const { grads } = valueAndGrad(model, (input: Tensor) => ops.sum(model.call(input)))(x);
    assert.ok(grads["reader/kernel"].data.some((g) => g !== 0));
    const before = model.getWeights();
    const copy = seeded(new Pair());
    copy.predict(x);
    copy.load(model.save());
    sameWeights(copy.getWeights(), before);
    same(copy.predict(x).data, model.predict(x).data);
  });
});
