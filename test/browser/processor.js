// An effect whose samples a model computes, in the thread that plays them.
import { backendInfo, loadModel } from "/dist/worklet.js";

registerProcessor("model", class extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.stream = loadModel(processorOptions.bytes).stream({ block: 128 });
    this.port.postMessage({ build: backendInfo().build, decoder: typeof TextDecoder, fetch: typeof fetch });
  }

  process([[input]], [[output]]) {
    if (input) this.stream.process(input, output);
    return true;
  }
});
