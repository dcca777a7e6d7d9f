// node bench/latency.mjs [--steps N] [--units H] [--node PATH]: how long single stream steps of an LSTM take, as a distribution, beside
// ONNX Runtime Web (when bench/peers is installed) and the clock alone. Prints Markdown, writes build/latency.json.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "../scripts/prepare.mjs";
import { Peer } from "./peers/peer.mjs";
import { STREAMED, frameOf, weightsOf } from "./peers/workloads.mjs";

const { values: given } = parseArgs({
  options: {
    steps: { type: "string", default: "1000000" },
    units: { type: "string", default: "64" },
    node: { type: "string", default: process.execPath },
  },
});
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
prepare();

/** Contenders take turns of this many steps. */
const TURN = 50000;
const turns = Math.max(1, Math.round(Number(given.steps) / TURN));

const H = Number(given.units);
const workload = {
  kind: "stream",
  name: `LSTM ${H}→${H}`,
  B: 1,
  T: 1,
  features: H,
  layers: [{ type: "lstm", units: H, sequences: true }],
};
const job = {
  workload,
  weights: weightsOf(workload),
  frames: Array.from({ length: STREAMED }, (_, i) => frameOf(workload, i)),
};

const contenders = [];
for (const name of ["gatewise", "ort_web", "clock"]) {
  if (name === "ort_web" && !existsSync("bench/peers/node_modules")) {
    console.error(
      "ONNX Runtime Web: skipped, bench/peers is not installed (npm ci --ignore-scripts --prefix bench/peers)",
    );
    continue;
  }
  const peer = new Peer(given.node, ["--expose-gc", "--import", "tsx", "bench/peers/worker.mjs", name]);
  const answers = [await peer.ask("init"), await peer.ask("prepare", job), await peer.ask("warmUp", { seconds: 2 })];
  const error = answers.find((answer) => answer.error ?? answer.refused);
  if (error) throw new Error(`${name}: ${error.error ?? error.refused}`);
  contenders.push({ peer, name: answers[0].name, all: new Float32Array(turns * TURN) });
}

for (let turn = 0; turn < turns; turn++) {
  for (const contender of contenders) {
    const { microseconds, error } = await contender.peer.ask("latencies", { steps: TURN });
    if (error) throw new Error(`${contender.name}: ${error}`);
    contender.all.set(microseconds, turn * TURN);
  }
}
for (const contender of contenders)
  Object.assign(contender, await contender.peer.ask("collections", { steps: turns * TURN }));
contenders.forEach(({ peer }) => peer.end());

const rows = contenders.map(({ name, all, collections, longest }) => {
  const sorted = all.sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return {
    name,
    steps: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    max: sorted.at(-1),
    collections,
    longestCollection: longest,
  };
});

const node = spawnSync(given.node, ["--version"], { encoding: "utf8" }).stdout.trim();
mkdirSync("build", { recursive: true });
writeFileSync(
  "build/latency.json",
  `${JSON.stringify({ node, processor: cpus()[0]?.model.trim(), load: loadavg()[0], workload: workload.name, rows }, null, 2)}\n`,
);

const microseconds = (value) => (value >= 1000 ? `${(value / 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} µs`);
console.log(
  `${node}, ${cpus()[0]?.model.trim()}, load ${loadavg()[0].toFixed(1)}; ${workload.name}, ${rows[0].steps} steps each, in turns of ${TURN}\n`,
);
console.log(
  "| one step | p50 | p99 | p99.9 | maximum | garbage collections in as many steps without a clock | the longest |\n|---|---|---|---|---|---|---|",
);
for (const { name, p50, p99, p999, max, collections, longestCollection } of rows) {
  console.log(
    `| ${name} | ${[p50, p99, p999, max].map(microseconds).join(" | ")} | ${collections} | ${collections > 0 ? `${longestCollection.toPrecision(2)} ms` : "–"} |`,
  );
}
