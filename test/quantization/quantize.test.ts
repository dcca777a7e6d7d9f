/** quantize: how near the numbers stay, what else stays the same, and what such a model refuses. */
import * as assert from "uvu/assert";
import {
  Module,
  cells,
  jit,
  layers,
  loadModel,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { loadModel as loadForInference } from "../../bindings/infer.ts";
import { FILE_VERSION, METADATA_KEY } from "../../bindings/saving/metadata.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../../bindings/saving/safetensors.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, sameWeights, tokens } from "../support/models.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

type Model = ReturnType<typeof sequential>;

const MODES = ["mixed", 7, 14] as const;
/** Largest differences from floats relative to the largest output, by `activations`. */
const NEAR = { mixed: 0.03, 7: 0.05, 14: 0.03 };

const x = floats([3, 6, 40]);
const text = tokens([3, 6], 30);

/** Models with every kind of layer that is quantised, and their inputs. */
const SAMPLES: Record<
  string,
  { layers: () => Parameters<typeof sequential>[0]; x: NDArray<Float32Array | Int32Array>; streams?: boolean }
> = {
  lstm: { layers: () => [layers.lstm({ units: 50, returnSequences: true }), layers.dense({ units: 5 })], x },
  "lstm with peepholes": { layers: () => [layers.lstm({ units: 20, peepholes: true, returnSequences: true })], x },
  gru: {
    layers: () => [layers.gru({ units: 50, returnSequences: true }), layers.dense({ units: 5, activation: "tanh" })],
    x,
  },
  "gru, reset before": { layers: () => [layers.gru({ units: 50, resetAfter: false, returnSequences: true })], x },
  simpleRNN: { layers: () => [layers.simpleRNN({ units: 50, returnSequences: true })], x },
  "unusual activations": {
    layers: () => [
      layers.lstm({ units: 34, activation: "softsign", recurrentActivation: "hardSigmoid", returnSequences: true }),
      layers.gru({ units: 9, activation: "relu", returnSequences: true }),
    ],
    x,
  },
  "cells that run step by step": {
    layers: () => [
      layers.lstm({ units: 40, cellClip: 0.5, coupledInputForget: true, returnSequences: true }),
      layers.gru({ units: 9, cellClip: 0.7, resetAfter: false, returnSequences: true }),
    ],
    x,
  },
  projection: {
    layers: () => [
      layers.lstm({ units: 40, projection: 34, returnSequences: true }),
      layers.simpleRNN({ units: 5, cellClip: 1, returnSequences: true }),
    ],
    x,
  },
  "one unit": {
    layers: () => [layers.lstm({ units: 1, returnSequences: true }), layers.gru({ units: 1, returnSequences: true })],
    x,
  },
  "three units, then 257": {
    layers: () => [
      layers.gru({ units: 3, returnSequences: true }),
      layers.lstm({ units: 257, returnSequences: true }),
      layers.dense({ units: 2 }),
    ],
    x,
  },
  "without biases": {
    layers: () => [
      layers.gru({ units: 40, useBias: false, returnSequences: true }),
      layers.simpleRNN({ units: 8, useBias: false, returnSequences: true }),
    ],
    x,
  },
  "few inputs": { layers: () => [layers.lstm({ units: 33, returnSequences: true })], x: floats([3, 6, 4]) },
  "a table of tokens": {
    layers: () => [
      layers.embedding({ inputDim: 30, outputDim: 40 }),
      layers.lstm({ units: 40, returnSequences: true }),
      layers.dense({ units: 30 }),
    ],
    x: text,
  },
  "a table of tokens, few inputs": {
    layers: () => [layers.embedding({ inputDim: 30, outputDim: 8 }), layers.gru({ units: 40, returnSequences: true })],
    x: text,
  },
  "many tokens": {
    layers: () => [
      layers.embedding({ inputDim: 300, outputDim: 40 }),
      layers.gru({ units: 40, returnSequences: true }),
    ],
    x: text,
  },
  "an embedding by itself": { layers: () => [layers.embedding({ inputDim: 30, outputDim: 7 })], x: text },
  "stacked cells": {
    layers: () => [
      layers.rnn({ cell: [cells.lstm({ units: 40 }), cells.gru({ units: 20 })], returnSequences: true }),
      layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
    ],
    x,
  },
  "numLayers, both ways": {
    layers: () => [
      layers.bidirectional({ layer: layers.lstm({ units: 20, numLayers: 2, returnSequences: true }) }),
      layers.dense({ units: 3 }),
    ],
    x,
    streams: false,
  },
};

const make = (name: string): Model => {
  const {
    layers: list,
    x: { shape },
  } = SAMPLES[name];
  return sequential(list(), { seed: 5, inputShape: [null, ...shape.slice(2)] });
};

/** The largest difference, relative to the largest value. */
function distance(actual: ArrayLike<number>, expected: Float32Array): number {
  assert.is(actual.length, expected.length);
  const most = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return most(expected.map((value, i) => value - actual[i])) / most(expected);
}

eachBackend("quantize", (test, _build, { arena }) => {
  for (const [name, sample] of Object.entries(SAMPLES)) {
    test(`${name}: near the original, which stays as it is; the same after saving, and as a stream`, () => {
      const before = arena.bytes;
      const model = make(name);
      const weights = model.getWeights();
      const expected = model.predict(sample.x);
      for (const activations of MODES) {
        const small = model.quantize({ bits: 8, activations });
        const actual = small.predict(sample.x);
        assert.equal(actual.shape, expected.shape);
        const error = distance(actual.data, expected.data);
        assert.ok(error > 0 && error < NEAR[activations], `${activations}: ${error}`);
        for (const load of [loadModel, loadForInference]) {
          const loaded = load(small.save());
          same(loaded.predict(sample.x).data, actual.data, "saved and loaded");
          loaded.dispose();
        }
        if (sample.streams !== false) {
          const [, time, width] = actual.shape;
          const row = sample.x.data.subarray(0, sample.x.data.length / 3);
          const stream = small.stream();
          assert.ok(distance(stream.process(row), actual.data.slice(0, time * width)) < 1e-6, "stream");
          stream.dispose();
        }
        small.dispose();
      }
      sameWeights(model.getWeights(), weights);
      same(model.predict(sample.x).data, expected.data);
      model.dispose();
      assert.is(arena.bytes, before, "every byte comes back");
    });
  }

  test("lengths and masks hold", () => {
    const model = make("lstm");
    const small = model.quantize();
    for (const options of [
      { lengths: [6, 2, 4] },
      {
        mask: [
          [1, 1, 0, 1, 1, 0],
          [0, 1, 1, 1, 1, 1],
          [1, 0, 0, 0, 0, 1],
        ],
      },
    ]) {
      assert.ok(distance(small.predict(x, options).data, model.predict(x, options).data) < NEAR.mixed);
    }
    model.dispose();
    small.dispose();
  });

  test("weights come back as floats, half a step of 1/127 of their column away at most", () => {
    const model = make("a table of tokens");
    const small = model.quantize();
    const [before, after] = [model.getWeights(), small.getWeights()];
    assert.equal(Object.keys(after), Object.keys(before));
    for (const [name, { data, shape }] of Object.entries(before)) {
      assert.equal(after[name].shape, shape);
      if (name.endsWith("bias")) same(after[name].data, data);
      const axis = name.endsWith("embeddings") ? 0 : 1;
      for (let i = 0; i < data.length; i++) {
        const line = axis === 0 ? Math.floor(i / shape[1]) : i % shape[1];
        const largest = data.reduce(
          (most, value, k) =>
            (axis === 0 ? Math.floor(k / shape[1]) : k % shape[1]) === line ? Math.max(most, Math.abs(value)) : most,
          0,
        );
        assert.ok(Math.abs(after[name].data[i] - data[i]) <= (largest / 127) * 0.5001, name);
        i += 97; // a sample of them
      }
    }
    model.dispose();
    small.dispose();
  });

  test("a file of a quarter of the size, a summary of the bytes there are, no weight to train", () => {
    const model = sequential([layers.lstm({ units: 100 }), layers.dense({ units: 50 })], {
      seed: 1,
      inputShape: [null, 100],
    });
    const small = model.quantize();
    assert.ok(small.save().length < 0.29 * model.save().length, `${small.save().length} of ${model.save().length}`);
    assert.match(model.summary(), /^85,450 weights, 85,450 trainable, 341,800 bytes$/m);
    assert.match(small.summary(), /^85,450 weights, 0 trainable, 90,208 bytes$/m);
    assert.is(small.countParams(), model.countParams());
    model.dispose();
    small.dispose();
  });

  test("zeros stay zeros", () => {
    const model = make("gru, reset before");
    model.setWeights(
      Object.fromEntries(
        Object.entries(model.getWeights()).map(([name, { data, shape }]) => [name, { data: data.fill(0), shape }]),
      ),
    );
    const small = model.quantize();
    assert.ok(small.predict(x).data.every((value) => value === 0));
    assert.ok(small.predict({ data: new Float32Array(40), shape: [1, 1, 40] }).data.every((value) => value === 0));
    model.dispose();
    small.dispose();
  });

  test("gates can be looked at", () => {
    for (const [name, gates] of [
      ["lstm", "ifgo"],
      ["gru", "zrn"],
      ["gru, reset before", "zrn"],
    ]) {
      const model = make(name);
      const small = model.quantize({ activations: 14 });
      const [expected, actual] = [model.inspect(x), small.inspect(x)];
      assert.equal(Object.keys(actual), Object.keys(expected));
      for (const gate of gates) {
        const key = Object.keys(expected).find((each) => each.endsWith(`/${gate}`))!;
        assert.ok(distance(actual[key].data, expected[key].data) < 0.02, key);
      }
      model.dispose();
      small.dispose();
    }
  });

  test("training keeps what it learned, and goes on with the original", async () => {
    const series = (n: number, at: number): NDArray => ({
      data: Float32Array.from({ length: n * 20 }, (_, i) => Math.sin((Math.floor(i / 20) + at + (i % 20)) * 0.3)),
      shape: [n, 20, 1],
    });
    const next = (n: number, at: number): NDArray => ({
      data: Float32Array.from({ length: n }, (_, i) => Math.sin((i + at + 20) * 0.3)),
      shape: [n, 1],
    });
    const model = sequential(
      [layers.gru({ units: 24, returnSequences: true }), layers.lstm({ units: 24 }), layers.dense({ units: 1 })],
      { seed: 3, inputShape: [null, 1] },
    );
    model.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 1e-2 }) });
    await model.fit(series(96, 0), next(96, 0), { epochs: 12, batchSize: 32 });
    const rmse = (each: Model): number =>
      Math.sqrt(
        each.predict(series(32, 200)).data.reduce((sum, y, i) => sum + (y - next(32, 200).data[i]) ** 2, 0) / 32,
      );
    const before = rmse(model);
    assert.ok(before < 0.1, `learned: ${before}`);
    for (const activations of MODES) {
      const small = model.quantize({ activations });
      assert.ok(Math.abs(rmse(small) - before) < 0.02, `${activations}: ${rmse(small)} beside ${before}`);
      small.dispose();
    }
    assert.ok(Number.isFinite(model.trainOnBatch(series(32, 0), next(32, 0)).loss));
    model.dispose();
  });

  test("functions and Modules may hold one, but not differentiate it", () => {
    class Holder extends Module {
      inner = make("gru").quantize();
      override call(t: Tensor): Tensor {
        return ops.mul(this.inner.call(t), 2);
      }
    }
    const holder = new Holder({ seed: 1 });
    const expected = holder.inner.predict(x).data.map((value) => value * 2);
    same(holder.predict(x).data, expected);
    same((jit(holder, (t: Tensor) => holder.call(t))(x) as NDArray).data, expected);
    const message =
      /^gradients: expected a model of f32 weights, got a quantised one, which only runs; train the original and quantize it again$/;
    refused(() => valueAndGrad(holder, (t: Tensor) => ops.mean(holder.call(t)))(x), "ERR_UNSUPPORTED", message);
    refused(
      () => trainStep(holder, optimizers.adam(), (t: Tensor) => ops.mean(holder.call(t)))(x),
      "ERR_UNSUPPORTED",
      message,
    );
    same(holder.predict(x).data, expected);
    holder.dispose();
    holder.inner.dispose();
  });

  test("training, other weights and other options are refused", () => {
    const model = make("gru");
    const small = model.quantize();
    const before = small.predict(x).data;
    const only = (what: string): RegExp =>
      new RegExp(
        `^${what}: expected a model of f32 weights, got a quantised one, which only runs; ` +
          "train the original and quantize it again$",
      );
    refused(() => small.compile({ loss: "mse" }), "ERR_UNSUPPORTED", only("compile"));
    refused(() => small.trainOnBatch(x, x), "ERR_UNSUPPORTED", only("trainOnBatch"));
    refused(() => small.evaluate(x, x), "ERR_UNSUPPORTED", only("evaluate"));
    refused(() => small.setWeights(model.getWeights()), "ERR_UNSUPPORTED", only("setWeights"));
    refused(() => small.load(model.save()), "ERR_UNSUPPORTED", only("load"));
    refused(
      () => small.quantize(),
      "ERR_STATE",
      /^quantize: expected a model of f32 weights, got a quantised one; quantize the original again$/,
    );
    refused(() => model.quantize({ bits: 4 as 8 }), "ERR_OPTION", /^quantize: expected bits 8, got 4$/);
    refused(
      () => model.quantize({ activations: 8 as 7 }),
      "ERR_OPTION",
      /^quantize: expected activations "mixed", 7 or 14, got 8$/,
    );
    refused(
      () => model.quantize({ activation: 7 } as object),
      "ERR_OPTION",
      /^quantize: expected .*bits, activations.*"activation".*"activations"/,
    );
    refused(
      () => sequential([layers.dense({ units: 2 })]).quantize(),
      "ERR_STATE",
      /^quantize: expected a model with weights, got one that is not built/,
    );
    refused(
      () => new Module().quantize(),
      "ERR_UNSUPPORTED",
      /^quantize: expected a model of layers, as sequential and functional make, got a Module; quantize those inside it$/,
    );
    same(small.predict(x).data, before);
    const saved = small.save();
    const weights = model.getWeights();
    refused(
      () => model.load(saved),
      "ERR_FORMAT",
      /^load: expected floats for "gru\/kernel", got 8 bits; loadModel makes the model of a quantised file$/,
    );
    sameWeights(model.getWeights(), weights);
    small.dispose();
    refused(() => small.quantize(), "ERR_DISPOSED", /disposed/);
    model.dispose();
  });

  test("functions of the user's own that only training calls are no hindrance", () => {
    const model = sequential(
      [layers.lstm({ units: 4, kernelInitializer: (shape) => new Float32Array(shape[0] * shape[1]).fill(0.01) })],
      { seed: 1, inputShape: [null, 40] },
    );
    const small = model.quantize();
    assert.ok(distance(small.predict(x).data, model.predict(x).data) < NEAR.mixed);
    model.dispose();
    small.dispose();
  });

  test("damaged files are refused, and leave nothing", () => {
    const model = make("gru");
    const small = model.quantize();
    const { tensors, metadata } = decodeSafetensors(small.save());
    const before = arena.bytes;
    const other = (
      change: (tensors: Record<string, TensorData>) => void,
      file = JSON.parse(metadata[METADATA_KEY]) as Record<string, unknown>,
    ): Uint8Array => {
      const changed: Record<string, TensorData> = { ...tensors };
      change(changed);
      return encodeSafetensors(changed, { [METADATA_KEY]: JSON.stringify(file) });
    };
    const name = "gru/kernel";
    const scale = `${name}/scale`;
    const cases: [Uint8Array, string, RegExp][] = [
      [other((t) => delete t[scale]), "ERR_FORMAT", /^load: expected floats for "gru\/kernel\/scale", got none$/],
      [
        other((t) => {
          t[scale] = { data: new Int32Array(150), shape: [150] };
        }),
        "ERR_FORMAT",
        /^load: expected floats for "gru\/kernel\/scale", got another type$/,
      ],
      [
        other((t) => {
          t[scale] = { data: new Float32Array(150).fill(NaN), shape: [150] };
        }),
        "ERR_FORMAT",
        /^load: expected finite numbers for "gru\/kernel\/scale"/,
      ],
      [
        other((t) => {
          t[scale] = { data: new Float32Array(149), shape: [149] };
        }),
        "ERR_SHAPE",
        /^loadModel: expected "gru\/kernel\/scale" \[150\], got \[149\]$/,
      ],
      [
        other((t) => {
          t[name] = { data: new Int8Array(39 * 150), shape: [39, 150] };
        }),
        "ERR_SHAPE",
        /^loadModel: expected "gru\/kernel" \[40, 150\], got \[39, 150\]$/,
      ],
      [
        other((t) => {
          t["gru/bias"] = { data: new Int8Array(300), shape: [2, 150] };
          t["gru/bias/scale"] = tensors[scale];
        }),
        "ERR_FORMAT",
        /^loadModel: expected floats for "gru\/bias", got 8 bits/,
      ],
    ];
    for (const [bytes, code, message] of cases) refused(() => loadModel(bytes), code, message);
    const file = JSON.parse(metadata[METADATA_KEY]) as { version: number; model: Record<string, unknown> };
    assert.is(file.version, FILE_VERSION);
    const { quantized, ...rest } = file.model;
    assert.equal(quantized, { bits: 8, activations: "mixed" });
    refused(
      () => loadModel(other(() => undefined, { ...file, model: rest })),
      "ERR_FORMAT",
      /^loadModel: expected floats for "gru\/kernel", got 8 bits/,
    );
    refused(
      () => loadModel(other(() => undefined, { ...file, model: { ...rest, quantized: { bits: 8, activations: 9 } } })),
      "ERR_FORMAT",
      /^load: expected { bits: 8, activations } as quantized of the config$/,
    );
    assert.is(arena.bytes, before);
    model.dispose();
    small.dispose();
  });
});
