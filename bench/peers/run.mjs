// node bench/peers/run.mjs [--quick] [--node PATH] [--python PATH] [--only part,part] [--peers name,name] [--rounds N]
//
// Times gatewise beside other libraries, each in a process of its own, alternating in rounds: the same weights, outputs
// compared first. Prints Markdown, writes build/peers.json and build/peers.md.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { npm } from "../../scripts/files.mjs";
import { prepare } from "../../scripts/prepare.mjs";
import { machine, median, writeResult } from "../support/report.mjs";
import { contendersOf } from "./contenders.mjs";
import { Peer } from "./peer.mjs";
import { markdown } from "./report.mjs";
import { STREAMED, TRAINED, WORKLOADS, frameOf, inputOf, targetOf, weightsOf } from "./workloads.mjs";

const { values: given } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    node: { type: "string", default: process.execPath },
    python: { type: "string", default: "python3" },
    only: { type: "string", default: "" },
    peers: { type: "string", default: "" },
    rounds: { type: "string", default: "15" },
  },
});

/** Rounds, seconds of a library in a round, seconds of its warm-up. */
const EFFORT = given.quick
  ? { rounds: 3, seconds: 0.05, warmUp: 0.2 }
  : { rounds: Number(given.rounds), seconds: 0.15, warmUp: 1 };
/** A library whose call takes longer than these seconds has fewer rounds. */
const SLOW = 0.5;
const SLOW_ROUNDS = given.quick ? 1 : 3;

/** Largest difference of outputs, relative to the largest output or to 1. int8 is reported, but not held to it. */
const TOLERANCE = 1e-4;

function jobOf(workload) {
  return {
    workload,
    weights: weightsOf(workload),
    updates: TRAINED,
    ...(workload.kind === "stream"
      ? { frames: Array.from({ length: STREAMED }, (_, i) => frameOf(workload, i)) }
      : { x: inputOf(workload) }),
    ...(workload.kind === "train" ? { y: targetOf(workload) } : {}),
  };
}

function difference(a, b) {
  if (a.length !== b.length) return Infinity;
  let [worst, largest] = [0, 1];
  a.forEach((value, i) => {
    worst = Math.max(worst, Number.isFinite(value) ? Math.abs(value - b[i]) : Infinity);
    largest = Math.max(largest, Math.abs(b[i]));
  });
  return worst / largest;
}

/** Prepares every contender and compares its outputs with ours. */
async function prepareAll(contenders, workload) {
  const [ours] = contenders;
  const outputs = new Map();
  const resultOf = async (variant) => {
    const key = JSON.stringify(variant);
    if (!outputs.has(key)) outputs.set(key, await ours.peer.ask("prepare", jobOf(variant)));
    return outputs.get(key);
  };
  const entries = [];
  for (const contender of contenders) {
    if (contender.kinds && !contender.kinds.includes(workload.kind)) continue;
    const variant = contender.variant?.(workload) ?? workload;
    const expected = await resultOf(variant);
    if (expected.error) throw new Error(`gatewise: ${workload.name}: ${expected.error}`);
    const answer = contender === ours ? expected : await contender.peer.ask("prepare", jobOf(variant));
    if (answer.refused) entries.push({ contender, note: answer.refused });
    else if (answer.error) entries.push({ contender, note: `failed: ${answer.error}`, failed: true });
    else {
      const error = contender.isBound ? 0 : difference(answer.outputs, expected.outputs);
      const differs = error > TOLERANCE && !contender.isRounded;
      entries.push({
        contender,
        error,
        ...(differs ? { note: `differs by ${error.toExponential(1)}`, failed: true } : {}),
      });
    }
  }
  await ours.peer.ask("prepare", jobOf(workload)); // a variant may have replaced it
  return entries;
}

/** Times all contenders in rounds, each of which starts with another contender. */
async function measure(entries) {
  const running = entries.filter(({ note }) => note === undefined);
  for (const entry of running) {
    const { seconds, error } = await entry.contender.peer.ask("warmUp", { seconds: EFFORT.warmUp });
    Object.assign(
      entry,
      { times: [], products: [], fastest: Infinity, rounds: seconds > SLOW ? SLOW_ROUNDS : EFFORT.rounds },
      error ? { note: `failed: ${error}`, failed: true, rounds: 0 } : {},
    );
  }
  for (let round = 0; round < EFFORT.rounds; round++) {
    for (let k = 0; k < running.length; k++) {
      const entry = running[(k + round) % running.length];
      if (round >= entry.rounds) continue;
      const {
        seconds,
        fastest = seconds,
        products,
      } = await entry.contender.peer.ask("time", { seconds: EFFORT.seconds });
      entry.times.push(seconds);
      entry.fastest = Math.min(entry.fastest, fastest);
      if (products !== undefined) entry.products.push(products);
    }
  }
}

/** The median of the ratios within rounds, since contenders of a round share the load of the machine. */
const ratioTo = (ours, times) => median(times.slice(0, ours.length).map((seconds, round) => seconds / ours[round]));

function rowOf(group, workload, entries) {
  const [{ times: ours }] = entries;
  const results = Object.fromEntries(
    entries.map(({ contender: { key }, note, error, times = [], products = [], fastest }) => [
      key,
      note !== undefined
        ? { note }
        : {
            seconds: median(times),
            ratio: ratioTo(ours, times),
            fastest,
            difference: error,
            ...(products.length > 0 ? { products: Math.min(...products) } : {}),
          },
    ]),
  );
  return { group, name: workload.name, kind: workload.kind, results };
}

/** Starts the contenders that can run here. */
async function start() {
  const contenders = contendersOf(given).filter(
    ({ key }) => given.peers === "" || key === "ours" || given.peers.split(",").includes(key),
  );
  const skipped = [];
  const ready = [];
  for (const contender of contenders) {
    const peer = new Peer(...contender.command);
    const { name, refused, error } = await peer.ask("init");
    if (name) ready.push({ ...contender, peer, name });
    else {
      if (contender.key === "ours") throw new Error(`gatewise: ${error}`);
      skipped.push({ key: contender.key, why: refused ?? error.trim().split("\n").at(-1) });
      peer.end();
    }
  }
  return { ready, skipped };
}

prepare();
if (!existsSync("bench/peers/node_modules")) {
  console.error("installing the libraries to compare with (bench/peers) …");
  npm(["ci", "--ignore-scripts", "--prefix", "bench/peers"]);
}

const { ready, skipped } = await start();
const isChosen = (name) => given.only === "" || given.only.split(",").some((part) => name.includes(part));
const chosen = Object.entries(WORKLOADS)
  .flatMap(([group, workloads]) => workloads.map((workload) => ({ group, workload })))
  .filter(({ group, workload }) => isChosen(`${group} ${workload.name}`));
const rows = [];
for (const { group, workload } of chosen) {
  const entries = await prepareAll(ready, workload);
  await measure(entries);
  for (const { contender, note, failed } of entries) {
    if (!failed) continue;
    process.exitCode = 1;
    console.error(`${workload.name}: ${contender.name} ${note}`);
  }
  rows.push(rowOf(group, workload, entries));
  console.error(`${group}: ${workload.name}`);
}
ready.forEach(({ peer }) => peer.end());

const report = {
  node: spawnSync(given.node, ["--version"], { encoding: "utf8" }).stdout.trim(),
  ...machine(),
  quick: given.quick,
  rounds: EFFORT.rounds,
  names: Object.fromEntries(ready.map(({ key, name }) => [key, name])),
  skipped,
  rows,
};
writeResult("peers", report);
writeFileSync("build/peers.md", markdown(report));
console.log(markdown(report));
