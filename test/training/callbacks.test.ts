/** Callbacks: when they stop a training, what they change and what they write. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  callbacks,
  layers,
  loadModel,
  optimizers,
  sequential,
  type Callback,
  type Module,
} from "../../bindings/index.ts";
import { floats, sameWeights } from "../support/models.ts";
import { refused, rejected } from "../support/refused.ts";

const test = suite("callbacks");
const folder = mkdtempSync(join(tmpdir(), "gatewise-"));
test.after(() => rmSync(folder, { recursive: true }));

const x = floats([4, 2]);
const y = floats([4, 1], 1);

const make = () => {
  const model = sequential([layers.dense({ units: 1 })], { inputShape: [2], seed: 1 });
  model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0.1 }), metrics: ["mae"] });
  return model;
};

/** Puts a value of our choice into the logs of each epoch, before the callback sees them. */
const scripted = (values: number[]): Callback =>
  callbacks.lambda({ onEpochEnd: ({ epoch, logs }) => void (logs.watched = values[epoch]) });

async function epochsOf(values: number[], options: object): Promise<number> {
  const model = make();
  const { epoch } = await model.fit(x, y, {
    epochs: values.length,
    callbacks: [scripted(values), callbacks.earlyStopping({ monitor: "watched", ...options })],
  });
  model.dispose();
  return epoch.length;
}

test("early stopping stops when it has waited for patience epochs, as Keras does", async () => {
  const values = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3];
  assert.is(await epochsOf(values, {}), 3);
  assert.is(await epochsOf(values, { patience: 1 }), 3);
  assert.is(await epochsOf(values, { patience: 2 }), 4);
  assert.is(await epochsOf(values, { patience: 3 }), 8);
  assert.is(await epochsOf(values, { patience: 9 }), 10);
});

test("early stopping by mode, least change, baseline and first epoch", async () => {
  assert.is(await epochsOf([1, 2, 3, 3, 3], { mode: "max" }), 4);
  assert.is(await epochsOf([5, 4.9, 4.8, 4.7], { minDelta: 0.5, patience: 2 }), 3);
  assert.is(await epochsOf([5, 4, 4, 4], { startFromEpoch: 2 }), 4);
  // improvements that do not beat the baseline do not count, but do not stop either
  assert.is(await epochsOf([9, 8, 8, 1], { baseline: 5, patience: 2 }), 3);
  assert.is(await epochsOf([9, 4, 4, 4], { baseline: 5, patience: 2 }), 4);
  await rejected(
    epochsOf([1], { monitor: "val_los" }),
    "ERR_OPTION",
    /^callbacks: expected "val_los" to watch, got logs of loss, mean_absolute_error, watched$|^callbacks: expected "val_los" to watch/,
  );
  refused(() => callbacks.earlyStopping({ patient: 1 } as never), "ERR_OPTION", /did you mean "patience"\?/);
});

test("options out of their range are refused where they are given", () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => callbacks.earlyStopping({ patience: -1 }),
      /^callbacks\.earlyStopping: expected patience to be a whole number ≥ 0, got -1$/,
    ],
    [
      () => callbacks.earlyStopping({ patience: "3" as never }),
      /^callbacks\.earlyStopping: expected patience to be a whole number ≥ 0, got "3"$/,
    ],
    [
      () => callbacks.earlyStopping({ startFromEpoch: 0.5 }),
      /^callbacks\.earlyStopping: expected startFromEpoch to be a whole number ≥ 0, got 0\.5$/,
    ],
    [
      () => callbacks.earlyStopping({ baseline: NaN }),
      /^callbacks\.earlyStopping: expected baseline to be a number, got NaN$/,
    ],
    [
      () => callbacks.earlyStopping({ minDelta: "0.1" as never }),
      /^callbacks\.earlyStopping: expected minDelta to be a number, got "0\.1"$/,
    ],
    [
      () => callbacks.earlyStopping({ restoreBestWeights: 1 as never }),
      /^callbacks\.earlyStopping: expected restoreBestWeights to be true or false, got 1$/,
    ],
    [
      () => callbacks.earlyStopping({ mode: "least" as never }),
      /^callbacks\.earlyStopping: expected mode "auto", "min" or "max", got "least"$/,
    ],
    [
      () => callbacks.reduceLROnPlateau({ patience: NaN }),
      /^callbacks\.reduceLROnPlateau: expected patience to be a whole number ≥ 0, got NaN$/,
    ],
    [
      () => callbacks.reduceLROnPlateau({ cooldown: -1 }),
      /^callbacks\.reduceLROnPlateau: expected cooldown to be a whole number ≥ 0, got -1$/,
    ],
    [() => callbacks.reduceLROnPlateau({ minLr: -1 }), /^callbacks\.reduceLROnPlateau: expected minLr ≥ 0, got -1$/],
  ];
  for (const [make, message] of wrong) refused(make, "ERR_OPTION", message);
});

