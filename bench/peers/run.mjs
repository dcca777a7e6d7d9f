// node bench/peers/run.mjs [--quick] [--node PATH] [--python PATH] [--only part,part] [--peers name,name] [--rounds N]
//
// Times gatewise beside other libraries: the same weights, outputs compared first, each library in a process of its own, rounds
// in which all have a turn. Prints Markdown, writes build/peers.json and build/peers.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
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

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));

/** Rounds, seconds of a turn, seconds before the first. */
const EFFORT = given.quick
  ? { rounds: 3, seconds: 0.05, warmUp: 0.2 }
  : { rounds: Number(given.rounds), seconds: 0.15, warmUp: 1 };
/** A call that takes longer than this many seconds has fewer turns. */
const SLOW = 0.5;
const SLOW_ROUNDS = given.quick ? 1 : 3;

/** Largest difference of outputs, as a share of the largest one or of 1. int8 is compared, but held to nothing. */
const TOLERANCE = 1e-4;

/** TensorFlow.js has one kind of GRU only: it computes that, compared with ours of that kind. */
const withResetBefore = (workload) => ({
  ...workload,
  layers: workload.layers.map((layer) => (layer.type === "gru" ? { ...layer, resetAfter: false } : layer)),
});

/** PyTorch adds epsilon elsewhere than Keras: it is compared with ours in that convention. */
const withTorchOptimizer = (workload) => (workload.kind === "train" ? { ...workload, convention: "torch" } : workload);

const js = (...args) => [given.node, ["--import", "tsx", "bench/peers/worker.mjs", ...args]];
const CONTENDERS = [
  { key: "ours", command: js("gatewise") },
  { key: "bound", command: js("ceiling"), isBound: true },
  { key: "simd", command: js("gatewise", "simd") },
  { key: "threads", command: js("gatewise", "threads-2"), kinds: ["predict", "train"] },
  { key: "int8", command: js("gatewise", "int8-mixed"), isRounded: true, kinds: ["stream", "predict"] },
  { key: "int8-7", command: js("gatewise", "int8-7"), isRounded: true, kinds: ["stream", "predict"] },
  { key: "int8-14", command: js("gatewise", "int8-14"), isRounded: true, kinds: ["stream", "predict"] },
  { key: "ort-web", command: js("ort_web") },
  { key: "ort-native", command: js("ort_native") },
  { key: "torch", command: [given.python, ["bench/peers/torch_peer.py"]], variant: withTorchOptimizer },
  { key: "tfjs-wasm", command: js("tfjs", "wasm"), variant: withResetBefore },
  { key: "tfjs-cpu", command: js("tfjs", "cpu"), variant: withResetBefore },
  { key: "brain", command: js("brain") },
  { key: "naive", command: js("naive") },
];

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

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

/** Prepares every contender and compares it with ours. */
async function prepare(contenders, workload) {
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
  await ours.peer.ask("prepare", jobOf(workload)); // variants have come between
  return entries;
}

/** Seconds of every contender in rounds that take turns; the first to have a turn changes. */
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

/** Ratios are taken within rounds, since rounds share the machine's other load. */
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

const selected = (list, part) => part === "" || list.split(",").some((each) => part.includes(each));

async function start() {
  const contenders = CONTENDERS.filter(
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

if (!existsSync("bench/peers/node_modules")) {
  console.error("installing the libraries to compare with (bench/peers) …");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--prefix", "bench/peers"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}
const { prepare: buildWhatIsStale } = await import("../../scripts/prepare.mjs");
buildWhatIsStale();

const { ready, skipped } = await start();
const rows = [];
let failed = 0;
for (const [group, workloads] of Object.entries(WORKLOADS)) {
  for (const workload of workloads) {
    if (given.only !== "" && !selected(given.only, `${group} ${workload.name}`)) continue;
    const entries = await prepare(ready, workload);
    await measure(entries);
    for (const { contender, note, failed: isFailed } of entries) {
      if (!isFailed) continue;
      failed++;
      console.error(`${workload.name}: ${contender.name} ${note}`);
    }
    rows.push(rowOf(group, workload, entries));
    console.error(`${group}: ${workload.name}`);
  }
}
ready.forEach(({ peer }) => peer.end());

const report = {
  node: spawnSync(given.node, ["--version"], { encoding: "utf8" }).stdout.trim(),
  processor: cpus()[0]?.model.trim(),
  cores: cpus().length,
  load: loadavg()[0],
  quick: given.quick,
  rounds: EFFORT.rounds,
  names: Object.fromEntries(ready.map(({ key, name }) => [key, name])),
  skipped,
  rows,
};
mkdirSync("build", { recursive: true });
writeFileSync("build/peers.json", `${JSON.stringify(report, null, 2)}\n`);
writeFileSync("build/peers.md", markdown(report));
console.log(markdown(report));
process.exitCode = failed > 0 ? 1 : 0;
