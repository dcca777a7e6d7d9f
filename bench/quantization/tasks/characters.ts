import { layers, losses, optimizers, sequential, type NDArray } from "../../../bindings/index.ts";
import { Random } from "../../../bindings/base/random.ts";
import { readData, type Task } from "./task.ts";

const [T, BATCH, UNSEEN] = [64, 32, 200];

/** Bits by which logits [vocabulary] predict a token. */
function bits(logits: Float32Array, token: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((total, value) => total + Math.exp(value - most), 0);
  return (most + Math.log(sum) - logits[token]) / Math.LN2;
}

/** A GRU predicts the next character of a novel; the last tenth is unseen. */
export function characters(): Task {
  const text = readData("moby_dick.txt").slice(0, 400_000);
  const alphabet = [...new Set(text)].sort();
  const tokens = Int32Array.from(text, (character) => alphabet.indexOf(character));
  const seen = tokens.length * 0.9;
  const random = new Random(1);
  /** Windows [starts, T], or the characters that follow with `later` = 1. */
  const windows = (starts: readonly number[], later: number): NDArray<Int32Array> => ({
    data: Int32Array.from({ length: starts.length * T }, (_, i) => tokens[starts[Math.floor(i / T)] + (i % T) + later]),
    shape: [starts.length, T],
  });
  const model = sequential(
    [
      layers.embedding({ inputDim: alphabet.length, outputDim: 64 }),
      layers.gru({ units: 128, returnSequences: true }),
      layers.dense({ units: alphabet.length }),
    ],
    { seed: 1, inputShape: [null] },
  );
  model.compile({
    optimizer: optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 }),
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  return {
    name: "GRU(128) on the characters of a novel, bits per character",
    model,
    train() {
      const starts = Array.from({ length: BATCH }, () => random.below(Math.floor(seen) - T - 1));
      model.trainOnBatch(windows(starts, 0), windows(starts, 1));
    },
    score(each) {
      const room = tokens.length - seen - T - 1;
      const starts = Array.from({ length: UNSEEN }, (_, i) => Math.floor(seen + (i * room) / UNSEEN));
      const { data } = each.predict(windows(starts, 0));
      const V = alphabet.length;
      const next = windows(starts, 1).data;
      return next.reduce((sum, token, i) => sum + bits(data.subarray(i * V, (i + 1) * V), token), 0) / next.length;
    },
  };
}