test("early stopping puts the best weights back", async () => {
  const model = make();
  const seen: ReturnType<Module["getWeights"]>[] = [];
  const note = callbacks.lambda({ onEpochEnd: (_event, m) => void seen.push(m.getWeights()) });
  await model.fit(x, y, {
    epochs: 4,
    callbacks: [
      note,
      scripted([3, 1, 2, 2]),
      callbacks.earlyStopping({ monitor: "watched", patience: 2, restoreBestWeights: true }),
    ],
  });
  assert.is(seen.length, 4);
  sameWeights(model.getWeights(), seen[1]);
  model.dispose();
});

test("the rate falls on a plateau, and rests after it", async () => {
  const model = make();
  const rates: number[] = [];
  const note = callbacks.lambda({ onEpochEnd: (_event, m) => void rates.push(m.optimizer!.learningRate as number) });
  const plateau = callbacks.reduceLROnPlateau({
    monitor: "watched",
    factor: 0.5,
    patience: 2,
    cooldown: 2,
    minLr: 0.03,
  });
  const { history } = await model.fit(x, y, {
    epochs: 9,
    callbacks: [scripted([5, 5, 5, 5, 5, 5, 5, 4, 4]), plateau, note],
  });
  assert.equal(rates, [0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03]);
  assert.equal(history.learning_rate, [0.1, ...rates.slice(0, -1)], "that of each epoch");
  model.optimizer!.learningRate = 0.02;
  await model.fit(x, y, {
    epochs: 3,
    callbacks: [scripted([5, 5, 5]), callbacks.reduceLROnPlateau({ monitor: "watched", patience: 1, minLr: 0.03 })],
  });
  assert.is(model.optimizer!.learningRate, 0.02, "below the least: it stays");
  refused(
    () => callbacks.reduceLROnPlateau({ factor: 1 }),
    "ERR_OPTION",
    /^callbacks\.reduceLROnPlateau: expected factor of 0 < factor < 1, got 1/,
  );
  model.dispose();
});

test("the smallest change that counts may be a share of the best value, as in PyTorch", async () => {
  const lowered = async (options: object, values: number[]): Promise<boolean[]> => {
    const model = make();
    const rates: number[] = [];
    const note = callbacks.lambda({ onEpochEnd: (_event, m) => void rates.push(m.optimizer!.learningRate as number) });
    const plateau = callbacks.reduceLROnPlateau({ monitor: "watched", patience: 1, minDelta: 0.1, ...options });
    await model.fit(x, y, { epochs: values.length, callbacks: [scripted(values), plateau, note] });
    model.dispose();
    return rates.map((rate, k) => k > 0 && rate < rates[k - 1]);
  };
  assert.equal(await lowered({ relative: true }, [100, 91, 89, 81]), [false, true, false, true]);
  assert.equal(await lowered({}, [100, 91, 89, 89]), [false, false, false, true]);
  assert.equal(await lowered({ relative: true, mode: "max" }, [100, 109, 111, 122]), [false, true, false, true]);
  assert.equal(
    await lowered({ relative: true }, [-100, -109, -111, -123]),
    [false, true, false, false],
    "larger by a tenth in size",
  );
  refused(
    () => callbacks.reduceLROnPlateau({ relative: 1 as never }),
    "ERR_OPTION",
    /^callbacks\.reduceLROnPlateau: expected relative to be true or false, got 1$/,
  );
});

