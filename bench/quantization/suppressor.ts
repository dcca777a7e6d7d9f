/**
 * What quantizing costs a published model: the first half of the noise suppressor DTLN, two LSTM(128) and
 * Dense(257, sigmoid) over frames of 257 magnitudes. Its file is read from the oracles (GATEWISE_ORACLES).
 *
 *   npm ci --ignore-scripts --prefix bench/peers && node --import tsx bench/quantization/suppressor.ts
 *
 * The signal is the frames times the mask that ONNX Runtime computes with floats; the noise is the difference to the
 * frames times another mask.
 */
import { readFileSync } from "node:fs";
import { layers, sequential, type NDArray } from "../../bindings/index.ts";
import { decodeSafetensors } from "../../bindings/saving/safetensors.ts";
import { oraclePath } from "../../test/support/oracles.ts";
import { percent, table } from "../support/report.mjs";
import { MODES, titleOf } from "./modes.ts";

interface Hdf5 {
  readonly ready: Promise<unknown>;
  readonly File: new (path: string, mode: "r") => { get(path: string): { value: Float32Array; shape: number[] } };
}

const { default: hdf5 } = (await import(new URL("../peers/libraries/hdf5.mjs", import.meta.url).href)) as {
  default: Hdf5;
};
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

/** The signal-to-noise ratio of masks in decibels. */
function decibels(masks: Float32Array): number {
  let [signal, noise] = [0, 0];
  for (const [i, magnitude] of frames.entries()) {
    signal += (magnitude * right[i]) ** 2;
    noise += (magnitude * (masks[i] - right[i])) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

const models = [
  { name: "f32", model },
  ...MODES.map((mode) => ({ name: `8 bits, ${titleOf(mode)}`, model: model.quantize({ activations: mode }) })),
];
const size = model.save().length;
console.log(
  table(
    ["weights and activations", "signal to noise", "file, of f32"],
    models.map(({ name, model: each }) => [
      name,
      `${decibels(each.stream().process(frames)).toFixed(1)} dB`,
      percent(each.save().length / size),
    ]),
  ),
);
for (const { model: each } of models) each.dispose();
