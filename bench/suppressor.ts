/**
 * What quantising takes from a published model: the noise suppressor DTLN (its first half: two LSTM(128), Dense(257, sigmoid)
 * over frames of 257 magnitudes), of ../shared/oracles or where GATEWISE_ORACLES says.
 *
 *   npm ci --ignore-scripts --prefix bench/peers && node --import tsx bench/suppressor.ts
 *
 * The signal is what is left of the frames by the mask of ONNX Runtime, which computes with floats; noise is by how much
 * another mask leaves more or less.
 */
import { readFileSync } from "node:fs";
import { layers, sequential, type NDArray } from "../bindings/index.ts";
import { decodeSafetensors } from "../bindings/saving/safetensors.ts";
import { oraclePath } from "../test/support/oracles.ts";

interface Hdf5 {
  readonly ready: Promise<unknown>;
  readonly File: new (path: string, mode: "r") => { get(path: string): { value: Float32Array; shape: number[] } };
}

const { default: hdf5 } = (await import(new URL("./peers/hdf5.mjs", import.meta.url).href)) as { default: Hdf5 };
await hdf5.ready;

const FRAME = 257;

const model = sequential(
  [
    layers.lstm({ units: 128, returnSequences: true, name: "lstm" }),
    layers.lstm({ units: 128, returnSequences: true, name: "lstm_1" }),
    layers.dense({ units: FRAME, activation: "sigmoid", name: "dense" }),
  ],
  { inputShape: [null, FRAME] },
);

const file = new hdf5.File(oraclePath("real-models/dtln/model.h5"), "r");
model.setWeights(
  Object.fromEntries(
    Object.keys(model.getWeights()).map((name) => {
      const [layer, weight] = name.split("/");
      const { value: data, shape } = file.get(`/${layer}/${layer}/${weight}:0`);
      return [name, { data, shape } satisfies NDArray];
    }),
  ),
);

const { tensors } = decodeSafetensors(readFileSync(oraclePath("real-models/dtln/io.safetensors")));
const frames = tensors["model_1.input"].data as Float32Array;
const right = tensors["model_1.output"].data as Float32Array;

/** Signal over noise of masks, in decibels. */
function decibels(masks: Float32Array): number {
  let [signal, noise] = [0, 0];
  for (const [i, magnitude] of frames.entries()) {
    signal += (magnitude * right[i]) ** 2;
    noise += (magnitude * (masks[i] - right[i])) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

console.log("| weights and activations | signal to noise, dB | file, of f32 |\n|---|---|---|");
const whole = model.save().length;
for (const activations of [undefined, "mixed", 7, 14] as const) {
  const each = activations === undefined ? model : model.quantize({ activations });
  const row = [
    activations === undefined ? "f32" : `8 bits, ${activations === "mixed" ? "mixed" : `${activations} bits`}`,
    decibels(each.stream().process(frames)).toFixed(1),
    `${Math.round((each.save().length / whole) * 100)} %`,
  ];
  console.log(`| ${row.join(" | ")} |`);
  if (each !== model) each.dispose();
}
model.dispose();
