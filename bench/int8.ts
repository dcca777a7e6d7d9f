/**
 * Quantised models beside the floats they are made of: how long a step takes, and what is lost.
 *
 *   node --import tsx bench/int8.ts [--speed] [--accuracy] [--seconds 40] [--sizes 64,128,256,512,1024]
 *
 * Speed: an LSTM of as many inputs as units, one step per call of `stream.step`; the shortest of many slices of 2 ms in
 * which all of them take turns. `of the probe` is the time of a loop that only reads as many bytes of weights and multiplies
 * them (by two limbs for 14 bits), over the time of the step; in brackets with tanh and sigmoid added to it, at the pace of
 * the array kernel.
 * Accuracy: models that are trained here for some seconds each, and judged on what they have not seen.
 */
import { readFileSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { backendInfo, initSync, layers, losses, optimizers, sequential, type NDArray } from "../bindings/index.ts";
import { Random } from "../bindings/base/random.ts";
import { ceilingModule } from "./ceiling.ts";
import { Sandbox } from "../test/support/builds.ts";
import { fastest, int8Reads, transcendentals } from "./probes.ts";

const MODES = ["mixed", 7, 14] as const;
type Mode = (typeof MODES)[number];
type Model = ReturnType<typeof sequential>;

const title = (mode: Mode): string => (mode === "mixed" ? "mixed" : `${mode} bits`);
const file = (path: string): string => readFileSync(new URL(`../examples/data/${path}`, import.meta.url), "utf8");

/** Transcendentals of an LSTM's unit. */
const CURVES = 5;

/** Seconds of a step of floats and of each mode, of the probe of each, and of the curves. */
function measure(
  units: number,
  wasm: { limbs: 1 | 2; module: WebAssembly.Module },
): { step: number[]; probe: number[]; curves: number } {
  const model = sequential([layers.lstm({ units })], { seed: 1, inputShape: [null, units] });
  const models: Model[] = [model, ...MODES.map((activations) => model.quantize({ activations }))];
  const frame = Float32Array.from({ length: units }, (_, i) => Math.sin(i));
  const steps = models.map((each) => {
    const stream = each.stream();
    return () => void stream.step(frame);
  });
  const bytes = 4 * units * units;
  const [once, twice] = [int8Reads(wasm.module, bytes, 1), int8Reads(wasm.module, bytes, wasm.limbs)];
  const curve = transcendentals(new Sandbox(backendInfo().build as "simd" | "relaxed"));
  const times = fastest([...steps, once.run, twice.run, curve.run], { rounds: 60, warmUp: 300 });
  const [x7, x14] = [(times[4] * bytes) / once.work, (times[5] * bytes) / twice.work];
  for (const each of models) each.dispose();
  return {
    step: times.slice(0, 4),
    probe: [x14 + x7, 2 * x7, 2 * x14],
    curves: (CURVES * units * times[6]) / curve.work,
  };
}

function speed(sizes: readonly number[]): void {
  initSync();
  const model = sequential([layers.dense({ units: 1 })], { inputShape: [40] });
  const { kernels } = model.quantize().backend;
  // as bindings/runtime/wasm/int8.ts tells them apart: only the plain dot takes 255 for −1
  const plain = backendInfo().build === "simd" || kernels.abi_dot(127, 255) === 5 - 4 * 127;
  const wasm = { limbs: plain ? (1 as const) : (2 as const), module: ceilingModule(plain ? "simd" : "relaxed") };
  console.log(`Node ${process.versions.node}, ${backendInfo().build}, ${plain ? "int16" : "relaxed"} dot\n`);
  console.log(
    "| LSTM, as many inputs | f32, µs | mixed | 7 bits | 14 bits | of the probe: mixed | 7 bits | 14 bits |\n|---|---|---|---|---|---|---|---|",
  );
  for (const units of sizes) {
    const {
      step: [floats, ...others],
      probe,
      curves,
    } = measure(units, wasm);
    const cells = others.map((time) => `${(time * 1e6).toFixed(2)} (${(floats / time).toFixed(2)} ×)`);
    const shares = others.map(
      (time, i) => `${Math.round((probe[i] / time) * 100)} (${Math.round(((probe[i] + curves) / time) * 100)}) %`,
    );
    console.log(`| ${units} | ${[(floats * 1e6).toFixed(2), ...cells, ...shares].join(" | ")} |`);
  }
}

/** A task: a model, how it learns for a while, and how good it is. */
interface Task {
  readonly name: string;
  readonly model: Model;
  train(): void;
  score(model: Model): number;
}

/** Windows of a text, and the text one character later. */
function characters(): Task {
  const text = file("moby_dick.txt").slice(0, 400_000);
  const alphabet = [...new Set(text)].sort();
  const tokens = Int32Array.from(text, (character) => alphabet.indexOf(character));
  const [T, B, random] = [64, 32, new Random(1)];
  const seen = tokens.length * 0.9;
  const window = (starts: readonly number[], later: number): NDArray<Int32Array> => ({
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
    name: `GRU(128) on the characters of a novel, bits per character`,
    model,
    train() {
      const starts = Array.from({ length: B }, () => random.below(Math.floor(seen) - T - 1));
      model.trainOnBatch(window(starts, 0), window(starts, 1));
    },
    score(each) {
      const starts = Array.from({ length: 200 }, (_, i) =>
        Math.floor(seen + (i * (tokens.length - seen - T - 1)) / 200),
      );
      const { data } = each.predict(window(starts, 0));
      const V = alphabet.length;
      return (
        window(starts, 1).data.reduce((sum, next, i) => {
          const logits = data.subarray(i * V, (i + 1) * V);
          const most = logits.reduce((a, b) => Math.max(a, b));
          return (
            sum +
            (most + Math.log(logits.reduce((all, value) => all + Math.exp(value - most), 0)) - logits[next]) / Math.LN2
          );
        }, 0) /
        (starts.length * T)
      );
    },
  };
}

/** Surnames by language. */
function names(): Task {
  const folder = new URL("../examples/data/names/", import.meta.url);
  const lists = readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .map((name) => file(`names/${name}`).toLowerCase().trim().split("\n"));
  const random = new Random(2);
  const all = lists
    .flatMap((list, language) => list.map((name) => ({ name, language })))
    .map((each) => ({ each, order: random.uniform() }))
    .sort((a, b) => a.order - b.order)
    .map(({ each }) => each);
  const letters = [...new Set(all.flatMap(({ name }) => [...name]))].sort();
  const T = Math.max(...all.map(({ name }) => [...name].length));
  const batch = (some: typeof all): { x: NDArray<Int32Array>; y: Int32Array; lengths: Int32Array } => ({
    x: {
      data: Int32Array.from(
        some.flatMap(({ name }) =>
          Array.from({ length: T }, (_, t) => Math.max(0, letters.indexOf([...name][t] ?? ""))),
        ),
        (i) => i,
      ),
      shape: [some.length, T],
    },
    y: Int32Array.from(some, ({ language }) => language),
    lengths: Int32Array.from(some, ({ name }) => [...name].length),
  });
  const unseen = batch(all.splice(0, 600));
  const model = sequential(
    [
      layers.embedding({ inputDim: letters.length, outputDim: 48 }),
      layers.lstm({ units: 96 }),
      layers.dense({ units: lists.length }),
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
      const { x, y, lengths } = batch(Array.from({ length: 64 }, () => all[random.below(all.length)]));
      model.trainOnBatch(x, y, { lengths });
    },
    score(each) {
      const { data } = each.predict(unseen.x, { lengths: unseen.lengths });
      const right = unseen.y.filter((language, i) => {
        const scores = data.subarray(i * lists.length, (i + 1) * lists.length);
        return scores.indexOf(scores.reduce((a, b) => Math.max(a, b))) === language;
      });
      return (right.length / unseen.y.length) * 100;
    },
  };
}

/** Tomorrow's price out of the ten days before. */
function prices(): Task {
  const series = Float32Array.from(file("power_prices.csv").trim().split("\n").slice(1), (line) =>
    Number(line.split(",")[1]),
  );
  const [T, split] = [10, Math.floor(series.length * 0.8)];
  const [least, most] = [Math.min(...series.subarray(0, split)), Math.max(...series.subarray(0, split))];
  const scaled = series.map((price) => (price - least) / (most - least));
  const windows = (first: number, end: number): { x: NDArray; y: NDArray } => {
    const n = end - first - T;
    return {
      x: {
        data: Float32Array.from({ length: n * T }, (_, i) => scaled[first + Math.floor(i / T) + (i % T)]),
        shape: [n, T, 1],
      },
      y: { data: scaled.slice(first + T, end), shape: [n, 1] },
    };
  };
  const [seen, unseen] = [windows(0, split), windows(split, series.length)];
  const model = sequential(
    [layers.lstm({ units: 50, returnSequences: true }), layers.lstm({ units: 50 }), layers.dense({ units: 1 })],
    { seed: 3, inputShape: [T, 1] },
  );
  model.compile({ optimizer: "adam", loss: "mse" });
  const random = new Random(3);
  return {
    name: "LSTM(50) → LSTM(50) on daily prices, RMSE",
    model,
    train() {
      const rows = Array.from({ length: 64 }, () => random.below(seen.y.data.length));
      model.trainOnBatch(
        {
          data: Float32Array.from(rows.flatMap((row) => [...seen.x.data.subarray(row * T, (row + 1) * T)])),
          shape: [64, T, 1],
        },
        { data: Float32Array.from(rows, (row) => seen.y.data[row]), shape: [64, 1] },
      );
    },
    score(each) {
      const { data } = each.predict(unseen.x);
      return (
        Math.sqrt(data.reduce((sum, value, i) => sum + (value - unseen.y.data[i]) ** 2, 0) / data.length) *
        (most - least)
      );
    },
  };
}

function accuracy(seconds: number): void {
  initSync();
  console.log(
    `\n| task | f32 | ${MODES.map(title).join(" | ")} | file, of f32 |\n|---|---|${"---|".repeat(MODES.length)}---|`,
  );
  for (const { name, model, train, score } of [characters(), names(), prices()]) {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) train();
    const small = MODES.map((activations) => model.quantize({ activations }));
    const scores = [model, ...small].map((each) => score(each).toFixed(4));
    console.log(
      `| ${[name, ...scores, `${Math.round((small[0].save().length / model.save().length) * 100)} %`].join(" | ")} |`,
    );
    for (const each of [model, ...small]) each.dispose();
  }
}

const { values } = parseArgs({
  options: {
    speed: { type: "boolean" },
    accuracy: { type: "boolean" },
    seconds: { type: "string", default: "40" },
    sizes: { type: "string", default: "64,128,256,512,1024" },
  },
});
const both = !values.speed && !values.accuracy;
if (values.speed || both) speed(values.sizes.split(",").map(Number));
if (values.accuracy || both) accuracy(Number(values.seconds));
