/** A training leaves turns to others, and hears of an abort soon. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { floats, trainable } from "../support/models.ts";

const test = suite("turns");

const x = floats([12, 4, 3]);
const y = floats([12, 1], 1);

test("a signal aborted from a timer during a long training rejects soon", async () => {
  const model = trainable(32);
  const signal = AbortSignal.timeout(60);
  const started = performance.now();
  const outcome = await model.fit(x, y, { epochs: 1e6, signal }).catch((error: unknown) => error);
  assert.is(outcome, signal.reason);
  assert.is((outcome as DOMException).name, "TimeoutError");
  assert.ok(performance.now() - started < 2000);
  model.dispose();
});

test("others get their turns: timers fire, no gap is long", async () => {
  const model = trainable(48);
  const many = { data: floats([3000, 4, 3]).data, shape: [3000, 4, 3] };
  const targets = new Float32Array(3000);
  await model.fit(many, targets, { validationSplit: 0.5 }); // traced and warm
  /** Turns of a timer, and the longest time between two of them. */
  async function turns(): Promise<[fired: number, gap: number]> {
    let [fired, gap, last] = [0, 0, performance.now()];
    const timer = setInterval(() => {
      fired++;
      gap = Math.max(gap, performance.now() - last);
      last = performance.now();
    }, 1);
    const started = performance.now();
    while (performance.now() - started < 150) await model.fit(many, targets, { validationSplit: 0.5 });
    clearInterval(timer);
    return [fired, gap];
  }
  const windows = [await turns(), await turns(), await turns(), await turns(), await turns()];
  assert.ok(windows.every(([fired]) => fired >= 2), `turns in 150 ms: ${windows.map(([fired]) => fired).join(", ")}`);
  const gap = Math.min(...windows.map(([, longest]) => longest)); // of a machine that may be busy with other things
  assert.ok(gap < 50, `a gap of ${gap} ms`);
  model.dispose();
});

test.run();
