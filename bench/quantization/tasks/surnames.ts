import { readdirSync } from "node:fs";
import { layers, losses, optimizers, sequential, type NDArray } from "../../../bindings/index.ts";
import { Random } from "../../../bindings/base/random.ts";
import { readData, type Task } from "./task.ts";

const [BATCH, UNSEEN] = [64, 600];

interface Surname {
  readonly name: string;
  readonly language: number;
}

/** Surnames in random order, and the number of languages. */
function readSurnames(random: Random): { all: Surname[]; languages: number } {
  const lists = readdirSync(new URL("../../../examples/data/names/", import.meta.url))
    .filter((name) => name.endsWith(".txt"))
    .map((name) => readData(`names/${name}`).toLowerCase().trim().split("\n"));
  const all = lists
    .flatMap((list, language) => list.map((name) => ({ name, language })))
    .map((surname) => ({ surname, order: random.uniform() }))
    .sort((a, b) => a.order - b.order)
    .map(({ surname }) => surname);
  return { all, languages: lists.length };
}

/** An LSTM tells the language of a surname. */
export function surnames(): Task {
  const random = new Random(2);
  const { all, languages } = readSurnames(random);
  const letters = [...new Set(all.flatMap(({ name }) => [...name]))].sort();
  const T = Math.max(...all.map(({ name }) => [...name].length));
  /** Letters [rows, T], padded with 0 behind `lengths`. */
  function batch(some: readonly Surname[]): { x: NDArray<Int32Array>; y: Int32Array; lengths: Int32Array } {
    const data = new Int32Array(some.length * T);
    some.forEach(({ name }, row) => [...name].forEach((letter, t) => (data[row * T + t] = letters.indexOf(letter))));
    return {
      x: { data, shape: [some.length, T] },
      y: Int32Array.from(some, ({ language }) => language),
      lengths: Int32Array.from(some, ({ name }) => [...name].length),
    };
  }
  const unseen = batch(all.splice(0, UNSEEN));
  const model = sequential(
    [
      layers.embedding({ inputDim: letters.length, outputDim: 48 }),
      layers.lstm({ units: 96 }),
      layers.dense({ units: languages }),
    ],
    { seed: 2, inputShape: [null] },
  );
  model.compile({
    optimizer: optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 }),
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
  });
  return {
    name: "LSTM(96) on surnames of seven languages, accuracy in %",
    model,
    train() {
      const { x, y, lengths } = batch(Array.from({ length: BATCH }, () => all[random.below(all.length)]));
      model.trainOnBatch(x, y, { lengths });
    },
    score(each) {
      const { data } = each.predict(unseen.x, { lengths: unseen.lengths });
      const right = unseen.y.filter((language, i) => {
        const scores = data.subarray(i * languages, (i + 1) * languages);
        return scores.indexOf(scores.reduce((a, b) => Math.max(a, b))) === language;
      });
      return (right.length / unseen.y.length) * 100;
    },
  };
}
