// TensorFlow.js on the backend `cpu` or `wasm`. Its GRU resets before the product, so it is compared with ours of that
// kind; the amount of arithmetic is the same.
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";

export const name = () => `TensorFlow.js ${tf.version.tfjs} ${tf.getBackend()}`;

export async function init([backend]) {
  tf.env().set("PROD", true);
  setThreadsCount(1);
  if (!(await tf.setBackend(backend))) throw new Error(`expected the backend ${backend} to start`);
  await tf.ready();
}

const MAKERS = {
  embedding: ({ tokens, units }, input) => tf.layers.embedding({ inputDim: tokens, outputDim: units, ...input }),
  simpleRNN: ({ units, sequences }, input) =>
    tf.layers.simpleRNN({ units, returnSequences: sequences, recurrentInitializer: "zeros", ...input }),
  lstm: ({ units, sequences }, input) =>
    tf.layers.lstm({
      units,
      returnSequences: sequences,
      recurrentActivation: "sigmoid",
      recurrentInitializer: "zeros",
      ...input,
    }),
  gru: ({ units, sequences }, input) =>
    tf.layers.gru({
      units,
      returnSequences: sequences,
      recurrentActivation: "sigmoid",
      recurrentInitializer: "zeros",
      ...input,
    }),
  dense: ({ units, activation }, input) => tf.layers.dense({ units, activation, ...input }),
};
const CELLS = { simpleRNN: tf.layers.simpleRNNCell, lstm: tf.layers.lstmCell, gru: tf.layers.gruCell };

const tensor = ({ data, shape }) => tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");

/** Steps of a stream by calling the cell, which is faster than a stateful model. */
function stream({ workload, weights, frames }) {
  const { features, layers } = workload;
  const variables = weights.map((arrays) => arrays.map(tensor));
  const at = layers.findIndex(({ type }) => CELLS[type]);
  const { type, units } = layers[at];
  const cell = CELLS[type]({ units, recurrentActivation: "sigmoid", recurrentInitializer: "zeros" });
  cell.build([1, features > 0 ? features : layers[0].units]);
  cell.setWeights(variables[at]);
  let states = (type === "lstm" ? [0, 1] : [0]).map(() => tf.zeros([1, units]));
  function step(frame) {
    const kept = tf.tidy(() => {
      const x =
        features > 0 ? tf.tensor2d(frame, [1, features]) : tf.gather(variables[0][0], tf.tensor1d(frame, "int32"));
      const [h, ...next] = cell.call([x, ...states], {});
      const dense = layers[at + 1] && variables[at + 1];
      return [dense ? tf.add(tf.matMul(h, dense[0]), dense[1]) : h.clone(), ...next];
    });
    states.forEach((state) => state.dispose());
    const [y] = kept;
    states = kept.slice(1);
    const data = y.dataSync();
    y.dispose();
    return data;
  }
  return {
    run: () => step(frames[0]),
    outputs: () => Float32Array.from(frames.flatMap((frame) => [...step(frame)])),
    release: () => tf.disposeVariables(),
  };
}

const LOSSES = {
  meanSquaredError: "meanSquaredError",
  binaryCrossentropy: "binaryCrossentropy",
  sparseCategoricalCrossentropy: (y, logits) =>
    tf.losses.softmaxCrossEntropy(
      tf.oneHot(tf.cast(y, "int32"), logits.shape[2]).reshape([-1, logits.shape[2]]),
      logits.reshape([-1, logits.shape[2]]),
    ),
};

export function prepare(job) {
  const { workload, weights, x, y, updates } = job;
  if (workload.kind === "stream") return stream(job);
  const model = tf.sequential();
  const { T, features, layers } = workload;
  layers.forEach((layer, i) =>
    model.add(MAKERS[layer.type](layer, i > 0 ? {} : { inputShape: features > 0 ? [T, features] : [T] })),
  );
  model.setWeights(weights.flat().map(tensor));
  const input = tensor(x);
  const release = () => {
    model.dispose();
    input.dispose();
  };
  if (workload.kind === "predict") {
    const run = () => tf.tidy(() => model.predictOnBatch(input).dataSync());
    return { run, outputs: run, release };
  }
  const optimizer =
    workload.optimizer === "adam" ? tf.train.adam(0.001, 0.9, 0.999, 1e-7) : tf.train.rmsprop(0.001, 0.9, 0, 1e-7);
  model.compile({ optimizer, loss: LOSSES[workload.loss] });
  const target = tensor({ data: Float32Array.from(y.data), shape: y.shape });
  const run = () => model.trainOnBatch(input, target);
  async function outputs() {
    const losses = [];
    for (let i = 0; i < updates; i++) losses.push(await run());
    return Float32Array.from(losses);
  }
  return { isAsync: true, run, outputs, release };
}
