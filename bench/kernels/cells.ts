/**
 * Recurrent kernels as a share of the machine's ceiling.
 *
 *   node --import tsx bench/kernels/cells.ts [--builds simd,relaxed] [--json]
 *
 * `ceiling` is the share of the pace of multiply-adds between registers. `bound` adds tanh and sigmoid: the time of the
 * multiply-adds at that pace, plus the time of tanh and sigmoid at the pace of an array, over the time taken. The loops
 * that measure both paces run in turns with every case.
 */
import { parseArgs } from "node:util";
import { GATES } from "../../test/support/cells.ts";
import { Sandbox, wasmBuilds } from "../../test/support/builds.ts";
import type { Build } from "../support/build.ts";
import { ceilingModule } from "../support/ceiling.mjs";
import { fastest, multiplyAdds, transcendentals, type Probe } from "../support/probes.ts";
import { percent, table } from "../support/report.mjs";
import { CURVES, prepareCell, type CellShape } from "./cell_runs.ts";

const SHAPES: CellShape[] = [
  { cell: "lstm", H: 64, T: 1, B: 1 },
  { cell: "lstm", H: 128, T: 100, B: 1 },
  { cell: "lstm", H: 128, T: 20, B: 32 },
  { cell: "lstm", H: 50, T: 10, B: 32 },
  { cell: "gru_reset_after", H: 64, T: 1, B: 1 },
  { cell: "gru_reset_after", H: 128, T: 100, B: 1 },
  { cell: "gru_reset_after", H: 128, T: 20, B: 32 },
  { cell: "gru_reset_before", H: 128, T: 100, B: 1 },
  { cell: "gru_reset_before", H: 128, T: 20, B: 32 },
  { cell: "simple_rnn", H: 128, T: 100, B: 1 },
];

interface Row {
  name: string;
  /** Microseconds. */
  time: number;
  /** Billions of multiply-adds per second. */
  rate: number;
  ceiling: number;
  bound: number;
}

function measure(build: Build, shape: CellShape, madds: Probe): Row[] {
  const box = new Sandbox(build);
  const curves = transcendentals(box);
  const run = prepareCell(box, shape);
  const { cell, H, T, B } = shape;
  const units = T * B * H;
  const passes = [
    ["step", 0],
    ["forward", 0],
    ["forward, kept", 0],
    ["backward", 1],
  ] as const;
  const chosen = passes.filter(
    ([pass]) => (T === 1) === (pass === "step") && !(cell === "simple_rnn" && pass === "forward, kept"),
  );
  return chosen.map(([pass, direction]) => {
    const restore = direction ? run.restoreGates : run.restore;
    const work = direction ? run.backward : () => run.forward(pass === "forward, kept" ? 1 : 0);
    const [whole, copy, madd, curve] = fastest([
      () => {
        restore();
        work();
      },
      restore,
      madds.run,
      curves.run,
    ]);
    const time = whole - copy;
    const products = (units * GATES[cell] * H * madd) / madds.work;
    const gates = (units * CURVES[cell][direction] * curve) / curves.work;
    return {
      name: `${cell} ${H}, T ${T}, B ${B}, ${pass}`,
      time: time * 1e6,
      rate: (units * GATES[cell] * H) / time / 1e9,
      ceiling: products / time,
      bound: (products + gates) / time,
    };
  });
}

const { values } = parseArgs({
  options: {
    builds: { type: "string", default: wasmBuilds.filter((build) => build !== "check").join() },
    json: { type: "boolean", default: false },
  },
});

for (const build of values.builds.split(",") as Build[]) {
  const madds = multiplyAdds(ceilingModule(build));
  const rows = SHAPES.flatMap((shape) => measure(build, shape, madds));
  if (values.json) {
    console.log(JSON.stringify({ engine: process.version, build, rows }));
    continue;
  }
  console.log(`${process.version} ${build}`);
  console.log(
    table(
      ["case", "µs", "G/s", "of the ceiling", "of the bound"],
      rows.map(({ name, time, rate, ceiling, bound }) => [
        name,
        time.toFixed(2),
        rate.toFixed(1),
        percent(ceiling),
        percent(bound),
      ]),
    ),
  );
}
