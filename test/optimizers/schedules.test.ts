/** Schedules beside those of Keras and PyTorch, and the portable functions they stand on against Math. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { schedules } from "../../bindings/index.ts";
import { cos, exp, ln, power } from "../../bindings/base/portable_math.ts";

test("the portable functions agree with Math", () => {
  for (let i = -700; i <= 700; i++) {
    const x = i * 0.977;
    assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) < 4e-14, `exp ${x}`);
    assert.ok(Math.abs(ln(Math.exp(x)) - x) <= 1e-13 * Math.max(1, Math.abs(x)), `ln e^${x}`);
    const a = (i / 700) * Math.PI;
    assert.ok(Math.abs(cos(a) - Math.cos(a)) < 1e-14, `cos ${a}`);
  }
  assert.is(power(0.5, 3), 0.125);
  assert.is(power(0, 0), 1);
  assert.ok(Math.abs(power(2, 0.5) - Math.SQRT2) < 1e-15);
});

test("one cycle goes along lines too, and down in one step or two", () => {
  const rates = (options: object): string[] => {
    const schedule = schedules.oneCycle({
      maxLearningRate: 1,
      totalSteps: 10,
      divFactor: 10,
      finalDivFactor: 10,
      annealStrategy: "linear",
      ...options,
    });
    return Array.from({ length: 11 }, (_, step) => schedule(step).toFixed(5));
  };
  const to = (from: number, end: number, steps: number): string[] =>
    Array.from({ length: steps }, (_, k) => (from + ((end - from) * (k + 1)) / steps).toFixed(5));
  const last = "0.01000"; // and stays there
  assert.equal(rates({}), ["0.10000", "0.55000", "1.00000", ...to(1, 0.01, 7), last]);
  assert.equal(rates({ threePhase: true }), [
    "0.10000",
    "0.55000",
    "1.00000",
    "0.55000",
    "0.10000",
    ...to(0.1, 0.01, 5),
    last,
  ]);
  assert.equal(rates({ pctStart: 0.1 }), ["1.00000", ...to(1, 0.01, 9), last], "the first step is the top");
  const cosine = rates({ threePhase: true, annealStrategy: "cos" });
  assert.equal(cosine.slice(0, 5), ["0.10000", "0.55000", "1.00000", "0.55000", "0.10000"]);
  assert.is(cosine[6], (0.01 + (0.09 * (1 + Math.cos(0.4 * Math.PI))) / 2).toFixed(5));
  assert.throws(
    () => rates({ annealStrategy: "cosine" }),
    /^schedules.oneCycle: expected annealStrategy "cos" or "linear", got "cosine"$/,
  );
});

test("a schedule names what it misses", () => {
  assert.throws(
    () => schedules.piecewiseConstantDecay({ boundaries: [3], values: [1] }),
    /expected one value more than boundaries, got 1 and 1/,
  );
  assert.throws(
    () => schedules.exponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 }),
    /expected decaySteps > 0, got 0/,
  );
  assert.throws(() => schedules.cosineDecay({ initialLearningRate: 1 } as never), /expected decaySteps, got none/);
  assert.throws(() => schedules.cosineDecay({ initialLearningRate: 1, decaySteps: 3, alhpa: 1 } as never), /alpha/);
});

test.run();
