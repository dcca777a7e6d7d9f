// node bench/cold.mjs [--rounds N] [--install]: from the import to the first result, in fresh processes of every engine that is here and in
// a fresh Chromium page. A prediction of LSTM(32) → Dense(1) that was exported (`gatewise/exported`) or saved (`gatewise/infer`), and a
// model made, trained by one batch and asked (`gatewise`). Rounds take turns; medians. Prints Markdown, writes build/cold.json.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "../scripts/prepare.mjs";
import { inChromium, serve } from "./browsers.mjs";
import { findChromium, runtimes } from "./runtimes.mjs";

const { values: given } = parseArgs({
  options: { rounds: { type: "string", default: "21" }, install: { type: "boolean", default: false } },
});
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
prepare();

const { layers, sequential } = await import("../dist/index.js");
const model = sequential([layers.lstm({ units: 32 }), layers.dense({ units: 1 })], { inputShape: [null, 8], seed: 1 });
const files = { "gatewise/exported": model.export({ predict: [1, 10, 8] }), "gatewise/infer": model.save() };
model.dispose();

/** What is timed, as text: `at` is where dist lies. */
const PROGRAMS = {
  "gatewise/exported": (at) => `
    const { loadExported } = await import(${JSON.stringify(`${at}/exported.js`)});
    const model = loadExported(bytes);
    first = model.predict({ data: new Float32Array(80), shape: [1, 10, 8] }).data[0];`,
  "gatewise/infer": (at) => `
    const { loadModel } = await import(${JSON.stringify(`${at}/infer.js`)});
    const model = loadModel(bytes);
    first = model.predict({ data: new Float32Array(80), shape: [1, 10, 8] }).data[0];`,
  gatewise: (at) => `
    const { layers, sequential } = await import(${JSON.stringify(`${at}/index.js`)});
    const model = sequential([layers.lstm({ units: 32 }), layers.dense({ units: 1 })], { inputShape: [null, 8], seed: 1 });
    model.compile({ optimizer: "adam", loss: "mse" });
    model.trainOnBatch({ data: new Float32Array(8 * 80), shape: [8, 10, 8] }, { data: new Float32Array(8), shape: [8, 1] });
    first = model.predict({ data: new Float32Array(80), shape: [1, 10, 8] }).data[0];`,
};

const program = (entry, body, report) => `
const bytes = Uint8Array.from(atob(${JSON.stringify(Buffer.from(files[entry] ?? []).toString("base64"))}), (c) => c.charCodeAt(0));
let first;
const start = performance.now();
${body}
const milliseconds = performance.now() - start;
if (!Number.isFinite(first)) throw new Error("no result");
${report}`;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

mkdirSync("build/cold", { recursive: true });
const here = pathToFileURL("dist").href;
const contenders = Object.entries(PROGRAMS).flatMap(([entry, body], i) => {
  const file = `build/cold/${i}.mjs`;
  writeFileSync(file, program(entry, body(here), "console.log(milliseconds);"));
  return runtimes(given).map(({ name, version, command: [tool, ...args] }) => ({
    entry,
    engine: name.startsWith("Node") ? name : `${name} ${version}`,
    times: [],
    run() {
      const { status, stdout, stderr } = spawnSync(tool, [...args, file], { encoding: "utf8" });
      if (status !== 0) throw new Error(`${name}, ${entry}: ${stderr}`);
      return Number(stdout);
    },
  }));
});

const post = `await fetch("/result", { method: "POST", body: JSON.stringify({ milliseconds, userAgent: navigator.userAgent }) });`;
const server = await serve(
  Object.fromEntries(
    Object.entries(PROGRAMS).flatMap(([entry, body], i) => [
      [`/${i}.html`, `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${i}.js"></script>`],
      [`/${i}.js`, program(entry, body("/dist"), post)],
    ]),
  ),
);
const chromium = findChromium();
if (chromium) {
  for (const [i, entry] of Object.keys(PROGRAMS).entries()) {
    contenders.push({
      entry,
      engine: "Chromium",
      times: [],
      rounds: 5,
      async run() {
        const { version, value } = await inChromium(chromium, server, `/${i}.html`, 60);
        if (!value) throw new Error(`Chromium, ${entry}: expected a result within a minute, got none`);
        this.engine = `Chromium ${version}`;
        return value.milliseconds;
      },
    });
  }
}

for (let round = 0; round < Number(given.rounds); round++) {
  for (const contender of contenders)
    if (round < (contender.rounds ?? Infinity)) contender.times.push(await contender.run());
}
server.close();

const machine = { processor: cpus()[0]?.model.trim(), load: loadavg()[0] };
const rows = contenders.map(({ entry, engine, times }) => ({
  entry,
  engine,
  median: median(times),
  fastest: Math.min(...times),
}));
writeFileSync("build/cold.json", `${JSON.stringify({ ...machine, rows }, null, 2)}\n`);
console.log(
  `${machine.processor}, load ${machine.load.toFixed(1)}; medians of ${given.rounds} fresh processes (Chromium: of 5 fresh browsers)\n`,
);
const engines = [...new Set(rows.map(({ engine }) => engine))];
console.log(`| ms | ${engines.join(" | ")} |\n|---|${engines.map(() => "---|").join("")}`);
for (const entry of Object.keys(PROGRAMS))
  console.log(
    `| ${entry} | ${engines.map((engine) => rows.find((row) => row.entry === entry && row.engine === engine).median.toFixed(1)).join(" | ")} |`,
  );
