// gatewise as it is published. Options: a build, `int8-mixed` | `int8-7` | `int8-14`, `threads-N`.
import * as gatewise from "../../../dist/index.js";
import { Refusal } from "../protocol.mjs";

const { backendInfo, init, layers, optimizers, sequential } = gatewise;

let bits;
let label = "";

async function start(options) {
  const threads = options.map((option) => /^threads-(\d+)$/.exec(option)?.[1]).find(Boolean);
  const build = options.find((option) => ["simd", "relaxed", "reference"].includes(option)) ?? "auto";
  bits = options.map((option) => /^int8-(mixed|7|14)$/.exec(option)?.[1]).find(Boolean);
  await init({ build, ...(threads ? { threads: Number(threads) } : {}) });
  const info = backendInfo();
  if (threads && info.threads !== Number(threads)) throw new Refusal(`it runs ${info.threads} thread here`);
  label = `gatewise ${info.build}${bits ? `, int8 ${bits}` : ""}${threads ? `, ${threads} threads` : ""}`;
}
export { start as init };

export const name = () => label;

const MAKERS = {
  embedding: ({ tokens, units }) => layers.embedding({ inputDim: tokens, outputDim: units }),
  simpleRNN: ({ units, sequences }) => layers.simpleRNN({ units, returnSequences: sequences }),
  lstm: ({ units, sequences }) => layers.lstm({ units, returnSequences: sequences }),
  gru: ({ units, sequences, resetAfter }) => layers.gru({ units, returnSequences: sequences, resetAfter }),
  dense: ({ units, activation }) => layers.dense({ units, activation }),
};

/** Optimizers with the constants of Keras, in the convention of Keras or of PyTorch. */
const OPTIMIZERS = {
  adam: (convention) => optimizers.adam({ learningRate: 0.001, epsilon: 1e-7, convention }),
  rmsprop: (convention) => optimizers.rmsprop({ learningRate: 0.001, rho: 0.9, epsilon: 1e-7, convention }),
};

function build({ workload, weights }) {
  const { features, layers: list } = workload;
  const model = sequential(
    list.map((layer) => MAKERS[layer.type](layer)),
    { inputShape: features > 0 ? [null, features] : [null] },
  );
  const arrays = weights.flat();
  model.setWeights(Object.fromEntries(Object.keys(model.getWeights()).map((key, i) => [key, arrays[i]])));
  if (!bits) return model;
  if (workload.kind === "train") throw new Refusal("int8 models do not train");
  if (typeof model.quantize !== "function") throw new Refusal("no quantize in this version");
  return model.quantize({ bits: 8, activations: bits === "mixed" ? bits : Number(bits) });
}

const KINDS = {
  stream(model, { frames }) {
    const stream = model.stream();
    const [frame] = frames;
    return {
      run: () => stream.step(frame),
      outputs: () => Float32Array.from(frames.flatMap((each) => [...stream.step(each)])),
    };
  },
  predict(model, { workload, x }) {
    const run = () => model.predict(x, { batchSize: workload.B });
    return { run, outputs: () => run().data };
  },
  train(model, { workload, x, y, updates }) {
    const loss =
      workload.loss === "sparseCategoricalCrossentropy"
        ? gatewise.losses.sparseCategoricalCrossentropy({ fromLogits: true })
        : workload.loss;
    model.compile({ optimizer: OPTIMIZERS[workload.optimizer](workload.convention), loss });
    const run = () => model.trainOnBatch(x, y);
    return { run, outputs: () => Float32Array.from({ length: updates }, () => run().loss) };
  },
};

export function prepare(job) {
  const model = build(job);
  return { ...KINDS[job.workload.kind](model, job), release: () => model.dispose() };
}
