/** Losses: functions of targets and predictions, with Keras' names, defaults and conventions. */
import { OptionError, ShapeError, nearest } from "./errors.ts";
import { checkOptions } from "./options.ts";
import { add, affine, log, maximum, minimum, mul, neg, div } from "./ops/elementwise.ts";
import { denseCrossEntropy, sigmoidCrossEntropy, sparseCrossEntropy, squaredError } from "./ops/loss.ts";
import { floatsOf } from "./ops/operands.ts";
import { mean, sum } from "./ops/reduce.ts";
import { oneHot } from "./ops/rows.ts";
import { reshape, stopGradient } from "./ops/shape.ts";
import { describe, type Tensor } from "./program/tensor.ts";
import { currentTrace } from "./program/trace.ts";

export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** "mean" over what counts, "sum", or "none": one number per sample or step. */
  reduction?: Reduction;
}

/** A loss as `compile` and your own training functions take it. */
export interface Loss {
  /** @param yTrue constants; no gradient flows to them */
  (yTrue: Tensor, yPred: Tensor): Tensor;
  /** One number per sample [batch] or step [batch, time]; absent for a loss written by hand that only gives a scalar. @internal */
  readonly perSample?: (yTrue: Tensor, yPred: Tensor) => Tensor;
  readonly reduction?: Reduction;
}

/** Targets in the predictions' shape: the last axis of size 1 may be left out. */
export function alignTargets(name: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const expected = yPred.shape;
  if (yTrue.rank === yPred.rank - 1 && expected.at(-1) === 1) return aligned(name, reshape(yTrue, [...yTrue.shape, 1]), yPred);
  return aligned(name, yTrue, yPred);
}

function aligned(name: string, yTrue: Tensor, yPred: Tensor): Tensor {
  if (describe(yTrue.shape) !== describe(yPred.shape)) {
    throw new ShapeError(`${name}: expected targets ${describe(yPred.shape)} as the predictions, got ${describe(yTrue.shape)}`);
  }
  return stopGradient(floatsOf(currentTrace(name), yTrue));
}

/** Labels without the axis of size 1 they may have. */
export function alignLabels(yTrue: Tensor, yPred: Tensor): Tensor {
  const extra = yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1;
  return extra ? reshape(yTrue, yTrue.shape.slice(0, -1)) : yTrue;
}

const REDUCTIONS: readonly Reduction[] = ["mean", "sum", "none"];

/** What a loss factory accepts, checked. */
function check(name: string, options: object, known: readonly string[]): void {
  checkOptions(`losses.${name}`, options, known);
  const { reduction } = options as LossOptions;
  if (reduction !== undefined && !REDUCTIONS.includes(reduction)) throw new OptionError(`losses.${name}: expected reduction of ${REDUCTIONS.join(", ")}, got "${reduction}"`);
}

/** Makes a loss of what it is per sample. */
function defineLoss<O extends LossOptions>(
  name: string, defaults: Required<Omit<O, "reduction">>, perSample: (yTrue: Tensor, yPred: Tensor, options: Required<Omit<O, "reduction">>) => Tensor,
): (options?: O) => Loss {
  return (given = {} as O) => {
    check(name, given, [...Object.keys(defaults), "reduction"]);
    const { reduction = "mean", ...options } = given;
    const each = (yTrue: Tensor, yPred: Tensor): Tensor => perSample(yTrue, yPred, { ...defaults, ...options });
    const loss = (yTrue: Tensor, yPred: Tensor): Tensor => {
      const values = each(yTrue, yPred);
      return reduction === "none" ? values : reduction === "sum" ? sum(values) : mean(values);
    };
    return Object.assign(loss, { perSample: each, reduction });
  };
}

/** Keras' guard of logarithms. */
const EPSILON = 1e-7;
const clipped = (p: Tensor): Tensor => minimum(maximum(p, EPSILON), 1 - EPSILON);

export const losses = {
  /** Mean over the last axis of (yTrue − yPred)². */
  meanSquaredError: defineLoss<LossOptions>("meanSquaredError", {}, (yTrue, yPred) =>
    mean(squaredError(yPred, alignTargets("meanSquaredError", yTrue, yPred)), { axis: -1 })),

  /**
   * −log of the probability given to the right class. yTrue [batch] or [batch, time] class numbers, yPred [.., classes].
   * `fromLogits`: yPred is before the softmax.
   */
  sparseCategoricalCrossentropy: defineLoss<LossOptions & { fromLogits?: boolean }>("sparseCategoricalCrossentropy", { fromLogits: false }, (yTrue, yPred, { fromLogits }) => {
    const labels = alignLabels(yTrue, yPred);
    if (fromLogits) return sparseCrossEntropy(yPred, labels);
    const p = normalized(yPred);
    return neg(sum(mul(oneHot(labels, p.shape.at(-1)!), log(clipped(p))), { axis: -1 }));
  }),

  /** −Σ yTrue·log yPred over the last axis; yTrue are probabilities. `fromLogits`: yPred is before the softmax. */
  categoricalCrossentropy: defineLoss<LossOptions & { fromLogits?: boolean }>("categoricalCrossentropy", { fromLogits: false }, (yTrue, yPred, { fromLogits }) => {
    const targets = alignTargets("categoricalCrossentropy", yTrue, yPred);
    if (fromLogits) return denseCrossEntropy(yPred, targets);
    return neg(sum(mul(targets, log(clipped(normalized(yPred)))), { axis: -1 }));
  }),

  /** Mean over the last axis of −(yTrue·log p + (1 − yTrue)·log(1 − p)). `fromLogits`: p = sigmoid(yPred). */
  binaryCrossentropy: defineLoss<LossOptions & { fromLogits?: boolean }>("binaryCrossentropy", { fromLogits: false }, (yTrue, yPred, { fromLogits }) => {
    const targets = alignTargets("binaryCrossentropy", yTrue, yPred);
    if (fromLogits) return mean(sigmoidCrossEntropy(yPred, targets), { axis: -1 });
    const p = clipped(yPred);
    const each = add(mul(targets, log(p)), mul(affine(targets, -1, 1), log(affine(p, -1, 1))));
    return neg(mean(each, { axis: -1 }));
  }),
};

/** Probabilities that sum to one, as Keras takes them whatever it is given. */
const normalized = (p: Tensor): Tensor => div(p, sum(p, { axis: -1, keepDims: true }));

const NAMES: Record<string, keyof typeof losses> = { mse: "meanSquaredError" };

/**
 * A loss given by name, or as it is.
 *
 * @throws OptionError for an unknown name
 */
export function lossOf(loss: Loss | string): Loss {
  if (typeof loss === "function") return loss;
  const name = NAMES[loss] ?? loss.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (!Object.hasOwn(losses, name)) throw new OptionError(`compile: expected a known loss, got "${loss}"${nearest(name, Object.keys(losses))}`);
  return losses[name as keyof typeof losses]();
}

