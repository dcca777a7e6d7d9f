// Two threads in a page, where its headers let it have them, beside one.
import { backendInfo, init, layers, sequential } from "/dist/index.js";

const warnings = [];
console.warn = (text) => warnings.push(text);

const wave = (shape, phase) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 0.7 + phase)),
  shape,
});
const [x, y] = [wave([33, 20, 8], 0), wave([33, 1], 1)];

/** Losses of three updates, then predictions. */
function train() {
  const model = sequential([layers.lstm({ units: 64, dropout: 0.2 }), layers.dense({ units: 1 })], {
    inputShape: [null, 8],
    seed: 1,
  });
  model.compile({ optimizer: "sgd", loss: "mse" });
  const numbers = [1, 2, 3].map(() => model.trainOnBatch(x, y).loss);
  return [...numbers, ...model.predict(x).data];
}

await init({ deterministic: true });
const one = train();
await init({ deterministic: true, threads: 2 });
const two = train();
const again = train();
document.body.dataset.result = JSON.stringify({
  threads: backendInfo().threads,
  warnings,
  apart: Math.max(...one.map((value, i) => Math.abs(value - two[i]))) > 1e-5,
  same: two.every((value, i) => value === again[i]),
  divided: two.some((value, i) => value !== one[i]),
});
