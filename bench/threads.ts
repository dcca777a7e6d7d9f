/**
 * Two threads beside one: `node --import tsx bench/threads.ts [threads]`, on a machine with as many idle cores. Turns are
 * taken in one process, so that both share whatever load there is; what is printed are medians and their ratio.
 */
import { loadavg } from "node:os";
import { init, layers, losses, optimizers, sequential, type Module } from "../bindings/index.ts";
import { hasRelaxed } from "../test/support/builds.ts";
import { compare, THOROUGH, type Contender } from "./measure.ts";

const threads = Number(process.argv[2] ?? 2);
const build = hasRelaxed ? "relaxed" : "simd";

const wave = (shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 * Math.sin(i * 1.7)),
  shape,
});
const tokens = (shape: number[], below: number) => ({
  data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * i + 7 * i) % below),
  shape,
});

interface Work {
  readonly name: string;
  make(): Module;
  run(model: Module): () => unknown;
}

const lstm = (units: number, features: number, steps: number, rows: number): Work => ({
  name: `predict LSTM ${features}→${units}, ${rows} rows of ${steps} steps`,
  make: () => sequential([layers.lstm({ units, returnSequences: true })], { inputShape: [null, features], seed: 1 }),
  run(model) {
    const x = wave([rows, steps, features]);
    return () => model.predict(x).data[0];
  },
});

const characters = (units: number, rows: number, steps: number): Work => ({
  name: `train Embedding(65, 256) + GRU(${units}) + Dense(65), ${rows} rows of ${steps} steps`,
  make() {
    const model = sequential(
      [
        layers.embedding({ inputDim: 65, outputDim: 256 }),
        layers.gru({ units, returnSequences: true }),
        layers.dense({ units: 65 }),
      ],
      { inputShape: [null], seed: 1 },
    );
    model.compile({ optimizer: optimizers.adam(), loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
    return model;
  },
  run(model) {
    const [x, y] = [tokens([rows, steps], 65), tokens([rows, steps], 64)];
    return () => model.trainOnBatch(x, y).loss;
  },
});

const forecaster = (units: number, rows: number, steps: number): Work => ({
  name: `train 2 × LSTM(${units}) + Dense(1), ${rows} rows of ${steps} steps`,
  make() {
    const model = sequential(
      [layers.lstm({ units, returnSequences: true }), layers.lstm({ units }), layers.dense({ units: 1 })],
      { inputShape: [null, 8], seed: 1 },
    );
    model.compile({ optimizer: "adam", loss: "mse" });
    return model;
  },
  run(model) {
    const [x, y] = [wave([rows, steps, 8]), wave([rows, 1])];
    return () => model.trainOnBatch(x, y).loss;
  },
});

const works = [
  lstm(128, 64, 100, 64),
  lstm(128, 64, 100, 32),
  lstm(512, 256, 50, 64),
  characters(256, 32, 100),
  characters(512, 32, 50),
  forecaster(64, 32, 50),
  forecaster(128, 64, 100),
];

/** The work on so many threads, on a backend of its own. */
async function contender(work: Work, count: number): Promise<Contender> {
  await init({ build, threads: count });
  return { name: `${count}`, run: work.run(work.make()) };
}

const milliseconds = (seconds: number): string => `${(seconds * 1000).toPrecision(3)} ms`;

console.log(
  `${process.version}, ${build}; load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}`,
);
console.log(`| work | one thread | ${threads} threads | ratio of medians | of the quickest |\n|---|---|---|---|---|`);
for (const work of works) {
  const [one, several] = compare([await contender(work, 1), await contender(work, threads)], THOROUGH);
  console.log(
    `| ${work.name} | ${milliseconds(one.median)} | ${milliseconds(several.median)} | ${(one.median / several.median).toFixed(2)} × | ${(one.min / several.min).toFixed(2)} × |`,
  );
}
console.log(
  `load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}`,
);
