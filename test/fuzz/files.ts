/** Targets that read files: saved models and exported ones. */
import { loadExported } from "../../bindings/export/exported_model.ts";
import { layers, loadModel, optimizers, sequential } from "../../bindings/index.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../../bindings/saving/safetensors.ts";
import type { Random } from "../../bindings/base/random.ts";
import { floats } from "../support/models.ts";
import { changed, changedBytes, pick, type Target } from "./target.ts";

const small = sequential(
  [
    layers.embedding({ inputDim: 5, outputDim: 2, maskZero: true, name: "optimizer" }),
    layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }) }),
    layers.lstm({ units: 2 }),
    layers.dense({ units: 1 }),
  ],
  { inputShape: [null], seed: 1 },
);
small.compile({ loss: "mse", optimizer: optimizers.adam() });
small.trainOnBatch({ data: Int32Array.of(1, 2, 3, 0), shape: [2, 2] }, floats([2, 1]));
const recurrent = sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 1 })], {
  inputShape: [null, 2],
  seed: 2,
});

const SAVED = [small.save({ optimizer: true }), recurrent.save(), recurrent.quantize().save()];
const EXPORTED = [
  recurrent.export({ stream: { block: 4 }, predict: [1, 3, 2] }),
  small.export({ predict: { shape: [2, 3], dtype: "i32" } }),
];

/** The same file with another text of metadata under `key`, other arrays, or other bytes. */
function changedFile(random: Random, bytes: Uint8Array, key: string): Uint8Array {
  if (random.uniform() < 0.3) return changedBytes(random, bytes);
  const { tensors, metadata } = decodeSafetensors(bytes);
  const arrays: Record<string, TensorData> = { ...tensors };
  let about = JSON.parse(metadata[key]) as unknown;
  if (random.uniform() < 0.7) for (let n = 1 + random.below(3); n > 0; n--) about = changed(random, about);
  else {
    const name = pick(random, Object.keys(arrays));
    const { data, shape } = arrays[name];
    const how = random.below(3);
    if (how === 0) delete arrays[name];
    else if (how === 1) arrays[`${name}x`] = { data, shape };
    else {
      const copy = data.slice();
      copy[random.below(copy.length)] = pick(random, [NaN, 1e30, -1, 0, 1e9]) as never;
      arrays[name] = { data: copy, shape };
    }
  }
  return encodeSafetensors(arrays, { ...metadata, [key]: JSON.stringify(about) ?? "" });
}

const size = (bytes: Uint8Array): number => bytes.length;

export const safetensors: Target = {
  name: "safetensors",
  share: 0.5,
  make: (random) => changedFile(random, pick(random, SAVED), "gatewise"),
  read: (bytes: Uint8Array) => loadModel(bytes).dispose(),
  size,
};

export const exported: Target = {
  name: "exported",
  share: 0.15,
  make: (random) => changedFile(random, pick(random, EXPORTED), "gatewise/exported"),
  read(bytes: Uint8Array) {
    const model = loadExported(bytes);
    try {
      model.stream.process(new Float32Array(model.stream.inputSize * 5));
    } finally {
      model.predict({ data: new Float32Array(6), shape: [1, 3, 2] });
    }
  },
  size,
};
