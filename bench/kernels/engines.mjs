// node bench/kernels/engines.mjs [--install] [--rounds N] [--only name,name]
//
// Every family of kernels in every engine found, as a share of that engine's own ceiling.
// Prints Markdown, writes build/engines.json. --install fetches the engines that npm has.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildSync } from "esbuild";
import { prepare } from "../../scripts/prepare.mjs";
import { inChromium, inFirefox, pageOf, post, serve } from "../support/browsers.mjs";
import { ceilingBytes } from "../support/ceiling.mjs";
import { machine, percent, table, writeResult } from "../support/report.mjs";
import { findChromium, findFirefox, runtimes } from "../support/runtimes.mjs";

const { values: given } = parseArgs({
  options: {
    install: { type: "boolean", default: false },
    rounds: { type: "string", default: "60" },
    only: { type: "string", default: "" },
  },
});
prepare();

const BUILDS = ["simd", "relaxed"];

/**
 * The one script that every engine runs, with the modules in it.
 *
 * @param report  code that reports `results`
 */
function script(report) {
  const modules = BUILDS.map((build) => ({
    build,
    kernels: readFileSync(`build/wasm/${build}.wasm`).toString("base64"),
    ceiling: ceilingBytes(build).toString("base64"),
  }));
  return buildSync({
    stdin: {
      contents: `
        import { measureEngine } from "./bench/kernels/engine_cases.ts";
        const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const moduleOf = (text) => new WebAssembly.Module(bytesOf(text));
        const results = {};
        for (const { build, kernels, ceiling } of ${JSON.stringify(modules)}) {
          if (!WebAssembly.validate(bytesOf(kernels))) continue;
          results[build] = measureEngine(moduleOf(kernels), moduleOf(ceiling), ${Number(given.rounds)});
        }
        ${report}`,
      resolveDir: ".",
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  }).outputFiles[0].text;
}

function inRuntimes(file) {
  return runtimes(given).map(({ name, version, command: [program, ...args] }) => ({
    name,
    run() {
      const { status, stdout, stderr } = spawnSync(program, [...args, file], { encoding: "utf8", maxBuffer: 2 ** 26 });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      return { name, version, results: JSON.parse(stdout) };
    },
  }));
}

function inBrowsers(server) {
  const browsers = [
    ["Chromium", findChromium(), inChromium],
    ["Firefox", findFirefox(), inFirefox],
  ];
  return browsers
    .filter(([, path]) => path !== undefined)
    .map(([name, path, open]) => ({
      name,
      async run() {
        const { version, value } = await open(path, server, "/page.html", 600);
        if (value === undefined) throw new Error(`${name}: expected a result within ten minutes, got none`);
        return { name, version, results: value.results };
      },
    }));
}

/** A share of the ceiling, and in brackets of the bound where that differs; or the time of a value. */
function cell({ ceiling, bound, each }) {
  if (each !== undefined) return `${each.toFixed(2)} ns`;
  return bound - ceiling < 0.005 ? percent(ceiling) : `${percent(ceiling)} (${percent(bound)})`;
}

/** A row per kernel, a column per engine. */
function engineTable(engines, build) {
  const those = engines.filter(({ results }) => results[build]);
  const names = those.map(({ name, version }) => (name.startsWith("Node") ? name : `${name} ${version}`));
  const kernels = those[0].results[build].rows.map(({ name }) => name);
  return table(
    [build, ...names],
    [
      ["ceiling, G multiply-adds/s", ...those.map(({ results }) => results[build].ceiling.toFixed(1))],
      ...kernels.map((name, i) => [name, ...those.map(({ results }) => cell(results[build].rows[i]))]),
    ],
  );
}

mkdirSync("build", { recursive: true });
writeFileSync("build/engine.mjs", script("console.log(JSON.stringify(results));"));
const server = await serve({ "/page.html": pageOf("/page.js"), "/page.js": script(post("results")) });
const isChosen = ({ name }) =>
  given.only === "" || given.only.split(",").some((part) => name.toLowerCase().includes(part.toLowerCase()));
const engines = [];
for (const { name, run } of [...inRuntimes("build/engine.mjs"), ...inBrowsers(server)].filter(isChosen)) {
  console.error(name);
  engines.push(await run());
}
server.close();
const { processor, cores, load } = machine();
writeResult("engines", { processor, cores, load, engines });
console.log(`${processor}, load ${load.toFixed(1)}\n`);
for (const build of BUILDS.filter((each) => engines.some(({ results }) => results[each]))) {
  console.log(`${engineTable(engines, build)}\n`);
}
