// Models in the audio thread. `kind` selects the model; "none" passes sound on, for the time of the engine itself. A
// worklet has no precise clock, so the page times whole renderings.
import { backendInfo, loadModel } from "/dist/worklet.js";

const BLOCK = 128;

/** Milliseconds by which a block may be late: about what the device buffers. */
const LATE = 100;

registerProcessor(
  "model",
  class extends AudioWorkletProcessor {
    constructor({ processorOptions: { kind, bytes, features } }) {
      super();
      this.kind = kind;
      this.blocks = 0;
      this.late = 0;
      this.worst = 0;
      this.build = "none";
      if (kind === "sample") this.stream = loadModel(bytes).stream({ block: BLOCK });
      if (kind === "frame") {
        this.stream = loadModel(bytes).stream();
        this.frame = new Float32Array(features);
      }
      if (this.stream) this.build = backendInfo().build;
      this.port.onmessage = () => {
        const { blocks, late, worst, build } = this;
        this.port.postMessage({ blocks, late, worst, build, seconds: (currentFrame - this.firstFrame) / sampleRate });
      };
    }

    /** Counts late blocks. `Date` is the only clock of a worklet, in whole milliseconds. */
    watch() {
      const now = Date.now();
      if (this.blocks === 0) {
        this.firstFrame = currentFrame;
        this.earliest = Infinity;
      }
      const behind = now - (currentFrame / sampleRate) * 1000;
      this.earliest = Math.min(this.earliest, behind);
      this.worst = Math.max(this.worst, behind - this.earliest);
      if (behind - this.earliest > LATE) this.late++;
      this.blocks++;
    }

    process([[input]], [[output]]) {
      this.watch();
      if (!input) return true;
      if (this.kind === "sample") {
        this.stream.process(input, output); // one step per sample, in one call
      } else if (this.kind === "frame") {
        this.frame.set(input); // one step per frame of 8 ms at 16 kHz
        output.set(this.stream.step(this.frame).subarray(0, BLOCK));
      } else {
        output.set(input);
      }
      return true;
    }
  },
);
