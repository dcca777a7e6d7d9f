/**
 * Several threads beside one.
 *
 *   node --import tsx bench/scaling/threads.ts [threads]
 *
 * Needs as many idle cores as threads (2 by default). Both run alternately in one process, so that they share whatever
 * load there is. Prints a Markdown table of medians and their ratio.
 */
import { init, layers, losses, optimizers, sequential, type Module } from "../../bindings/index.ts";
import { BUILD } from "../support/build.ts";
import { tokens, waves } from "../support/inputs.ts";
import { compare, THOROUGH, type Contender } from "../support/measure.ts";
import { machine, table, time } from "../support/report.mjs";

const threads = Number(process.argv[2] ?? 2);

interface Work {
  readonly name: string;
  make(): Module;
  run(model: Module): () => unknown;
}

const lstm = (units: number, features: number, steps: number, rows: number): Work => ({
  name: `predict LSTM ${features}→${units}, ${rows} rows of ${steps} steps`,
  make: () => sequential([layers.lstm({ units, returnSequences: true })], { inputShape: [null, features], seed: 1 }),
  run(model) {
    const x = waves([rows, steps, features]);
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
    const [x, y] = [waves([rows, steps, 8]), waves([rows, 1])];
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

/** The work on `count` threads, on a backend of its own. */
async function contender(work: Work, count: number): Promise<Contender> {
  await init({ build: BUILD, threads: count });
  return { name: `${count}`, run: work.run(work.make()) };
}

const loadBefore = machine().load.toFixed(1);
const rows = [];
for (const work of works) {
  const [one, several] = compare([await contender(work, 1), await contender(work, threads)], THOROUGH);
  rows.push([
    work.name,
    time(one.median),
    time(several.median),
    `${(one.median / several.median).toFixed(2)} ×`,
    `${(one.min / several.min).toFixed(2)} ×`,
  ]);
}
console.log(`${process.version}, ${BUILD}; load ${loadBefore} before, ${machine().load.toFixed(1)} after`);
console.log(table(["work", "one thread", `${threads} threads`, "ratio of medians", "of the fastest"], rows));
