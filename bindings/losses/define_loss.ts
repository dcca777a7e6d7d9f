/** What a loss is, and how targets come into its shape. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { affine, div, maximum, minimum, mul } from "../ops/elementwise.ts";
import { floatsOf } from "../ops/operands.ts";
import { mean, sum } from "../ops/reduce.ts";
import { reshape, stopGradient } from "../ops/shape.ts";
import { axesOfSteps, keepSteps, validSteps } from "../ops/valid_steps.ts";
import { namesOf, withDefaults, type Defaults } from "../base/options.ts";
import { shown } from "../base/formatting.ts";
import { warnOnce } from "../base/warning.ts";
import { describe, sameShape } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";

/** What becomes of the losses of samples or steps: their mean over what counts, their sum, or themselves. */
export type Reduction = "mean" | "sum" | "none";

/** Options that all losses have. */
export interface LossOptions {
  /** "mean" over what counts, "sum", or "none": one number per sample or step. @default "mean" */
  reduction?: Reduction | undefined;
}

/** The parts of a loss, one per sample [batch] or step [batch, time]. */
export interface Terms {
  readonly values: Tensor;
  /** What each counts in the divisor of the mean, when not 1: 0 for an ignored label, the weight of a class. */
  readonly weights?: Tensor | undefined;
}

/**
 * A loss as `compile` and your own training functions take it. One of your own gives a number per row [batch] or step
 * [batch, time], which `compile` masks, weights and averages as those of `losses.*`; or a single number, which is taken as it is.
 */
export interface Loss {
  /** @param yTrue constants; no gradient flows to them */
  (yTrue: Tensor, yPred: Tensor): Tensor;
  /** Its parts; absent for a function of your own. @internal */
  readonly terms?: (yTrue: Tensor, yPred: Tensor) => Terms;
  /** The option it was made with. */
  readonly reduction?: Reduction;
}

/** A loss factory. */
export type LossFactory<O extends object> = (options?: O & LossOptions) => Loss;

const REDUCTIONS: readonly Reduction[] = ["mean", "sum", "none"];

/** Σ values over Σ weights; nothing that counts gives 0, not 0/0. */
export const meanOver = (total: Tensor, counted: Tensor): Tensor => div(total, maximum(counted, TINY));

/** Keeps a divisor from being 0, and is far below any weight that means something. */
export const TINY = 1e-30;

/** Weights with axes of size 1 behind, to be multiplied with something of higher rank. */
export const spread = (weights: Tensor, values: Tensor): Tensor =>
  weights.rank === values.rank
    ? weights
    : reshape(weights, [...weights.shape, ...values.shape.slice(weights.rank).map(() => 1)]);

/**
 * The terms of a loss without those of padding: its values are 0, and it is not in the divisor of the mean.
 *
 * @param yPred  predictions, which know their valid steps
 */
export function validTerms({ values, weights }: Terms, yPred: Tensor): Terms {
  const { steps, shape } = yPred;
  if (!steps) return { values, weights };
  const axes = axesOfSteps(yPred);
  if (!sameShape(values.shape.slice(0, axes.length), axes)) {
    warnOnce(
      `expected a loss of one number per step ${describe(axes)} where sequences are padded, got ${describe(values.shape)} ` +
        `for predictions ${describe(shape)}; the padding counts in it`,
    );
    return { values, weights };
  }
  const trace = currentTrace("loss");
  trace.paddingLeftOut = true;
  const valid = spread(validSteps(trace, steps, shape), values);
  return {
    values: keepSteps(mul(values, valid), yPred),
    weights: weights ? mul(weights, valid) : affine(valid, values.size / valid.size, 0),
  };
}

function reduced({ values, weights }: Terms, reduction: Reduction): Tensor {
  if (reduction === "none") return values;
  if (reduction === "sum") return sum(values);
  return weights ? meanOver(sum(values), sum(weights)) : mean(values);
}

/** What numbers among options may be: shares of 0…1, sizes above 0, and others from 0 on. Whole numbers are labels; some may be lists. */
const SHARES = ["labelSmoothing", "alpha"];
const SIZES = ["delta", "epsilon"];
const LABELS = ["ignoreIndex", "ignoreClass"];
const LISTS = ["classWeights", "positiveWeight"];

/** @throws OptionError unless it is a number, and in the range that its name says */
function checkRange(subject: string, name: string, number: unknown): void {
  const label = LABELS.includes(name);
  const fits = label
    ? Number.isInteger(number)
    : Number.isFinite(number) &&
      (number as number) >= 0 &&
      !(SHARES.includes(name) && (number as number) > 1) &&
      !(SIZES.includes(name) && number === 0);
  const range = label
    ? `a whole number as ${name}`
    : SHARES.includes(name)
      ? `${name} of 0…1`
      : SIZES.includes(name)
        ? `${name} > 0`
        : `${name} ≥ 0`;
  if (!fits) throw new OptionError(`${subject}: expected ${range}, got ${shown(number)}`);
}

