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

/** Turns of a timer during 150 ms of a work repeated, and the longest time between two of them. */
async function turns(work: () => Promise<unknown>): Promise<[fired: number, gap: number]> {
  let [fired, gap, last] = [0, 0, performance.now()];
  const timer = setInterval(() => {
    fired++;
    gap = Math.max(gap, performance.now() - last);
    last = performance.now();
  }, 1);
  const started = performance.now();
  while (performance.now() - started < 150) await work();
  clearInterval(timer);
  return [fired, gap];
}

for (const [what, samples] of [
  ["one training after another, each shorter than a turn", 64],
  ["trainings of many batches", 3000],
] as const) {
  test(`others get their turns: timers fire, no gap is long: ${what}`, async () => {
    const model = trainable(48);
    const many = { data: floats([samples, 4, 3]).data, shape: [samples, 4, 3] };
    const train = () => model.fit(many, new Float32Array(samples), { validationSplit: 0.5 });
    await train(); // traced and warm
    const windows: [fired: number, gap: number][] = [];
    for (let window = 0; window < 5; window++) windows.push(await turns(train));
    // Best of five: the machine may be busy with other things
    assert.ok(
      Math.max(...windows.map(([fired]) => fired)) >= 5,
      `turns in 150 ms: ${windows.map(([fired]) => fired).join(", ")}`,
    );
    const gap = Math.min(...windows.map(([, longest]) => longest));
    assert.ok(gap < 50, `a gap of ${gap} ms`);
    model.dispose();
  });
}

test.run();
