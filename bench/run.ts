/** `npm run bench [-- --quick] [name …]`: times the workloads, prints ratios, writes JSON, and fails below a floor. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { QUICK, THOROUGH, compare, type Timing } from "./measure.ts";
import { workloads, type Workload } from "./workloads.ts";

interface Floor {
  readonly over: string;
  readonly atLeast: number;
}

const floors = JSON.parse(readFileSync(new URL("floors.json", import.meta.url), "utf8")) as Record<string, Floor>;

interface Row {
  readonly name: string;
  readonly timings: readonly Timing[];
  /** How many times as long the others take. */
  readonly ratios: Record<string, number>;
  readonly floor?: Floor & { readonly held: boolean };
}

function row({ name, elsewhere }: Workload, timings: readonly Timing[]): Row {
  const [ours, ...others] = timings;
  const ratios = Object.fromEntries(others.map((other) => [other.name, other.median / ours.median]));
  // what was not timed in this run did not share its load: the quickest of ours is the fair one beside it
  if (elsewhere) ratios[elsewhere.name] = elsewhere.seconds / ours.min;
  const floor = floors[name];
  return { name, timings, ratios, ...(floor ? { floor: { ...floor, held: ratios[floor.over] >= floor.atLeast } } : {}) };
}

const time = (seconds: number): string =>
  (seconds >= 1e-3 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${(seconds * 1e6).toPrecision(3)} µs`);

function print({ name, work }: Workload, { timings, ratios, floor }: Row): void {
  const [ours] = timings;
  const rate = work === undefined ? "" : ` (${(work / ours.median / 1e9).toFixed(1)} G multiply-adds/s)`;
  const times = Object.entries(ratios).map(([other, ratio]) => `${ratio.toFixed(1)}× ${other}`).join(", ");
  const verdict = floor ? (floor.held ? `  floor ${floor.atLeast}× held` : `  BELOW the floor of ${floor.atLeast}× ${floor.over}`) : "";
  console.log(`${name.padEnd(30)} ${time(ours.median).padStart(8)}${rate}: ${times}${verdict}`);
}

const args = process.argv.slice(2);
const effort = args.includes("--quick") ? QUICK : THOROUGH;
const wanted = args.filter((arg) => !arg.startsWith("--"));
const chosen = workloads.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

console.log(`${process.version} on ${process.arch}; medians; "n× plain" means that plain JavaScript takes n times as long`);
const rows = chosen.map((workload) => {
  const result = row(workload, compare(workload.contenders(), effort));
  print(workload, result);
  return result;
});
mkdirSync("build", { recursive: true });
writeFileSync("build/bench.json", `${JSON.stringify({ node: process.version, arch: process.arch, rows }, null, 2)}\n`);

const held = rows.filter(({ floor }) => floor?.held).length;
const below = rows.filter(({ floor }) => floor && !floor.held).length;
console.log(`${held} passed, ${below} failed`);
process.exitCode = below > 0 ? 1 : 0;