/** @throws OptionError naming the option that is of another kind or out of its range */
function checkRanges<O extends object>(subject: string, options: O, defaults: Defaults<O>): void {
  for (const name of namesOf(defaults)) {
    const value: unknown = options[name as keyof O];
    if (value === undefined || typeof defaults[name] === "boolean") continue;
    if (name === "classWeights" && !Array.isArray(value))
      throw new OptionError(`${subject}: expected classWeights as a list of numbers, got ${shown(value)}`);
    for (const number of LISTS.includes(name) && Array.isArray(value) ? (value as unknown[]) : [value])
      checkRange(subject, name, number);
  }
}

/**
 * Makes the factory of a loss.
 *
 * @param defaults  every option but `reduction`; undefined for those that may be left out
 */
export function defineLoss<O extends object>(
  name: string,
  defaults: Defaults<O>,
  terms: (yTrue: Tensor, yPred: Tensor, options: O) => Tensor | Terms,
): LossFactory<O> {
  return (given = {} as O & LossOptions) => {
    const subject = `losses.${name}`;
    const options = withDefaults(subject, given as object, { ...defaults, reduction: "mean" }) as O & LossOptions;
    const reduction = options.reduction!;
    if (!REDUCTIONS.includes(reduction))
      throw new OptionError(`${subject}: expected reduction of ${REDUCTIONS.join(", ")}, got ${shown(reduction)}`);
    checkRanges(subject, options, defaults);
    const parts = (yTrue: Tensor, yPred: Tensor): Terms => {
      const result = terms(yTrue, yPred, options);
      return "values" in result ? result : { values: result };
    };
    const loss = (yTrue: Tensor, yPred: Tensor): Tensor => reduced(validTerms(parts(yTrue, yPred), yPred), reduction);
    return Object.assign(loss, {
      terms: parts,
      reduction,
    });
  };
}

/** Losses and metrics of class numbers, whose names without "sparse" are those of one-hot targets. */
const SPARSE = ["sparseCategoricalCrossentropy", "sparseCategoricalAccuracy", "sparseTopKCategoricalAccuracy"];
const denseOf = (name: string): string => name.slice(6, 7).toLowerCase() + name.slice(7);
const sparseOf = (name: string): string => `sparse${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

/** Targets as floats in the predictions' shape: the last axis of size 1 may be left out. */
export function alignTargets(name: string, yTrue: Tensor, yPred: Tensor): Tensor {
  currentTrace(name).targets.add(yTrue.storage);
  const missing = yTrue.rank === yPred.rank - 1 && yPred.shape.at(-1) === 1;
  const target = missing ? reshape(yTrue, [...yTrue.shape, 1]) : yTrue;
  if (!sameShape(target.shape, yPred.shape)) {
    const numbers = yTrue.rank === yPred.rank - 1 && SPARSE.includes(sparseOf(name));
    const help = numbers ? `; class numbers are for ${sparseOf(name)}` : "";
    throw new ShapeError(
      `${name}: expected targets ${describe(yPred.shape)} as the predictions, got ${describe(yTrue.shape)}${help}`,
    );
  }
  return stopGradient(floatsOf(currentTrace(name), target));
}

/** Labels [..] of predictions [.., classes], without the axis of size 1 they may have. */
export function alignLabels(name: string, yTrue: Tensor, yPred: Tensor): Tensor {
  currentTrace(name).targets.add(yTrue.storage);
  const extra = yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1;
  const labels = extra ? reshape(yTrue, yTrue.shape.slice(0, -1)) : yTrue;
  const rows = yPred.shape.slice(0, -1);
  if (!sameShape(labels.shape, rows)) {
    const help =
      sameShape(yTrue.shape, yPred.shape) && SPARSE.includes(name) ? `; one-hot targets are for ${denseOf(name)}` : "";
    throw new ShapeError(
      `${name}: expected labels ${describe(rows)} for predictions ${describe(yPred.shape)}, got ${describe(yTrue.shape)}${help}`,
    );
  }
  return labels;
}

/** Keras' guard of logarithms and divisions. */
export const EPSILON = 1e-7;

/** Probabilities away from 0 and 1, where their logarithms end. */
export const clipped = (p: Tensor): Tensor => minimum(maximum(p, EPSILON), 1 - EPSILON);
