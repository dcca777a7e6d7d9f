/** Layers, streams and training beside plain JavaScript and beside the same models on the reference kernels. */
import { initSync, layers, sequential, type Model } from "../../bindings/index.ts";
import { PlainModel, type PlainLayer, type PlainShape } from "../baseline/model.ts";
import { BUILD } from "../support/build.ts";
import { wave, waves } from "../support/inputs.ts";
import type { Contender } from "../support/measure.ts";
import type { Workload } from "./workload.ts";

/** gatewise and the reference as contenders, on backends of their own. */
function onBothBackends(make: () => Model, prepare: (model: Model) => () => unknown): Contender[] {
  const on = (name: string, build: "reference" | typeof BUILD): Contender => {
    initSync({ build });
    const model = make();
    return { name, run: prepare(model), dispose: () => model.dispose() };
  };
  const reference = on("reference", "reference");
  return [on("gatewise", BUILD), reference];
}

/** A model in plain JavaScript with the initial weights of one of ours. */
function plainModel(make: () => Model, stack: readonly PlainLayer[], shape: PlainShape): PlainModel {
  initSync({ build: BUILD });
  const model = make();
  const arrays = Object.values(model.getWeights()).map(({ data }) => data);
  model.dispose();
  const weights = stack.map(({ type }) => arrays.splice(0, { embedding: 1, dense: 2 }[type as string] ?? 3));
  return new PlainModel(stack, weights, shape);
}

function lstmSequence(I: number, H: number, B: number, T: number): Workload {
  const inputs = B * T * 4 * H * I;
  const recurrent = B * T * 4 * H * H;
  const curves = 5 * B * T * H;
  const make = (): Model =>
    sequential([layers.lstm({ units: H, returnSequences: true })], { inputShape: [null, I], seed: 1 });
  return {
    name: `lstm ${I}→${H}, B${B} T${T}`,
    work: inputs + recurrent,
    arithmetic:
      B > 1
        ? { blocked: inputs + recurrent, curves }
        : { blocked: inputs, single: recurrent, bytes: 4 * 4 * H * H, curves },
    contenders() {
      const x = waves([B, T, I]);
      const plain = plainModel(make, [{ type: "lstm", units: H, sequences: true }], { B, T, features: I });
      const [ours, reference] = onBothBackends(make, (model) => () => model.predict(x, { batchSize: B }).data[0]);
      return [ours, { name: "plain", run: () => plain.forward(x.data)[0] }, reference];
    },
  };
}

function streamStep(H: number): Workload {
  const weights = 2 * 4 * H * H;
  return {
    name: `stream lstm ${H}→${H}, one step`,
    work: weights,
    arithmetic: { single: weights, bytes: 4 * weights, curves: 5 * H },
    elsewhere: { name: "ONNX Runtime Web's call of 15 µs", seconds: 15e-6 },
    contenders() {
      const frame = wave(H);
      return onBothBackends(
        () => sequential([layers.lstm({ units: H })], { inputShape: [null, H], seed: 1 }),
        (model) => {
          const stream = model.stream();
          return () => stream.step(frame)[0];
        },
      );
    },
  };
}

function trainForecaster(): Workload {
  const [B, T, I, H] = [32, 10, 1, 50];
  // forward, then the gradients of weights and of inputs; the data needs no gradient
  const products = B * T * 4 * H * (2 * I + 3 * H + 3 * (H + H)) + 3 * B * H;
  function make(): Model {
    const model = sequential(
      [layers.lstm({ units: H, returnSequences: true }), layers.lstm({ units: H }), layers.dense({ units: 1 })],
      { inputShape: [T, I], seed: 1 },
    );
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    return model;
  }
  const stack: PlainLayer[] = [
    { type: "lstm", units: H, sequences: true },
    { type: "lstm", units: H },
    { type: "dense", units: 1 },
  ];
  return {
    name: "train lstm 50→50→1, B32 T10",
    arithmetic: { blocked: products, curves: 2 * 6 * B * T * H },
    contenders() {
      const [x, y] = [waves([B, T, I]), waves([B, 1], 2)];
      const plain = plainModel(make, stack, { B, T, features: I });
      const [ours, reference] = onBothBackends(make, (model) => () => model.trainOnBatch(x, y).loss);
      return [ours, { name: "plain", run: () => plain.train(x.data, y.data, "meanSquaredError", "adam") }, reference];
    },
  };
}

export const models: readonly Workload[] = [
  lstmSequence(64, 128, 1, 100),
  lstmSequence(64, 128, 32, 20),
  streamStep(64),
  trainForecaster(),
];
