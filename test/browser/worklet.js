// Renders half a second of sound in an AudioWorklet by a saved and by an exported model, and the same samples on the
// page.
import { layers, sequential } from "/dist/index.js";

const RATE = 48000;
const LENGTH = 128 * 200;

const model = sequential([layers.lstm({ units: 8, returnSequences: true }), layers.dense({ units: 1 })], {
  seed: 5,
  inputShape: [null, 1],
});
const samples = Float32Array.from({ length: LENGTH }, (_, i) => 0.5 * Math.sin(0.05 * i) + 0.3 * Math.sin(0.31 * i));
const here = model.stream({ block: 128 }).process(samples);

async function render(name, bytes) {
  const context = new OfflineAudioContext(1, LENGTH, RATE);
  await context.audioWorklet.addModule("processor.js");
  const node = new AudioWorkletNode(context, name, { processorOptions: { bytes } });
  const said = new Promise((resolve) => (node.port.onmessage = ({ data }) => resolve(data)));
  node.onprocessorerror = () => console.log("the processor threw");

  const source = new AudioBufferSourceNode(context, { buffer: new AudioBuffer({ length: LENGTH, sampleRate: RATE }) });
  source.buffer.copyToChannel(samples, 0);
  source.connect(node).connect(context.destination);
  source.start();
  const rendered = (await context.startRendering()).getChannelData(0);
  return {
    ...(await said),
    loud: Math.max(...rendered.map(Math.abs)) > 0.01,
    different: here.findIndex((value, i) => value !== rendered[i]),
  };
}

const saved = await render("saved", model.save());
const exported = await render("exported", model.export({ stream: { block: 128 } }));
document.body.dataset.result = JSON.stringify({ saved, exported });
