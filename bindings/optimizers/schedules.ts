/** Learning rates by the number of updates done, for an optimizer's `learningRate`. */
import { OptionError } from "../base/errors.ts";
import { checkNumber, withDefaults, type Defaults } from "../base/options.ts";
import type { Schedule } from "./optimizer_options.ts";
import { cos, power } from "../base/portable_math.ts";
import { quoted, shown } from "../base/formatting.ts";

/** Options that are lists of numbers, those that may be below 0, and those that something is divided by. */
const LISTS = ["boundaries", "values"];
const SIGNED = ["power"];
const DIVISORS = ["divFactor", "finalDivFactor"];

/**
 * Makes a schedule of its options, filled in and checked.
 *
 * @param wrong  what is expected and given where options do not fit each other, or are not numbers
 */
function define<O extends object>(
  name: string,
  defaults: Defaults<O>,
  at: (step: number, options: Required<O>) => number,
  wrong: (options: Required<O>) => string | false = () => false,
): (options: O) => Schedule {
  const known = Object.keys(defaults);
  return (given) => {
    const options = withDefaults(`schedules.${name}`, given as object, defaults) as Record<string, unknown>;
    const missing = known.find((key) => options[key] === undefined && key !== "warmupTarget");
    if (missing) throw new OptionError(`schedules.${name}: expected ${missing}, got none`);
    for (const [key, value] of Object.entries(options)) {
      const isNumber = !["boolean", "string"].includes(typeof defaults[key as keyof O]) && !LISTS.includes(key);
      if (value !== undefined && isNumber)
        checkNumber(`schedules.${name}`, key, value, SIGNED.includes(key) ? undefined : 0);
    }
    for (const key of known.filter(
      (key) => (key.endsWith("Steps") && key !== "warmupSteps") || DIVISORS.includes(key),
    )) {
      if (!((options[key] as number) > 0))
        throw new OptionError(`schedules.${name}: expected ${key} > 0, got ${shown(options[key])}`);
    }
    const problem = wrong(options as Required<O>);
    if (problem) throw new OptionError(`schedules.${name}: expected ${problem}`);
    return (step) => at(step, options as Required<O>);
  };
}

const numbers = (list: unknown): boolean => Array.isArray(list) && [...list].every((value) => Number.isFinite(value));

/** From 1 down to 0 along half a cosine, for t from 0 to 1. */
const halfCosine = (t: number): number => (1 + cos(Math.PI * t)) / 2;

/** Which restart a step is in and how far, cycles growing by `factor`. */
function cycleOf(step: number, first: number, factor: number): { cycle: number; done: number } {
  if (factor === 1) return { cycle: Math.floor(step / first), done: (step % first) / first };
  let [cycle, start, length] = [0, 0, first];
  while (step >= start + length) {
    start += length;
    length *= factor;
    cycle++;
  }
  return { cycle, done: (step - start) / length };
}

/**
 * Learning rates by the number of updates done, for an optimizer's `learningRate`.
 *
 * @namespace
 */
