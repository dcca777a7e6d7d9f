/** `npm run bench [-- --quick] [name …]`: times the workloads, prints ratios, writes JSON, fails below a floor. */
import { readFileSync } from "node:fs";
import { BoundProbes, shareOfBound } from "../support/bound.ts";
import { BUILD } from "../support/build.ts";
import { QUICK, THOROUGH, compare, type Contender, type Timing } from "../support/measure.ts";
import { percent, time, writeResult } from "../support/report.mjs";
import { kernels } from "./kernels.ts";
import { models } from "./models.ts";
import type { Workload } from "./workload.ts";

const workloads = [...kernels, ...models];

/** Least ratios to other contenders, and least shares of the bound by build. */
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
  /** Time of each other contender over ours. */
  readonly ratios: Record<string, number>;
  /** The share of the bound that is reached. */
  readonly bound?: number;
  readonly floors: readonly Floor[];
}

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const effort = isQuick ? QUICK : THOROUGH;
const wanted = args.filter((arg) => !arg.startsWith("--"));

/** A floor that is missed is tried again this often: other load on the machine only makes a result worse. */
const ATTEMPTS = 3;

/** The share of the bound; the best of several attempts if it is below the floor. */
function share(run: Contender["run"], probes: BoundProbes, floor = 0): number {
  let best = 0;
  for (let attempt = 0; attempt < ATTEMPTS && (attempt === 0 || best < floor); attempt++) {
    best = Math.max(best, shareOfBound(run, probes, { rounds: isQuick ? 40 : 100, warmUp: isQuick ? 50 : 200 }));
  }
  return best;
}

function ratiosOf([ours, ...others]: readonly Timing[], { elsewhere }: Workload): Record<string, number> {
  const ratios = Object.fromEntries(others.map((other) => [other.name, other.median / ours.median]));
  // `elsewhere` was not slowed down by the load of this run, so compare it with our fastest run
  if (elsewhere) ratios[elsewhere.name] = elsewhere.seconds / ours.min;
  return ratios;
}

/** Times a workload, and times it again if a floor is missed. */
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

function print({ work }: Workload, { name, timings: [ours], ratios, bound, floors: held }: Row): void {
  const rate = work === undefined ? "" : ` (${(work / ours.median / 1e9).toFixed(1)} G multiply-adds/s)`;
  const others = Object.entries(ratios).map(([other, ratio]) => `${ratio.toFixed(1)}× ${other}`);
  const ofBound = bound === undefined ? "" : `, ${percent(bound)} of the bound`;
  const below = held
    .filter((floor) => !isHeld(floor))
    .map(({ of, atLeast, got }) => `  BELOW the floor of ${atLeast} ${of}: ${got.toFixed(2)}`);
  const ourTime = time(ours.median).padStart(8);
  console.log(`${name.padEnd(30)} ${ourTime}${rate}: ${others.join(", ")}${ofBound}${below.join("")}`);
}

const chosen = workloads.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

console.log(
  `${process.version} on ${process.arch}, ${BUILD}; medians; "n× plain": plain JavaScript takes n times as long`,
);
const rows = chosen.map((workload) => {
  const result = measure(workload);
  print(workload, result);
  return result;
});
writeResult("bench", { node: process.version, arch: process.arch, build: BUILD, rows });

const all = rows.flatMap((row) => row.floors);
const below = all.filter((floor) => !isHeld(floor)).length;
console.log(`${all.length - below} passed, ${below} failed`);
process.exitCode = below > 0 ? 1 : 0;
