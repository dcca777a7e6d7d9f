/** Numbers so small that their products are denormal take no longer than others. */
import * as assert from "uvu/assert";
import { layers, sequential } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";

const MOST = 2;

/** Least time of some runs, in ms. */
function least(run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Whether something takes less than twice as long as usual, in one of some tries: others may be at work. */
function isQuick(run: () => number, usual: () => number): boolean {
  for (let attempt = 0; attempt < 5; attempt++) if (run() < MOST * usual()) return true;
  return false;
}

const all = (value: number) => ({ data: new Float32Array(16 * 30 * 8).fill(value), shape: [16, 30, 8] });

eachBackend("the time of tiny numbers", (test, build) => {
  const steps = build === "reference" ? 50 : 2000;
  for (const kind of ["simpleRNN", "lstm", "gru"] as const) {
    test(kind, () => {
      const model = sequential([layers[kind]({ units: 32 })], { inputShape: [null, 8], seed: 1 });
      const stream = model.stream();
      const stepping = (value: number, state?: number) => {
        const frame = new Float32Array(8).fill(value);
        const states = stream.getState();
        if (state !== undefined) for (const { data } of Object.values(states)) data.fill(state);
        return least(() => {
          stream.setState(states);
          for (let t = 0; t < steps; t++) stream.step(frame);
        });
      };
      const usual = (): number => stepping(0.1);
      for (const [value, state] of [[1e-36], [1e-39], [0, 3e-39], [0, 1e-20]])
        assert.ok(
          isQuick(() => stepping(value, state), usual),
          `steps of ${value} from ${state ?? "a usual state"}`,
        );
      const predicting = (value: number): number => least(() => model.predict(all(value)));
      for (const value of [1e-36, 1e-39])
        assert.ok(
          isQuick(
            () => predicting(value),
            () => predicting(0.1),
          ),
          `predict of ${value}`,
        );
      model.dispose();
    });
  }
});
