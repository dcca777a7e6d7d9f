// node bench/realtime.mjs [--seconds N] [--rounds N]: models inside an AudioWorklet of Chromium. How much of the time that sound lasts they
// take, from renderings faster than real time, and whether blocks come late in some seconds of real time. Writes build/realtime.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "../scripts/prepare.mjs";
import { inChromium, serve } from "./browsers.mjs";
import { findChromium } from "./runtimes.mjs";

const { values: given } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, rounds: { type: "string", default: "7" } },
});
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
prepare();

const chromium = findChromium();
if (!chromium) throw new Error("realtime: expected Chromium to be installed, found none");
const options = JSON.stringify({ seconds: Number(given.seconds), rounds: Number(given.rounds) });
const server = await serve({
  "/page.html": `<!doctype html><link rel="icon" href="data:,"><body data-options='${options}'><script type="module" src="/bench/realtime/page.js"></script>`,
});
const { version, value } = await inChromium(
  chromium,
  server,
  "/page.html",
  120 + 2 * Number(given.seconds) + 60 * Number(given.rounds),
);
server.close();
if (!value) throw new Error("realtime: expected a result from the page, got none");

const machine = { processor: cpus()[0]?.model.trim(), load: loadavg()[0], chromium: version };
mkdirSync("build", { recursive: true });
writeFileSync("build/realtime.json", `${JSON.stringify({ ...machine, results: value.results }, null, 2)}\n`);

const percent = (share) => `${(share * 100).toPrecision(2)} %`;
console.log(
  `Chromium ${version}, ${machine.processor}, load ${machine.load.toFixed(1)}; shares are medians of ${given.rounds} renderings of 10 s\n`,
);
console.log(
  "| model | of the time, with the engine's own | the model alone | played | blocks more than 100 ms late | latest block | drop-outs | drop-outs of an empty worklet beside it |\n|---|---|---|---|---|---|---|---|",
);
for (const {
  name,
  share,
  empty,
  played: { blocks, late, worst, wall, build, underruns },
  control,
} of value.results) {
  console.log(
    `| ${name} (${build}) | ${percent(share)} | ${percent(share - empty)} | ${wall.toFixed(0)} s, ${blocks} blocks | ${late} | ${worst.toFixed(0)} ms | ${underruns ?? "not said"} | ${control.underruns ?? "not said"} |`,
  );
}