test("checkpoints: each epoch by its name, or the best ones; to go on from", async () => {
  const model = make();
  const path = join(folder, "{epoch:02d}-{watched:.1f}-{epoch}.safetensors");
  const best: number[] = [];
  await model.fit(x, y, {
    epochs: 3,
    callbacks: [
      scripted([3, 1.26, 2]),
      callbacks.modelCheckpoint({ filepath: path, optimizer: true }),
      callbacks.modelCheckpoint({
        filepath: (bytes, { epoch }) => void (best.push(epoch), loadModel(bytes as Uint8Array).dispose()),
        saveBestOnly: true,
        monitor: "watched",
      }),
    ],
  });
  assert.equal(best, [0, 1]);
  for (const name of ["01-3.0-1", "02-1.3-2"]) assert.ok(existsSync(join(folder, `${name}.safetensors`)), name);
  const last = loadModel(readFileSync(join(folder, "03-2.0-3.safetensors")));
  sameWeights(last.getWeights(), model.getWeights());
  last.dispose();
  await rejected(
    model.fit(x, y, { callbacks: [callbacks.modelCheckpoint({ filepath: join(folder, "{acc}") })] }),
    "ERR_OPTION",
    /^callbacks\.modelCheckpoint: expected loss, mae, epoch in filepath, got "\{acc\}"$/,
  );
  refused(
    () => callbacks.modelCheckpoint({} as never),
    "ERR_OPTION",
    /^callbacks\.modelCheckpoint: expected filepath as a path or a function, got undefined$/,
  );
  model.dispose();
});

test("an error at the end does not hide the one before; every callback hears of the end", async () => {
  const model = make();
  const heard: string[] = [];
  const ending = (name: string): Callback => ({
    onTrainEnd() {
      heard.push(name);
      throw new Error(`end ${name}`);
    },
  });
  const failing: Callback = {
    onBatchEnd() {
      throw new Error("batch");
    },
  };
  const outcome = (list: Callback[]): Promise<unknown> =>
    model.fit(x, y, { callbacks: list }).then(
      () => "none",
      (error: unknown) => (error as Error).message,
    );
  assert.is(await outcome([ending("a"), failing, ending("b")]), "batch");
  assert.is(await outcome([ending("c"), ending("d")]), "end c");
  assert.equal(heard, ["a", "b", "c", "d"]);
  assert.is(await outcome([]), "none");
  model.dispose();
});

test("logs as CSV and JSON: written over, or gone on with", async () => {
  const model = make();
  const [csv, json] = [join(folder, "log.csv"), join(folder, "log.jsonl")];
  const run = (epochs: number, append: boolean) =>
    model.fit(x, y, {
      epochs,
      callbacks: [
        callbacks.csvLogger({ filename: csv, separator: ";", append }),
        callbacks.jsonLogger({ filename: json, append }),
      ],
    });
  const lines = (path: string): string[] => readFileSync(path, "utf8").trimEnd().split("\n");
  await run(3, true);
  const { history } = await run(2, false);
  assert.equal(lines(csv), ["epoch;loss;mae", ...[0, 1].map((i) => `${i};${history.loss[i]};${history.mae[i]}`)]);
  assert.equal(
    lines(json).map((line) => JSON.parse(line)),
    [0, 1].map((epoch) => ({ epoch, loss: history.loss[epoch], mae: history.mae[epoch] })),
  );
  await run(1, true);
  assert.is(lines(csv).length, 4);
  assert.is(lines(json).length, 3);
  const written: unknown[] = [];
  await model.fit(x, y, { callbacks: [callbacks.csvLogger({ filename: (text) => void written.push(text) })] });
  assert.match(String(written[0]), /^epoch,loss,mae\n0,/);
  refused(() => callbacks.csvLogger({ filname: csv } as never), "ERR_OPTION", /did you mean "filename"\?/);
  refused(
    () => callbacks.jsonLogger({ filename: 1 } as never),
    "ERR_OPTION",
    /^callbacks\.jsonLogger: expected filename as a path or a function, got number$/,
  );
  model.dispose();
});

test("terminateOnNaN ends the training normally, with the last finite weights", async () => {
  const model = make();
  model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 1e20 }) });
  await rejected(model.fit(x, y, { epochs: 9 }), "ERR_NON_FINITE", /^fit: expected a finite loss and gradients/);
  const { epoch } = await model.fit(x, y, { epochs: 9, callbacks: [callbacks.terminateOnNaN()] });
  assert.ok(epoch.length < 9);
  assert.ok(Object.values(model.getWeights()).every(({ data }) => data.every(Number.isFinite)));
  model.dispose();
});

test("functions of other names are refused", () => {
  refused(
    () => callbacks.lambda({ onEpochsEnd: () => undefined } as never),
    "ERR_OPTION",
    /^callbacks\.lambda: expected one of .*, got "onEpochsEnd", did you mean "onEpochEnd"\?/,
  );
});

test.run();
