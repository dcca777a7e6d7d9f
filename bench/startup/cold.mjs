// node bench/startup/cold.mjs [--rounds N] [--install]
//
// Milliseconds from the import to the first result, in fresh processes of every engine found and in fresh pages of
// Chromium: an LSTM(32) → Dense(1) that was exported (`gatewise/exported`) or saved (`gatewise/infer`) predicts;
// `gatewise` makes it, trains one batch and predicts. Rounds alternate. Prints Markdown, writes build/cold.json.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "../../scripts/prepare.mjs";
import { inChromium, pageOf, post, serve } from "../support/browsers.mjs";
import { machine, median, table, writeResult } from "../support/report.mjs";
import { findChromium, runtimes } from "../support/runtimes.mjs";

/** Browsers start slowly, so they have fewer rounds than processes. */
const BROWSER_ROUNDS = 5;

const { values: given } = parseArgs({
  options: { rounds: { type: "string", default: "21" }, install: { type: "boolean", default: false } },
});
const rounds = Number(given.rounds);
prepare();

const { layers, sequential } = await import("../../dist/index.js");
const model = sequential([layers.lstm({ units: 32 }), layers.dense({ units: 1 })], { inputShape: [null, 8], seed: 1 });
const files = { "gatewise/exported": model.export({ predict: [1, 10, 8] }), "gatewise/infer": model.save() };
model.dispose();

const PREDICT = `first = model.predict({ data: new Float32Array(80), shape: [1, 10, 8] }).data[0];`;

/** The code that is timed, by entry; `dist` is the path of the folder of that name. */
const PROGRAMS = {
  "gatewise/exported": (dist) => `
    const { loadExported } = await import("${dist}/exported.js");
    const model = loadExported(bytes);
    ${PREDICT}`,
  "gatewise/infer": (dist) => `
    const { loadModel } = await import("${dist}/infer.js");
    const model = loadModel(bytes);
    ${PREDICT}`,
  gatewise: (dist) => `
    const { layers, sequential } = await import("${dist}/index.js");
    const model = sequential([layers.lstm({ units: 32 }), layers.dense({ units: 1 })], {
      inputShape: [null, 8],
      seed: 1,
    });
    model.compile({ optimizer: "adam", loss: "mse" });
    model.trainOnBatch(
      { data: new Float32Array(8 * 80), shape: [8, 10, 8] },
      { data: new Float32Array(8), shape: [8, 1] },
    );
    ${PREDICT}`,
};
const ENTRIES = Object.keys(PROGRAMS);

/** A program that times an entry and runs `report`, which finds `milliseconds`. */
const programOf = (entry, dist, report) => `
const base64 = "${Buffer.from(files[entry] ?? []).toString("base64")}";
const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
let first;
const start = performance.now();
${PROGRAMS[entry](dist)}
const milliseconds = performance.now() - start;
if (!Number.isFinite(first)) throw new Error("no result");
${report}`;

/** An entry in every runtime found. */
function inRuntimes(entry, i) {
  const file = `build/cold/${i}.mjs`;
  writeFileSync(file, programOf(entry, pathToFileURL("dist").href, "console.log(milliseconds);"));
  return runtimes(given).map(({ name, version, command: [tool, ...args] }) => ({
    entry,
    engine: name.startsWith("Node") ? name : `${name} ${version}`,
    times: [],
    rounds,
    run() {
      const { status, stdout, stderr } = spawnSync(tool, [...args, file], { encoding: "utf8" });
      if (status !== 0) throw new Error(`${name}, ${entry}: ${stderr}`);
      return Number(stdout);
    },
  }));
}

/** An entry in Chromium, if it is installed. */
function inBrowser(entry, i, server) {
  const executable = findChromium();
  if (!executable) return [];
  return [
    {
      entry,
      engine: "Chromium",
      times: [],
      rounds: Math.min(rounds, BROWSER_ROUNDS),
      async run() {
        const { version, value } = await inChromium(executable, server, `/${i}.html`, 60);
        if (!value) throw new Error(`Chromium, ${entry}: expected a result within a minute, got none`);
        this.engine = `Chromium ${version}`;
        return value.milliseconds;
      },
    },
  ];
}

mkdirSync("build/cold", { recursive: true });
const server = await serve(
  Object.fromEntries(
    ENTRIES.flatMap((entry, i) => [
      [`/${i}.html`, pageOf(`/${i}.js`)],
      [`/${i}.js`, programOf(entry, "/dist", post("milliseconds"))],
    ]),
  ),
);
const contenders = ENTRIES.flatMap((entry, i) => [...inRuntimes(entry, i), ...inBrowser(entry, i, server)]);
for (let round = 0; round < rounds; round++) {
  for (const contender of contenders) {
    if (round < contender.rounds) contender.times.push(await contender.run());
  }
}
server.close();

const { processor, load } = machine();
const rows = contenders.map(({ entry, engine, times }) => ({
  entry,
  engine,
  median: median(times),
  fastest: Math.min(...times),
}));
writeResult("cold", { processor, load, rows });
console.log(`${processor}, load ${load.toFixed(1)}`);
console.log(`medians of ${rounds} fresh processes (Chromium: of ${BROWSER_ROUNDS} fresh browsers)\n`);
const engines = [...new Set(rows.map(({ engine }) => engine))];
const medianOf = (entry, engine) => rows.find((row) => row.entry === entry && row.engine === engine).median.toFixed(1);
console.log(
  table(
    ["ms", ...engines],
    ENTRIES.map((entry) => [entry, ...engines.map((engine) => medianOf(entry, engine))]),
  ),
);
