/** Schedules against Keras and PyTorch, and the portable functions they stand on against Math. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { schedules } from "../../bindings/index.ts";
import { cos, exp, ln, power } from "../../bindings/base/portable_math.ts";
import { oracleTest, loadCase } from "../support/oracles.ts";

const KERAS = {
  "CosineDecay(.1, 15, alpha=.1)": schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 15, alpha: 0.1 }),
  "CosineDecay(0, 10, warmup_target=.1, warmup_steps=5)": schedules.cosineDecay({
    initialLearningRate: 0,
    decaySteps: 10,
    warmupTarget: 0.1,
    warmupSteps: 5,
  }),
  "CosineDecayRestarts(.1, 6, t_mul=2, m_mul=.8)": schedules.cosineDecayRestarts({
    initialLearningRate: 0.1,
    firstDecaySteps: 6,
    tMul: 2,
    mMul: 0.8,
  }),
  "ExponentialDecay(.1, 5, .8)": schedules.exponentialDecay({
    initialLearningRate: 0.1,
    decaySteps: 5,
    decayRate: 0.8,
  }),
  "ExponentialDecay(.1, 5, .8, staircase)": schedules.exponentialDecay({
    initialLearningRate: 0.1,
    decaySteps: 5,
    decayRate: 0.8,
    staircase: true,
  }),
  "InverseTimeDecay(.1, 4, .5)": schedules.inverseTimeDecay({
    initialLearningRate: 0.1,
    decaySteps: 4,
    decayRate: 0.5,
  }),
  "PiecewiseConstantDecay([5, 12], [.1, .05, .01])": schedules.piecewiseConstantDecay({
    boundaries: [5, 12],
    values: [0.1, 0.05, 0.01],
  }),
  "PolynomialDecay(.1, 15, .01, power=2)": schedules.polynomialDecay({
    initialLearningRate: 0.1,
    decaySteps: 15,
    endLearningRate: 0.01,
    power: 2,
  }),
  "PolynomialDecay(.1, 6, .01, cycle)": schedules.polynomialDecay({
    initialLearningRate: 0.1,
    decaySteps: 6,
    endLearningRate: 0.01,
    cycle: true,
  }),
};

const TORCH = {
  StepLR: schedules.stepDecay({ initialLearningRate: 0.1, decaySteps: 7, gamma: 0.5 }),
  MultiStepLR: schedules.piecewiseConstantDecay({ boundaries: [3, 8, 20], values: [0.1, 0.03, 0.009, 0.0027] }),
  ExponentialLR: schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1, decayRate: 0.93 }),
  CosineAnnealingLR: schedules.cosineAnnealing({ initialLearningRate: 0.1, decaySteps: 12, endLearningRate: 0.001 }),
  CosineAnnealingWarmRestarts: schedules.cosineDecayRestarts({
    initialLearningRate: 0.1,
    firstDecaySteps: 5,
    tMul: 2,
    alpha: 0.005,
  }),
  OneCycleLR: schedules.oneCycle({
    maxLearningRate: 0.3,
    totalSteps: 31,
    pctStart: 0.3,
    divFactor: 25,
    finalDivFactor: 1e4,
  }),
  LinearLR: schedules.polynomialDecay({ initialLearningRate: 0.01, decaySteps: 8, endLearningRate: 0.1 }),
};

for (const [group, rows] of [
  ["keras/train", KERAS],
  ["torch/train", TORCH],
] as const) {
  for (const [name, schedule] of Object.entries(rows)) {
    oracleTest(test, `${group}: ${name}`, () => {
      const { data } = loadCase(group, "lr_schedules").tensors[`output.${name}`];
      Array.from(data as ArrayLike<number>, Number).forEach((rate, step) =>
        assert.ok(
          Math.abs(schedule(step) - rate) <= 1e-6 * Math.max(rate, 1e-3),
          `step ${step}: ${schedule(step)} instead of ${rate}`,
        ),
      );
    });
  }
}

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
