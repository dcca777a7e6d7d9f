// node bench/engines.mjs [--install] [--rounds N] [--only name,name]: every family of kernels in every engine that is here, as a share of
// what that engine's own probe reaches. Prints Markdown, writes build/engines.json. --install fetches the engines that npm has.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildSync } from "esbuild";
import { prepare } from "../scripts/prepare.mjs";
import { inChromium, inFirefox, serve } from "./browsers.mjs";
import { findChromium, findFirefox, runtimes } from "./runtimes.mjs";

const { values: given } = parseArgs({
  options: {
    install: { type: "boolean", default: false },
    rounds: { type: "string", default: "60" },
    only: { type: "string", default: "" },
  },
});
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
prepare();

const BUILDS = ["simd", "relaxed"];

/** assembly/ceiling.ts, by the compiler that made the kernels. */
function ceiling(build) {
  const outFile = `build/wasm/ceiling-${build}.wasm`;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      "node_modules/assemblyscript/bin/asc.js",
      "assembly/ceiling.ts",
      "--config",
      "asconfig.json",
      "--target",
      build,
      "--outFile",
      outFile,
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`asc: expected assembly/ceiling.ts to compile, got\n${stderr}`);
  return readFileSync(outFile).toString("base64");
}

/** One script for every engine: all it needs is in it. `report` is what it does with its result. */
function script(report) {
  const modules = Object.fromEntries(
    BUILDS.map((build) => [build, [readFileSync(`build/wasm/${build}.wasm`).toString("base64"), ceiling(build)]]),
  );
  return buildSync({
    stdin: {
      contents: `
        import { measureEngine } from "./bench/engine_cases.ts";
        const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const results = {};
        for (const [build, [kernels, ceiling]] of Object.entries(${JSON.stringify(modules)})) {
          if (WebAssembly.validate(bytes(kernels))) results[build] = measureEngine(new WebAssembly.Module(bytes(kernels)), new WebAssembly.Module(bytes(ceiling)), ${Number(given.rounds)});
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

const percent = (share) => `${Math.round(share * 100)} %`;

/** Kernels down, engines across. */
function table(engines, build) {
  const those = engines.filter(({ results }) => results[build]);
  const first = those[0].results[build];
  const head = [build, ...those.map(({ name, version }) => (name.startsWith("Node") ? name : `${name} ${version}`))];
  const cell = ({ ceiling: share, bound, each }) =>
    each === undefined
      ? bound - share < 0.005
        ? percent(share)
        : `${percent(share)} (${percent(bound)})`
      : `${each.toFixed(2)} ns`;
  const lines = first.rows.map(({ name }, i) => [name, ...those.map(({ results }) => cell(results[build].rows[i]))]);
  return [
    head,
    head.map(() => "---"),
    ["ceiling, G multiply-adds/s", ...those.map(({ results }) => results[build].ceiling.toFixed(1))],
    ...lines,
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

mkdirSync("build", { recursive: true });
writeFileSync("build/engine.mjs", script("console.log(JSON.stringify(results));"));
const page = script(
  `await fetch("/result", { method: "POST", body: JSON.stringify({ results, userAgent: navigator.userAgent }) });`,
);
const server = await serve({
  "/page.html": `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`,
  "/page.js": page,
});
const engines = [];
for (const { name, run } of [...inRuntimes("build/engine.mjs"), ...inBrowsers(server)]) {
  if (given.only !== "" && !given.only.split(",").some((part) => name.toLowerCase().includes(part.toLowerCase())))
    continue;
  console.error(name);
  engines.push(await run());
}
server.close();
const machine = { processor: cpus()[0]?.model.trim(), cores: cpus().length, load: loadavg()[0] };
writeFileSync("build/engines.json", `${JSON.stringify({ ...machine, engines }, null, 2)}\n`);
console.log(`${machine.processor}, load ${machine.load.toFixed(1)}\n`);
for (const build of BUILDS.filter((each) => engines.some(({ results }) => results[each])))
  console.log(`${table(engines, build)}\n`);
