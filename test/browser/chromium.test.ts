/** The bundles in a headless Chromium: skipped, by name, where none is installed. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pages, findChromium } from "./support.ts";

const executable = findChromium();
const test = suite("chromium");
let pages: Pages;

function inBrowser(name: string, run: () => Promise<void>): void {
  if (executable === undefined) {
    console.log(`SKIP ${name}: no Chromium is installed`);
    test.skip(name);
  } else {
    test(name, run);
  }
}

test.before(async () => {
  if (executable !== undefined) pages = await Pages.open(executable);
});
test.after(async () => {
  await pages?.close();
});

inBrowser("a page without a build step trains, saves, loads and streams", async () => {
  const result = (await pages.run("train.html")) as {
    build: string;
    losses: number[];
    turns: number;
    bytes: number;
    savedAsTrained: boolean;
    apart: number;
  };
  assert.is(result.build, "relaxed");
  assert.ok(result.losses[1] < result.losses[0] / 10, `losses ${result.losses.join(" → ")}`);
  assert.ok(result.turns > 0, "the page had turns of its own while fit ran");
  assert.ok(result.bytes > 1000);
  assert.ok(result.savedAsTrained);
  assert.ok(result.apart < 1e-6, `step and predict are ${result.apart} apart`);
});

inBrowser("an AudioWorklet plays a model, saved or exported, as the main thread computes it", async () => {
  const result = await pages.run("worklet.html");
  const played = { build: "relaxed", decoder: "undefined", fetch: "undefined", loud: true, different: -1 };
  assert.equal(result, { saved: played, exported: played });
});

inBrowser("two threads in a page that has shared memory and may start workers", async () => {
  const result = await pages.run("threads.html?isolated&workers");
  assert.equal(result, { threads: 2, warnings: [], apart: false, same: true, divided: true });
});

inBrowser("one thread, and a sentence, in pages without either", async () => {
  const said = (got: string) => ({
    threads: 1,
    warnings: [`gatewise: expected to run on 2 threads, got ${got}; running on one`],
    apart: false,
    same: true,
    divided: false,
  });
  assert.equal(
    await pages.run("threads.html"),
    said("no SharedArrayBuffer, which a page has when it is served with COOP and COEP headers"),
  );
  const { warnings, ...rest } = (await pages.run("threads.html?isolated")) as { warnings: string[] };
  assert.equal({ ...rest, warnings: [] }, { ...said(""), warnings: [] });
  assert.match(
    warnings.join(),
    /^gatewise: expected to run on 2 threads, got no workers over shared memory: .+; running on one$/,
  );
});

test.run();
