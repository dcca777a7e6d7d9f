// node bench/realtime/worklet.mjs [--seconds N] [--rounds N]
//
// Models inside an AudioWorklet of Chromium: their share of real time, from offline renderings, and late blocks while
// sound plays. Prints Markdown, writes build/realtime.json.
import { parseArgs } from "node:util";
import { prepare } from "../../scripts/prepare.mjs";
import { inChromium, pageOf, serve } from "../support/browsers.mjs";
import { machine, table, writeResult } from "../support/report.mjs";
import { findChromium } from "../support/runtimes.mjs";

const { values: given } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, rounds: { type: "string", default: "7" } },
});
const [seconds, rounds] = [Number(given.seconds), Number(given.rounds)];
prepare();

const executable = findChromium();
if (!executable) throw new Error("realtime: expected Chromium to be installed, found none");
const server = await serve({
  "/page.html": pageOf("/bench/realtime/page.js", `data-options='${JSON.stringify({ seconds, rounds })}'`),
});
const { version, value } = await inChromium(executable, server, "/page.html", 120 + 2 * seconds + 60 * rounds);
server.close();
if (!value) throw new Error("realtime: expected a result from the page, got none");
const { results } = value;

const { processor, load } = machine();
writeResult("realtime", { processor, load, chromium: version, results });

const share = (value) => `${(value * 100).toPrecision(2)} %`;
console.log(
  `Chromium ${version}, ${processor}, load ${load.toFixed(1)}; shares are medians of ${rounds} renderings of 10 s\n`,
);
console.log(
  table(
    [
      "model",
      "share of real time, with the engine's own",
      "the model alone",
      "played",
      "blocks more than 100 ms late",
      "latest block",
      "drop-outs",
      "drop-outs of an empty worklet beside it",
    ],
    results.map(({ name, share: whole, empty, played, control }) => [
      `${name} (${played.build})`,
      share(whole),
      share(whole - empty),
      `${played.wall.toFixed(0)} s, ${played.blocks} blocks`,
      played.late,
      `${played.worst.toFixed(0)} ms`,
      played.underruns ?? "unknown",
      control.underruns ?? "unknown",
    ]),
  ),
);
