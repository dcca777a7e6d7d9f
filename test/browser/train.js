// The package as a page without a build step imports it.
import { backendInfo, init, layers, loadModel, losses, optimizers, sequential } from "/dist/index.js";

await init();
const model = sequential([layers.gru({ units: 8, returnSequences: true }), layers.dense({ units: 1 })], {
  seed: 7,
  inputShape: [null, 1],
});
model.compile({ optimizer: optimizers.adam({ learningRate: 0.02 }), loss: losses.meanSquaredError() });

// the next value of sines that differ in phase
const [B, T] = [64, 20];
const wave = (shift) => ({
  data: Float32Array.from({ length: B * T }, (_, i) => Math.sin(0.4 * (i % T) + Math.floor(i / T) + shift)),
  shape: [B, T, 1],
});

let turns = 0;
const ticking = setInterval(() => turns++, 1);
const { history } = await model.fit(wave(0), wave(0.4), { epochs: 30, batchSize: 8, verbose: 0 });
clearInterval(ticking);

const bytes = model.save();
const loaded = loadModel(bytes);
const x = { data: wave(0).data.slice(0, T), shape: [1, T, 1] };
const predicted = loaded.predict(x).data;
const stream = loaded.stream();
const streamed = Array.from(x.data, (value) => stream.step(Float32Array.of(value))[0]);

document.body.dataset.result = JSON.stringify({
  build: backendInfo().build,
  losses: [history.loss[0], history.loss.at(-1)],
  turns,
  bytes: bytes.length,
  savedAsTrained: predicted.every((value, i) => value === model.predict(x).data[i]),
  apart: Math.max(...streamed.map((value, i) => Math.abs(value - predicted[i]))),
});
