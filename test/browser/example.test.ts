/** The page of examples/browser: it trains, writes, saves and loads, here and in a Worker, and its tab stays alive. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROOT } from "../support/child.ts";
import { findChromium, launch } from "./support.ts";

const executable = findChromium();
const test = suite("example browser");
let server: ChildProcess;
let browser: Browser;
let url: string;

test.before(async () => {
  if (executable === undefined) return;
  server = spawn(process.execPath, ["examples/browser.mjs"], { cwd: ROOT });
  url = await new Promise<string>((resolve) => server.stdout!.on("data", (text) => resolve(/http\S+/.exec(String(text))![0])));
  browser = await launch(executable);
});
test.after(async () => {
  await browser?.close();
  server?.kill();
});

const status = async (page: Page): Promise<string> => await page.textContent("#status") ?? "";
/** Waits for the end of what runs. @returns what the page says then */
async function done(page: Page): Promise<string> {
  await page.waitForSelector("#save:enabled", { timeout: 60000 });
  return status(page);
}

function onPage(name: string, run: (page: Page) => Promise<void>): void {
  if (executable === undefined) {
    console.log(`SKIP ${name}: no Chromium is installed`);
    test.skip(name);
    return;
  }
  test(name, async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error.stack)));
    await page.goto(url);
    await done(page);
    await run(page);
    assert.equal(errors, []);
    await page.close();
  });
}

/** Presses the button and times frames until it is as before. As text: tsx would add helpers to a function that pages lack. */
const TIME_FRAMES = `
  const frames = [];
  let last = performance.now();
  const next = () => {
    frames.push(performance.now() - last);
    last = performance.now();
    if (document.getElementById("train").textContent === "Stop") requestAnimationFrame(next);
    else document.body.dataset.frames = JSON.stringify(frames);
  };
  delete document.body.dataset.frames;
  document.getElementById("train").click();
  requestAnimationFrame(next);
`;

/** Trains once. @returns the share of the time that went by in frames of more than 50 ms */
async function slowShare(page: Page): Promise<number> {
  await page.evaluate(`{${TIME_FRAMES}}`);
  await page.waitForSelector("body[data-frames]", { timeout: 60000 });
  const frames = JSON.parse(await page.getAttribute("body", "data-frames") ?? "[]") as number[];
  const sum = (list: number[]): number => list.reduce((total, each) => total + each, 0);
  assert.ok(frames.length > 20, `${frames.length} frames`);
  return sum(frames.filter((each) => each > 50)) / sum(frames);
}

onPage("frames stay under 50 ms while it trains on the page's own thread", async (page) => {
  // the machine may be busy with other things, which slows frames but not three times in a row: the best of three counts
  const shares: number[] = [];
  while (shares.length < 3 && !(Math.min(...shares) < 0.05)) shares.push(await slowShare(page));
  assert.ok(Math.min(...shares) < 0.05, `share of the time in slow frames: ${shares.join(", ")}`);
  assert.match(await status(page), /^Trained on the page's own thread: loss [\d.]+e-[3-9]/);
});

for (const inWorker of [false, true]) {
  const where = inWorker ? "in a worker" : "on the page's own thread";
  onPage(`trains, writes, saves and loads ${where}`, async (page) => {
    if (inWorker) {
      await page.click("#worker");
      assert.match(await done(page), /it now runs in a worker/);
    }
    await page.click("#train");
    assert.match(await done(page), new RegExp(`^Trained ${where}: loss [\\d.]+e-[3-9]`));
    await page.click("#generate");
    const [, steps, model, silence] = /^It wrote (\d+) steps, off by (\d\.\d+) .*; silence is off by (\d\.\d+)/.exec(await done(page))!;
    assert.is(steps, "200");
    assert.ok(Number(model) < 0.7 * Number(silence), `off by ${model}, silence by ${silence}`);

    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    const file = await download.path();
    assert.match(await done(page), /^Saved \d+ bytes/);
    await page.reload();
    await done(page);
    await page.setInputFiles("#file", file);
    await page.waitForFunction(() => document.getElementById("status")!.textContent!.startsWith("Loaded"));
    await page.click("#generate");
    assert.match(await done(page), new RegExp(`^It wrote 200 steps, off by ${model} `), "the loaded model writes as the saved one");
  });
}

onPage("stops when asked to, and shows errors", async (page) => {
  await page.click("#train");
  await page.click("#train");
  assert.match(await done(page), /^Stopped\./);
  await page.setInputFiles("#file", { name: "no.safetensors", mimeType: "", buffer: Buffer.from("no model") });
  await page.waitForSelector("#status.error");
  assert.match(await status(page), /^FormatError: /);
  await page.click("#train");
  await page.click("#train");
  assert.match(await done(page), /^Stopped\./, "the model before is still there");
});

test.run();
