// brain.js. Its GRU resets before the product and takes no batches. Its LSTM keeps no cell state, so it is left out.
import { createRequire } from "node:module";
import { Refusal } from "../protocol.mjs";

const require = createRequire(import.meta.url);
const brain = require("brain.js");

export const name = () => `brain.js ${require("brain.js/package.json").version}`;

const GATES = ["updateGate", "resetGate", "cellWrite"];

/** Copies one gate of a kernel [K, 3·H] into a matrix [H, K] of brain.js. */
function fill(matrix, { data }, gate, K, H) {
  for (let j = 0; j < H; j++) for (let k = 0; k < K; k++) matrix.weights[j * K + k] = data[k * 3 * H + gate * H + j];
}

export function prepare({ workload, weights, x }) {
  const { kind, layers, B, T, features } = workload;
  const grus = layers.slice(0, -1);
  if (kind !== "predict" || features !== 1 || grus.some(({ type, resetAfter }) => type !== "gru" || resetAfter)) {
    throw new Refusal("it has GRUs that reset before the product, over one number a step");
  }
  const net = new brain.recurrent.GRUTimeStep({
    inputSize: 1,
    hiddenLayers: grus.map(({ units }) => units),
    outputSize: 1,
  });
  net.initialize();
  grus.forEach(({ units: H }, i) => {
    const [kernel, recurrentKernel, bias] = weights[i];
    const layer = net.model.hiddenLayers[i];
    GATES.forEach((gate, g) => {
      fill(layer[`${gate}InputMatrix`], kernel, g, kernel.shape[0], H);
      fill(layer[`${gate}HiddenMatrix`], recurrentKernel, g, H, H);
      fill(layer[`${gate}Bias`], bias, g, 1, H);
    });
  });
  const [kernel, bias] = weights.at(-1);
  net.model.outputConnector.weights.set(kernel.data);
  net.model.output.weights.set(bias.data);
  net.bindEquation();
  const rows = Array.from({ length: B }, (_, b) => [...x.data.subarray(b * T, (b + 1) * T)]);
  const out = new Float32Array(B);
  const run = () => {
    for (let b = 0; b < B; b++) out[b] = net.run(rows[b]);
    return out;
  };
  return { run, outputs: run };
}
