/** Learning rates of schedules against Keras and PyTorch. */
import { schedules, type Schedule } from "../../bindings/index.ts";
import { assertNumbers, type OracleCase } from "./case.ts";

/** Keras' schedules by the names of their references. */
const KERAS: Record<string, Schedule> = {
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

/** PyTorch's. */
const TORCH: Record<string, Schedule> = {
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

/** Each schedule's rates from its first step on. */
export function runSchedules({ group, tensors }: OracleCase): void {
  for (const [name, schedule] of Object.entries(group.startsWith("keras") ? KERAS : TORCH)) {
    const { data } = tensors[`output.${name}`];
    Array.from(data as ArrayLike<number>, Number).forEach((rate, step) =>
      assertNumbers(`${name} at step ${step}`, [schedule(step)], [rate], 1e-6 * Math.max(rate, 1e-3)),
    );
  }
}