export const schedules = {
  /** initial · rate^(step / decaySteps); `staircase`: whole powers only. */
  exponentialDecay: define<{ initialLearningRate: number; decaySteps: number; decayRate: number; staircase?: boolean }>(
    "exponentialDecay",
    { initialLearningRate: undefined, decaySteps: undefined, decayRate: undefined, staircase: false },
    (step, { initialLearningRate, decaySteps, decayRate, staircase }) =>
      initialLearningRate * power(decayRate, staircase ? Math.floor(step / decaySteps) : step / decaySteps),
  ),

  /** initial / (1 + rate · step / decaySteps); `staircase`: whole multiples only. */
  inverseTimeDecay: define<{ initialLearningRate: number; decaySteps: number; decayRate: number; staircase?: boolean }>(
    "inverseTimeDecay",
    { initialLearningRate: undefined, decaySteps: undefined, decayRate: undefined, staircase: false },
    (step, { initialLearningRate, decaySteps, decayRate, staircase }) =>
      initialLearningRate / (1 + decayRate * (staircase ? Math.floor(step / decaySteps) : step / decaySteps)),
  ),

  /** values[k] while step ≤ boundaries[k], the last value after. */
  piecewiseConstantDecay: define<{ boundaries: readonly number[]; values: readonly number[] }>(
    "piecewiseConstantDecay",
    { boundaries: undefined, values: undefined },
    (step, { boundaries, values }) => {
      const k = boundaries.findIndex((boundary) => step <= boundary);
      return values[k < 0 ? values.length - 1 : k];
    },
    ({ boundaries, values }) =>
      (!numbers(boundaries) && `boundaries as a list of numbers, got ${quoted(boundaries)}`) ||
      (!numbers(values) && `values as a list of numbers, got ${quoted(values)}`) ||
      (values.length !== boundaries.length + 1 &&
        `one value more than boundaries, got ${values.length} and ${boundaries.length}`),
  ),

  /** From initial to end along (1 − t)^power over decaySteps; `cycle`: starts over with longer runs instead of staying there. */
  polynomialDecay: define<{
    initialLearningRate: number;
    decaySteps: number;
    endLearningRate?: number;
    power?: number;
    cycle?: boolean;
  }>(
    "polynomialDecay",
    { initialLearningRate: undefined, decaySteps: undefined, endLearningRate: 0.0001, power: 1, cycle: false },
    (step, { initialLearningRate, decaySteps, endLearningRate, power: exponent, cycle }) => {
      const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
      return (
        (initialLearningRate - endLearningRate) * power(1 - Math.min(step, length) / length, exponent) + endLearningRate
      );
    },
  ),

  /** Up to warmupTarget over warmupSteps when given, then down along half a cosine to alpha of it (Loshchilov and Hutter 2017). */
  cosineDecay: define<{
    initialLearningRate: number;
    decaySteps: number;
    alpha?: number;
    warmupTarget?: number | undefined;
    warmupSteps?: number;
  }>(
    "cosineDecay",
    { initialLearningRate: undefined, decaySteps: undefined, alpha: 0, warmupTarget: undefined, warmupSteps: 0 },
    (step, { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps }) => {
      if (warmupTarget !== undefined && step < warmupSteps)
        return initialLearningRate + ((warmupTarget - initialLearningRate) * step) / warmupSteps;
      const [top, since] =
        warmupTarget === undefined ? [initialLearningRate, step] : [warmupTarget, step - warmupSteps];
      return top * ((1 - alpha) * halfCosine(Math.min(since, decaySteps) / decaySteps) + alpha);
    },
  ),

  /** Down along half a cosine to endLearningRate, and up again the same way, over and over (PyTorch's CosineAnnealingLR). */
  cosineAnnealing: define<{ initialLearningRate: number; decaySteps: number; endLearningRate?: number }>(
    "cosineAnnealing",
    { initialLearningRate: undefined, decaySteps: undefined, endLearningRate: 0 },
    (step, { initialLearningRate, decaySteps, endLearningRate }) => {
      const t = (step / decaySteps) % 2;
      return endLearningRate + (initialLearningRate - endLearningRate) * halfCosine(t > 1 ? 2 - t : t);
    },
  ),

  /** Half cosines one after the other, each tMul times as long and mMul times as high as the one before. */
  cosineDecayRestarts: define<{
    initialLearningRate: number;
    firstDecaySteps: number;
    tMul?: number;
    mMul?: number;
    alpha?: number;
  }>(
    "cosineDecayRestarts",
    { initialLearningRate: undefined, firstDecaySteps: undefined, tMul: 2, mMul: 1, alpha: 0 },
    (step, { initialLearningRate, firstDecaySteps, tMul, mMul, alpha }) => {
      const { cycle, done } = cycleOf(step, firstDecaySteps, tMul);
      return initialLearningRate * ((1 - alpha) * power(mMul, cycle) * halfCosine(done) + alpha);
    },
    ({ tMul }) => tMul < 1 && `tMul ≥ 1, got ${tMul}`, // cycles that shrink come to an end
  ),

  /** Times gamma every so many updates (PyTorch's StepLR). */
  stepDecay: define<{ initialLearningRate: number; decaySteps: number; gamma?: number }>(
    "stepDecay",
    { initialLearningRate: undefined, decaySteps: undefined, gamma: 0.1 },
    (step, { initialLearningRate, decaySteps, gamma }) =>
      initialLearningRate * power(gamma, Math.floor(step / decaySteps)),
  ),

  /**
   * Up from max/divFactor to max over pctStart of the updates, then down to the start over finalDivFactor (Smith and Topin 2018).
   * `threePhase`: down to the start in as many updates as up, and only then further. `annealStrategy`: along half a cosine or a line.
   */
  oneCycle: define<{
    maxLearningRate: number;
    totalSteps: number;
    pctStart?: number;
    divFactor?: number;
    finalDivFactor?: number;
    annealStrategy?: "cos" | "linear";
    threePhase?: boolean;
  }>(
    "oneCycle",
    {
      maxLearningRate: undefined,
      totalSteps: undefined,
      pctStart: 0.3,
      divFactor: 25,
      finalDivFactor: 10000,
      annealStrategy: "cos",
      threePhase: false,
    },
    (step, { maxLearningRate, totalSteps, pctStart, divFactor, finalDivFactor, annealStrategy, threePhase }) => {
      const start = maxLearningRate / divFactor;
      const top = pctStart * totalSteps - 1;
      const phases = [
        { end: top, rate: maxLearningRate },
        ...(threePhase ? [{ end: 2 * top, rate: start }] : []),
        { end: totalSteps - 1, rate: start / finalDivFactor },
      ];
      let [from, since] = [start, 0];
      for (const { end, rate } of phases) {
        const t = (step - since) / (end - since);
        if (step < end) return rate + (from - rate) * (annealStrategy === "cos" ? halfCosine(t) : 1 - t);
        [from, since] = [rate, end];
      }
      return from;
    },
    ({ annealStrategy, pctStart }) =>
      (pctStart > 1 && `pctStart of 0…1, got ${pctStart}`) ||
      (annealStrategy !== "cos" &&
        annealStrategy !== "linear" &&
        `annealStrategy "cos" or "linear", got ${shown(annealStrategy)}`),
  ),
};
