// Effects whose samples a model computes, in the thread that plays them: a saved model, and an exported one.
import { loadExported } from "/dist/exported.js";
import { backendInfo, loadModel } from "/dist/worklet.js";

const STREAMS = {
  saved: (bytes) => loadModel(bytes).stream({ block: 128 }),
  exported: (bytes) => loadExported(bytes).stream,
};

for (const [name, streamOf] of Object.entries(STREAMS)) {
  registerProcessor(
    name,
    class extends AudioWorkletProcessor {
      constructor({ processorOptions }) {
        super();
        this.stream = streamOf(processorOptions.bytes);
        this.port.postMessage({ build: backendInfo().build, decoder: typeof TextDecoder, fetch: typeof fetch });
      }

      process([[input]], [[output]]) {
        if (input) this.stream.process(input, output);
        return true;
      }
    },
  );
}
