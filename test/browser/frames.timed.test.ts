/** The page of examples/browser stays alive while it trains. */
import type { Page } from "playwright-core";
import * as assert from "uvu/assert";
import { examplePage, status } from "./example_page.ts";

/** Times frames while it trains. As text: tsx would add helpers to a function that pages lack. */
const TIME_FRAMES = `
  const frames = [];
  const train = document.getElementById("train");
  let last = performance.now();
  const next = () => {
    frames.push(performance.now() - last);
    last = performance.now();
    if (train.textContent === "Stop") requestAnimationFrame(next);
    else document.body.dataset.frames = JSON.stringify(frames);
  };
  delete document.body.dataset.frames;
  train.click();
  requestAnimationFrame(next);
`;

/** Trains once. @returns the frame time in ms that nine of ten frames keep to */
async function frameTime(page: Page): Promise<number> {
  await page.evaluate(`{${TIME_FRAMES}}`);
  await page.waitForSelector("body[data-frames]", { timeout: 60000 });
  const frames = JSON.parse((await page.getAttribute("body", "data-frames")) ?? "[]") as number[];
  assert.ok(frames.length > 20, `${frames.length} frames`);
  return frames.sort((a, b) => a - b)[Math.floor(0.9 * frames.length)];
}

examplePage("example browser frames", (onPage) => {
  onPage("frames stay under 50 ms while it trains on the page's own thread", async (page) => {
    // the best of five: a training that blocks the page does so every time, other load on the machine does not
    const times: number[] = [];
    while (times.length < 5 && !(Math.min(...times) < 50)) times.push(await frameTime(page));
    assert.ok(
      Math.min(...times) < 50,
      `of ten frames, nine take up to ${times.map((time) => time.toFixed(0)).join(", ")} ms`,
    );
    assert.match(await status(page), /^Trained on the page's own thread: loss [\d.]+e-[3-9]/);
  });
});
