// The model and its data, for the page and for the worker.
import { layers, loadModel, losses, optimizers, sequential } from "../../dist/index.js";

/** What is to be learnt: two waves of different lengths, one on top of the other. */
export const wave = (t) => 0.6 * Math.sin(0.2 * t) + 0.3 * Math.sin(0.53 * t);

/** x [rows, time, 1]: pieces of the wave from different places; y is x one step later. */
export function pieces(rows = 256, time = 60) {
  const piece = (later) => ({
    data: Float32Array.from({ length: rows * time }, (_, i) => wave(17 * Math.floor(i / time) + (i % time) + later)),
    shape: [rows, time, 1],
  });
  return { x: piece(0), y: piece(1) };
}

/** A new model, or the one of a file's bytes, ready to train. */
export function makeModel(bytes) {
  const model = bytes
    ? loadModel(bytes)
    : sequential([layers.gru({ units: 24, returnSequences: true }), layers.dense({ units: 1 })], {
        inputShape: [null, 1],
        seed: 1,
      });
  model.compile({
    optimizer: optimizers.adam({ learningRate: 5e-3, globalClipNorm: 1 }),
    loss: losses.meanSquaredError(),
  });
  return model;
}
