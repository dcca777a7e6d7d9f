/**
 * The cost of a layer by units, time steps and batch size, as pictures with the ceiling drawn in.
 *
 *   node --import tsx bench/scaling/curves.ts [--quick] [--draw]
 *
 * Measures the points, writes them to bench/scaling/curves.json, and draws curves-units.svg, -time.svg and -batch.svg
 * beside it. --draw only draws the points of curves.json; --quick measures coarsely and only prints. Each point is the
 * shortest of slices of 2 ms in turns with the probes of its ceiling.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { initSync, layers, sequential, type Model } from "../../bindings/index.ts";
import { BoundProbes, type Arithmetic } from "../support/bound.ts";
import { BUILD } from "../support/build.ts";
import { wave, waves } from "../support/inputs.ts";
import { fastest } from "../support/probes.ts";
import { machine, time } from "../support/report.mjs";
import { svgOf, type Picture, type Point } from "./picture.ts";

const { values: given } = parseArgs({
  options: { quick: { type: "boolean", default: false }, draw: { type: "boolean", default: false } },
});
/** Slices per function, and milliseconds of warm-up. */
const EFFORT = given.quick ? { rounds: 5, warmUp: 20 } : { rounds: 60, warmUp: 200 };

const POINTS = new URL("curves.json", import.meta.url);

/** The orthogonal default of recurrent weights would take seconds for many units. */
const OPTIONS = { returnSequences: true, recurrentInitializer: "glorotUniform" } as const;

interface Cell {
  readonly name: string;
  make(options: typeof OPTIONS & { units: number }): Parameters<typeof sequential>[0][number];
  readonly gates: number;
  /** Values of tanh and sigmoid per unit. */
  readonly curves: number;
}

const CELLS: readonly Cell[] = [
  { name: "LSTM", make: layers.lstm, gates: 4, curves: 5 },
  { name: "GRU", make: layers.gru, gates: 3, curves: 3 },
  { name: "SimpleRNN", make: layers.simpleRNN, gates: 1, curves: 1 },
];

/** A layer of H units over I inputs. */
const model = ({ make }: Cell, I: number, H: number): Model =>
  sequential([make({ units: H, ...OPTIONS })], { inputShape: [null, I], seed: 1 });

function point({ name }: Cell, at: number, run: () => unknown, arithmetic: Arithmetic): Point {
  const probes = new BoundProbes(BUILD, arithmetic);
  const [seconds, ...others] = fastest([() => void run(), ...probes.runs], EFFORT);
  const work = ((arithmetic.blocked ?? 0) + (arithmetic.single ?? 0)) / 1e9;
  const rounded = (value: number): number => Number(value.toPrecision(6));
  return {
    cell: name,
    at,
    seconds: rounded(seconds),
    rate: rounded(work / seconds),
    ceiling: rounded(work / probes.of(others).products),
  };
}

/** A step of a stream with as many inputs as units. */
function step(cell: Cell, H: number): Point {
  const net = model(cell, H, H);
  const stream = net.stream();
  const frame = wave(H);
  const weights = 2 * cell.gates * H * H;
  const arithmetic = { single: weights, bytes: 4 * weights, curves: cell.curves * H };
  const result = point(cell, H, () => stream.step(frame), arithmetic);
  net.dispose();
  return result;
}

/** The arithmetic of B sequences. Input weights serve all rows and steps at once, recurrent ones the rows of a step. */
function arithmeticOf({ gates, curves }: Cell, B: number, T: number, I: number, H: number): Arithmetic {
  const [input, recurrent] = [B * T * gates * I * H, B * T * gates * H * H];
  const rest = { curves: curves * B * T * H };
  if (B > 1) return { blocked: input + recurrent, ...rest };
  if (T > 1) return { blocked: input, single: recurrent, bytes: 4 * gates * H * H, ...rest };
  return { single: input + recurrent, bytes: 4 * gates * H * (I + H), ...rest };
}

/** B sequences of T steps, 64 inputs, 128 units. */
function sequences(cell: Cell, at: number, B: number, T: number): Point {
  const [I, H] = [64, 128];
  const net = model(cell, I, H);
  const x = waves([B, T, I]);
  const result = point(cell, at, () => net.predict(x, { batchSize: B }), arithmeticOf(cell, B, T, I, H));
  net.dispose();
  return result;
}

/** A point per cell and extent. */
const pointsOf = (extents: readonly number[], measure: (cell: Cell, extent: number) => Point): Point[] =>
  CELLS.flatMap((cell) => extents.map((extent) => measure(cell, extent)));

function measurePictures(): Picture[] {
  initSync({ build: BUILD });
  const subtitle = [
    "Dashed: the ceiling, the multiply-adds alone over as many bytes of weights.",
    `Node ${process.versions.node}, ${BUILD}, one core of ${machine().processor}.`,
  ].join(" ");
  return [
    {
      name: "units",
      title: "One step of a stream, as many inputs as units",
      subtitle,
      axis: "units",
      points: pointsOf([8, 16, 32, 64, 128, 256, 512, 1024, 2048], step),
    },
    {
      name: "time",
      title: "One sequence, 64 inputs, 128 units",
      subtitle,
      axis: "time steps",
      points: pointsOf([1, 3, 10, 30, 100, 300, 1000, 3000, 10000], (cell, T) => sequences(cell, T, 1, T)),
    },
    {
      name: "batch",
      title: "Batches of sequences of 20 steps, 64 inputs, 128 units",
      subtitle,
      axis: "rows",
      points: pointsOf([1, 2, 4, 8, 16, 32, 64, 128, 256], (cell, B) => sequences(cell, B, B, 20)),
    },
  ];
}

function print({ title, points }: Picture): void {
  console.log(title);
  for (const { cell, at, seconds, rate, ceiling } of points) {
    const rates = `${rate.toFixed(1)} of ${ceiling.toFixed(1)} G multiply-adds/s`;
    console.log(`  ${cell.padEnd(9)} ${String(at).padStart(5)}  ${time(seconds)}  ${rates}`);
  }
}

/** JSON with a picture per line. */
const jsonOf = (pictures: readonly Picture[]): string =>
  `[\n${pictures.map((picture) => JSON.stringify(picture)).join(",\n")}\n]\n`;

function measure(): Picture[] {
  const pictures = measurePictures();
  pictures.forEach(print);
  if (!given.quick) writeFileSync(POINTS, jsonOf(pictures));
  return pictures;
}

const pictures = given.draw ? (JSON.parse(readFileSync(POINTS, "utf8")) as Picture[]) : measure();
if (!given.quick) {
  for (const picture of pictures) writeFileSync(new URL(`curves-${picture.name}.svg`, POINTS), await svgOf(picture));
}
