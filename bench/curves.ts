/**
 * How cost grows with units, time and batch, as pictures with the ceiling drawn in.
 *
 *   node --import tsx bench/curves.ts [--quick]
 *
 * Writes bench/curves-units.svg, -time.svg and -batch.svg, and build/curves.json. Each point is the shortest of slices of 2 ms
 * that take turns with the probes of its ceiling.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { initSync, layers, sequential, type Sequential } from "../bindings/index.ts";
import { BoundProbes, type Arithmetic } from "./bound.ts";
import { fastest } from "./probes.ts";
import { BUILD } from "./workloads.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
/** Slices of 2 ms. */
const EFFORT = values.quick ? { rounds: 5, warmUp: 20 } : { rounds: 60, warmUp: 200 };

const CELLS = ["lstm", "gru", "simpleRNN"] as const;
type Cell = (typeof CELLS)[number];
const LABELS: Record<Cell, string> = { lstm: "LSTM", gru: "GRU", simpleRNN: "SimpleRNN" };
const GATES: Record<Cell, number> = { lstm: 4, gru: 3, simpleRNN: 1 };
const CURVES: Record<Cell, number> = { lstm: 5, gru: 3, simpleRNN: 1 };

interface Point {
  readonly cell: string;
  /** What is varied. */
  readonly at: number;
  readonly seconds: number;
  /** Billions of multiply-adds per second, of the layer and of its ceiling. */
  readonly rate: number;
  readonly ceiling: number;
}

const wave = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 1.7));

function model(cell: Cell, I: number, H: number): Sequential {
  const options = { units: H, returnSequences: true, recurrentInitializer: "glorotUniform" } as const; // orthogonal ones take seconds
  const layer = {
    lstm: () => layers.lstm(options),
    gru: () => layers.gru(options),
    simpleRNN: () => layers.simpleRNN(options),
  }[cell]();
  return sequential([layer], { inputShape: [null, I], seed: 1 });
}

function point(cell: Cell, at: number, run: () => unknown, arithmetic: Arithmetic): Point {
  const probes = new BoundProbes(BUILD, arithmetic);
  const [seconds, ...others] = fastest([() => void run(), ...probes.runs], EFFORT);
  const work = ((arithmetic.blocked ?? 0) + (arithmetic.single ?? 0)) / 1e9;
  return { cell: LABELS[cell], at, seconds, rate: work / seconds, ceiling: work / probes.of(others).products };
}

/** A step of a stream. */
function step(cell: Cell, H: number): Point {
  const net = model(cell, H, H);
  const stream = net.stream();
  const frame = wave(H);
  const weights = 2 * GATES[cell] * H * H;
  const result = point(cell, H, () => stream.step(frame), {
    single: weights,
    bytes: 4 * weights,
    curves: CURVES[cell] * H,
  });
  net.dispose();
  return result;
}

function sequence(cell: Cell, at: number, B: number, T: number, I: number, H: number): Point {
  const net = model(cell, I, H);
  const x = { data: wave(B * T * I), shape: [B, T, I] };
  const [input, recurrent] = [B * T * GATES[cell] * I * H, B * T * GATES[cell] * H * H];
  // the weights of the input serve all rows and steps at once, those of the state the rows of a step
  const one: Arithmetic = {
    blocked: T > 1 ? input : 0,
    single: T > 1 ? recurrent : recurrent + input,
    bytes: 4 * GATES[cell] * H * (T > 1 ? H : I + H),
  };
  const result = point(cell, at, () => net.predict(x, { batchSize: B }), {
    ...(B > 1 ? { blocked: input + recurrent } : one),
    curves: CURVES[cell] * B * T * H,
  });
  net.dispose();
  return result;
}

interface Picture {
  readonly file: string;
  readonly title: string;
  readonly axis: string;
  readonly points: readonly Point[];
}

const COLOURS = ["#4269d0", "#d9720f", "#2f8f4e"];

