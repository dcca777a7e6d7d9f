// node bench/realtime/latency.mjs [--steps N] [--units H] [--node PATH]
//
// The distribution of the time of single stream steps of an LSTM, beside ONNX Runtime Web (if bench/peers is installed)
// and an empty function. Prints Markdown, writes build/latency.json.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { prepare } from "../../scripts/prepare.mjs";
import { Peer } from "../peers/peer.mjs";
import { STREAMED, frameOf, stream, lstm, weightsOf } from "../peers/workloads.mjs";
import { machine, table, time, writeResult } from "../support/report.mjs";

const { values: given } = parseArgs({
  options: {
    steps: { type: "string", default: "1000000" },
    units: { type: "string", default: "64" },
    node: { type: "string", default: process.execPath },
  },
});
prepare();

/** Steps of a contender before the next one runs. */
const SLICE = 50000;
const slices = Math.max(1, Math.round(Number(given.steps) / SLICE));

const H = Number(given.units);
const workload = stream(`LSTM ${H}→${H}`, H, [lstm(H)]);
const job = {
  workload,
  weights: weightsOf(workload),
  frames: Array.from({ length: STREAMED }, (_, i) => frameOf(workload, i)),
};

/** A library in a process of its own, warmed up. */
async function start(library) {
  const peer = new Peer(given.node, ["--expose-gc", "--import", "tsx", "bench/peers/worker.mjs", library]);
  const answers = [await peer.ask("init"), await peer.ask("prepare", job), await peer.ask("warmUp", { seconds: 2 })];
  const failed = answers.find(({ error, refused }) => error ?? refused);
  if (failed) throw new Error(`${library}: ${failed.error ?? failed.refused}`);
  return { peer, name: answers[0].name, microseconds: new Float32Array(slices * SLICE) };
}

/** Asks a peer; throws if it answers with an error. */
async function ask({ peer, name }, op, message) {
  const answer = await peer.ask(op, message);
  if (answer.error) throw new Error(`${name}: ${answer.error}`);
  return answer;
}

const libraries = ["gatewise", "ort_web", "clock"].filter((name) => {
  const isInstalled = name !== "ort_web" || existsSync("bench/peers/node_modules");
  if (!isInstalled) {
    console.error("ONNX Runtime Web: skipped, install it with npm ci --ignore-scripts --prefix bench/peers");
  }
  return isInstalled;
});
const contenders = [];
for (const library of libraries) contenders.push(await start(library));

for (let slice = 0; slice < slices; slice++) {
  for (const contender of contenders) {
    const { microseconds } = await ask(contender, "latencies", { steps: SLICE });
    contender.microseconds.set(microseconds, slice * SLICE);
  }
}

const rows = [];
for (const contender of contenders) {
  const { collections, longest } = await ask(contender, "collections", { steps: slices * SLICE });
  const sorted = contender.microseconds.sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  rows.push({
    name: contender.name,
    steps: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    max: sorted.at(-1),
    collections,
    longestCollection: longest,
  });
  contender.peer.end();
}

const node = spawnSync(given.node, ["--version"], { encoding: "utf8" }).stdout.trim();
const { processor, load } = machine();
writeResult("latency", { node, processor, load, workload: workload.name, rows });

console.log(
  `${node}, ${processor}, load ${load.toFixed(1)}; ${workload.name}, ${rows[0].steps} steps each, ${SLICE} at a time\n`,
);
console.log(
  table(
    [
      "one step",
      "p50",
      "p99",
      "p99.9",
      "maximum",
      "garbage collections in as many steps without a clock",
      "the longest",
    ],
    rows.map(({ name, p50, p99, p999, max, collections, longestCollection }) => [
      name,
      ...[p50, p99, p999, max].map((microseconds) => time(microseconds / 1e6)),
      collections,
      collections > 0 ? `${longestCollection.toPrecision(2)} ms` : "–",
    ]),
  ),
);
