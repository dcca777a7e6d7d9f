// Renders sound through a model as fast as the engine can, then plays it in real time; posts the measurements.
import { layers, sequential } from "/dist/index.js";

const { seconds, rounds } = JSON.parse(document.body.dataset.options);
const { lstm, dense } = layers;
const FEATURES = 257; // magnitudes of a window of 512

const MODELS = {
  "amplifier: LSTM(40), every sample at 48 kHz": {
    kind: "sample",
    sampleRate: 48000,
    model: sequential([lstm({ units: 40, returnSequences: true }), dense({ units: 1 })], {
      inputShape: [null, 1],
      seed: 1,
    }),
  },
  "noise suppressor: 2 LSTM(128), Dense(257), frames of 8 ms at 16 kHz": {
    kind: "frame",
    sampleRate: 16000,
    model: sequential(
      [
        lstm({ units: 128, returnSequences: true }),
        lstm({ units: 128, returnSequences: true }),
        dense({ units: FEATURES, activation: "sigmoid" }),
      ],
      { inputShape: [null, FEATURES], seed: 1 },
    ),
  },
};

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

async function attach(context, kind, bytes) {
  await context.audioWorklet.addModule("/bench/realtime/processor.js");
  const node = new AudioWorkletNode(context, "model", { processorOptions: { kind, bytes, features: FEATURES } });
  node.onprocessorerror = () => console.log("the processor threw");
  const source = new OscillatorNode(context, { frequency: 330 });
  source.connect(node).connect(context.destination);
  source.start();
  return node;
}

/** Seconds that the engine takes to render one second of sound. */
async function offline(kind, bytes, sampleRate) {
  const length = 10;
  const context = new OfflineAudioContext(1, sampleRate * length, sampleRate);
  await attach(context, kind, bytes);
  const start = performance.now();
  await context.startRendering();
  return (performance.now() - start) / 1000 / length;
}

async function realTime(kind, bytes, sampleRate) {
  const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
  const node = await attach(context, kind, bytes);
  await context.resume();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const wall = (performance.now() - start) / 1000;
  const reply = new Promise((resolve) => (node.port.onmessage = ({ data }) => resolve(data)));
  node.port.postMessage("report");
  const result = await reply;
  const stats = context.playbackStats ?? context.playoutStats;
  const underruns = stats?.underrunEvents ?? stats?.fallbackFramesEvents;
  await context.close();
  return { ...result, wall, ...(underruns === undefined ? {} : { underruns }) };
}

const results = [];
for (const [name, { kind, sampleRate, model }] of Object.entries(MODELS)) {
  const bytes = model.save();
  const [models, empty] = [[], []];
  for (let round = 0; round < rounds; round++) {
    empty.push(await offline("none", undefined, sampleRate));
    models.push(await offline(kind, bytes, sampleRate));
  }
  // an empty worklet plays at the same time: what it drops is due to the machine
  const [played, control] = await Promise.all([
    realTime(kind, bytes, sampleRate),
    realTime("none", undefined, sampleRate),
  ]);
  results.push({ name, share: median(models), empty: median(empty), played, control });
}
await fetch("/result", { method: "POST", body: JSON.stringify({ results, userAgent: navigator.userAgent }) });