/** The powers of ten around some numbers. */
function decades(values: readonly number[]): number[] {
  const [first, last] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** A panel per cell: above the time of a call, below what that is in arithmetic. Dashed: the ceiling. */
function specification({ title, axis, points }: Picture, subtitle: string): TopLevelSpec {
  const values = points.map((each) => ({ ...each, least: (each.seconds * each.rate) / each.ceiling }));
  const labels = Object.values(LABELS);
  const ticks = [...new Set(points.map(({ at }) => at))].filter((_, i) => i % 2 === 0);
  const times = decades(values.flatMap(({ seconds, least }) => [seconds, least]));
  const fastest = Math.ceil(Math.max(...values.flatMap(({ rate, ceiling }) => [rate, ceiling])) / 5) * 5;
  const scales = {
    time: {
      scale: { type: "log", domain: [times[0], times.at(-1)] },
      axis: { title: "time of a call", values: times, labelExpr: "format(datum.value, '~s') + 's'" },
    },
    rate: { scale: { domain: [0, fastest] }, axis: { title: "G multiply-adds per s", tickCount: 6 } },
  };
  const panel = (kind: keyof typeof scales, reached: string, ceiling: string, column: number): object => {
    const [isLast, isFirst, color] = [kind === "rate", column === 0, COLOURS[column]];
    const x = {
      field: "at",
      type: "quantitative",
      scale: { type: "log", nice: false },
      axis: {
        title: isLast ? axis : null,
        values: ticks,
        labels: isLast,
        labelOverlap: false,
        format: ",d",
        grid: false,
      },
    };
    const y = (field: string): object => ({
      field,
      type: "quantitative",
      scale: scales[kind].scale,
      axis: isFirst
        ? scales[kind].axis
        : { ...scales[kind].axis, title: null, labels: false, ticks: false, minExtent: 0 },
    });
    return {
      transform: [{ filter: { field: "cell", equal: labels[column] } }],
      width: 250,
      height: 170,
      layer: [
        { mark: { type: "line", strokeDash: [5, 4], color: "#777" }, encoding: { x, y: y(ceiling) } },
        {
          mark: { type: "line", strokeWidth: 2.5, point: { size: 36, filled: true, color }, color },
          encoding: { x, y: y(reached) },
        },
      ],
    };
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 12,
    title: {
      text: title,
      subtitle,
      anchor: "start",
      fontSize: 16,
      subtitleFontSize: 12,
      subtitleColor: "#555",
      offset: 16,
    },
    data: { values },
    vconcat: [
      {
        hconcat: labels.map((label, i) => ({
          ...panel("time", "seconds", "least", i),
          title: { text: label, anchor: "middle", frame: "group", fontSize: 13 },
        })),
      },
      { hconcat: labels.map((_, i) => panel("rate", "rate", "ceiling", i)) },
    ],
    config: {
      font: "sans-serif",
      axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridColor: "#e6e6e6" },
      axisY: { minExtent: 40 },
      view: { stroke: "#ccc" },
      concat: { spacing: 14 },
    },
  } as TopLevelSpec;
}

async function draw(picture: Picture, subtitle: string): Promise<void> {
  const view = new vega.View(vega.parse(compile(specification(picture, subtitle)).spec), { renderer: "none" });
  writeFileSync(new URL(picture.file, import.meta.url), `${await view.toSVG()}\n`);
  view.finalize();
}

initSync({ build: BUILD });
const each = (extents: readonly number[], make: (cell: Cell, extent: number) => Point): Point[] =>
  CELLS.flatMap((cell) => extents.map((extent) => make(cell, extent)));
const pictures: Picture[] = [
  {
    file: "curves-units.svg",
    title: "One step of a stream, as many inputs as units",
    axis: "units",
    points: each([8, 16, 32, 64, 128, 256, 512, 1024, 2048], step),
  },
  {
    file: "curves-time.svg",
    title: "One sequence, 64 inputs, 128 units",
    axis: "time steps",
    points: each([1, 3, 10, 30, 100, 300, 1000, 3000, 10000], (cell, T) => sequence(cell, T, 1, T, 64, 128)),
  },
  {
    file: "curves-batch.svg",
    title: "Batches of sequences of 20 steps, 64 inputs, 128 units",
    axis: "rows",
    points: each([1, 2, 4, 8, 16, 32, 64, 128, 256], (cell, B) => sequence(cell, B, B, 20, 64, 128)),
  },
];
const subtitle = `Dashed: the ceiling, the multiply-adds alone over as many bytes of weights. Node ${process.versions.node}, ${BUILD}, one core of ${cpus()[0]?.model.trim() ?? "an unknown processor"}.`;
for (const picture of pictures) await draw(picture, subtitle);
mkdirSync("build", { recursive: true });
writeFileSync("build/curves.json", `${JSON.stringify(pictures, null, 2)}\n`);
for (const { title, points } of pictures) {
  console.log(
    `${title}\n${points.map(({ cell, at, seconds, rate, ceiling }) => `  ${cell.padEnd(9)} ${String(at).padStart(5)}  ${(seconds * 1e6).toPrecision(3)} µs  ${rate.toFixed(1)} of ${ceiling.toFixed(1)} G`).join("\n")}`,
  );
}
