/** Losses of classes: cross-entropies from logits or probabilities, and what is built on them. */
import { OptionError } from "../base/errors.ts";
import { add, affine, div, equal, log, mul, neg, sigmoid, unary, where } from "../ops/elementwise.ts";
import { denseCrossEntropy, sigmoidCrossEntropy, sparseCrossEntropy } from "../ops/loss.ts";
import { floatsOf } from "../ops/operands.ts";
import { softmax, sum, mean } from "../ops/reduce.ts";
import { gather, oneHot } from "../ops/recurrent/packed_sequence.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { alignLabels, alignTargets, clipped, defineLoss, type Terms } from "./define_loss.ts";

/** Options of cross-entropies. */
export interface CrossentropyOptions {
  /** Predictions are before the softmax or sigmoid. @default false */
  fromLogits?: boolean;
  /** Share of every target that is spread evenly, 0…1. @default 0 */
  labelSmoothing?: number;
}

/** Options of losses of class numbers. */
export interface LabelOptions {
  /** Labels that do not count, in the loss nor in the divisor of its mean. */
  ignoreIndex?: number | undefined;
  /** A weight per class; the mean is divided by the weights that occur, as in PyTorch. */
  classWeights?: readonly number[] | undefined;
}

/** Options of `losses.sparseCategoricalCrossentropy`. */
export interface SparseCrossentropyOptions extends CrossentropyOptions, LabelOptions {
  /** Keras' name of `ignoreIndex`. */
  ignoreClass?: number | undefined;
}

/** Options of `losses.categoricalCrossentropy`. */
export interface CategoricalCrossentropyOptions extends CrossentropyOptions {
  /** A weight per class; the mean is divided by the number of rows, as in PyTorch for targets that are probabilities. */
  classWeights?: readonly number[] | undefined;
}

/** Probabilities that sum to one, as Keras takes them whatever it is given. */
const normalized = (p: Tensor): Tensor => div(p, sum(p, { axis: -1, keepDims: true }));

/** 1 − x */
const complement = (x: Tensor): Tensor => affine(x, -1, 1);

/** −Σ t·log p over the last axis, p from logits or given. */
function crossEntropy(targets: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  return fromLogits
    ? denseCrossEntropy(yPred, targets)
    : neg(sum(mul(targets, log(clipped(normalized(yPred)))), { axis: -1 }));
}

/** Targets with some of their weight spread over all K classes. */
const smoothed = (targets: Tensor, share: number, classes: number): Tensor =>
  share === 0 ? targets : affine(targets, 1 - share, share / classes);

/** Weights of classes as a tensor. @throws OptionError unless there is one for each */
function weightsOf(subject: string, weights: readonly number[] | undefined, classes: number): Tensor | undefined {
  if (!weights) return undefined;
  if (weights.length !== classes)
    throw new OptionError(`${subject}: expected ${classes} class weights, got ${weights.length}`);
  return currentTrace(subject).constant(Float32Array.from(weights));
}

/** What labels count in a mean: the weight of their class, and nothing for ignored ones. */
function counting(perClass: Tensor | undefined, labels: Tensor, valid: Tensor | undefined): Tensor | undefined {
  const weight = perClass && gather(perClass, labels);
  return weight && valid ? mul(weight, valid) : (weight ?? valid);
}

/** Labels that count, and 1 where they do. */
function counted(labels: Tensor, ignored: number | undefined, classes: number): { labels: Tensor; valid?: Tensor } {
  const trace = currentTrace("labels");
  if (labels.storage.pinned)
    trace.requireRange(labels, {
      below: classes,
      what: "labels",
      ...(ignored === undefined ? {} : { except: ignored }),
    });
  if (ignored === undefined) return { labels };
  const numbers = floatsOf(trace, labels);
  const valid = complement(equal(numbers, ignored));
  return { labels: mul(numbers, valid), valid };
}

function sparse(yTrue: Tensor, yPred: Tensor, options: SparseCrossentropyOptions): Tensor | Terms {
  const { fromLogits = false, labelSmoothing = 0, ignoreIndex, ignoreClass = ignoreIndex, classWeights } = options;
  if (ignoreIndex !== undefined && ignoreIndex !== ignoreClass) {
    throw new OptionError(
      `losses.sparseCategoricalCrossentropy: expected one label to ignore, got ignoreIndex ${ignoreIndex} and ignoreClass ${ignoreClass}`,
    );
  }
  const classes = yPred.shape.at(-1)!;
  const perClass = weightsOf("sparseCategoricalCrossentropy", classWeights, classes);
  const { labels, valid } = counted(alignLabels("sparseCategoricalCrossentropy", yTrue, yPred), ignoreClass, classes);
  const logits = fromLogits ? yPred : log(clipped(yPred)); // whose softmax is the probabilities, over their sum as TensorFlow's Keras has it
  if (labelSmoothing === 0 && !perClass && !valid) return sparseCrossEntropy(logits, labels);
  const targets = smoothed(oneHot(labels, classes), labelSmoothing, classes);
  const values = denseCrossEntropy(logits, perClass ? mul(targets, perClass) : targets);
  return { values: valid ? mul(values, valid) : values, weights: counting(perClass, labels, valid) };
}

/** Cross-entropy of each element with probability p. */
function binary(targets: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  if (fromLogits) return sigmoidCrossEntropy(yPred, targets);
  const p = clipped(yPred);
  return neg(add(mul(targets, log(p)), mul(complement(targets), log(complement(p)))));
}

/** (1 − p)^γ for p of 0…1: what well-classified examples count less by. */
const focus = (p: Tensor, gamma: number): Tensor =>
  gamma === 2 ? unary("square", complement(p)) : unary("exp", affine(log(clipped(complement(p))), gamma, 0));

/** Options of `losses.binaryCrossentropy`. */
export interface BinaryCrossentropyOptions extends CrossentropyOptions {
  /** What positive targets count more by: one number, or one per output. */
  positiveWeight?: number | readonly number[] | undefined;
}

/** Options of `losses.binaryFocalCrossentropy`. */
export interface BinaryFocalOptions extends CrossentropyOptions {
  /** Weight of positive targets, with `applyClassBalancing`, 0…1. @default 0.25 */
  alpha?: number;
  /** How much less well-classified examples count: by (1 − p)^gamma. @default 2 */
  gamma?: number;
  /** Weighs positive targets by alpha and others by 1 − alpha. @default false */
  applyClassBalancing?: boolean;
}

/** Options of `losses.categoricalFocalCrossentropy`. */
export interface CategoricalFocalOptions extends CrossentropyOptions {
  /** Factor of the whole, 0…1. @default 0.25 */
  alpha?: number;
  /** How much less well-classified examples count: by (1 − p)^gamma. @default 2 */
  gamma?: number;
}

export const crossentropyLosses = {
  /** −log of the probability given to the right class; yTrue [batch] or [batch, time] class numbers, yPred [.., classes]. */
  sparseCategoricalCrossentropy: defineLoss<SparseCrossentropyOptions>(
    "sparseCategoricalCrossentropy",
    { fromLogits: false, labelSmoothing: 0, ignoreIndex: undefined, ignoreClass: undefined, classWeights: undefined },
    sparse,
  ),

  /** −Σ t·log p over the last axis, targets being probabilities. */
  categoricalCrossentropy: defineLoss<CategoricalCrossentropyOptions>(
    "categoricalCrossentropy",
    { fromLogits: false, labelSmoothing: 0, classWeights: undefined },
    (yTrue, yPred, { fromLogits, labelSmoothing, classWeights }) => {
      const classes = yPred.shape.at(-1)!;
      const perClass = weightsOf("categoricalCrossentropy", classWeights, classes);
      const targets = smoothed(alignTargets("categoricalCrossentropy", yTrue, yPred), labelSmoothing!, classes);
      return crossEntropy(perClass ? mul(targets, perClass) : targets, yPred, fromLogits!);
    },
  ),

  /** Mean over the last axis of −(t·log p + (1 − t)·log(1 − p)). */
  binaryCrossentropy: defineLoss<BinaryCrossentropyOptions>(
    "binaryCrossentropy",
    { fromLogits: false, labelSmoothing: 0, positiveWeight: undefined },
    (yTrue, yPred, { fromLogits, labelSmoothing, positiveWeight }) => {
      const targets = smoothed(alignTargets("binaryCrossentropy", yTrue, yPred), labelSmoothing!, 2);
      if (positiveWeight === undefined) return mean(binary(targets, yPred, fromLogits!), { axis: -1 });
      const weight = currentTrace("loss").constant(Float32Array.from([positiveWeight].flat() as number[]));
      const p = fromLogits ? yPred : clipped(yPred);
      const [positive, negative] = fromLogits
        ? [unary("softplus", neg(p)), unary("softplus", p)]
        : [neg(log(p)), neg(log(complement(p)))];
      return mean(add(mul(mul(targets, weight), positive), mul(complement(targets), negative)), { axis: -1 });
    },
  ),

  /** Binary cross-entropy that counts well-classified examples less (Lin et al. 2017). */
  binaryFocalCrossentropy: defineLoss<BinaryFocalOptions>(
    "binaryFocalCrossentropy",
    { fromLogits: false, labelSmoothing: 0, alpha: 0.25, gamma: 2, applyClassBalancing: false },
    (yTrue, yPred, { fromLogits, labelSmoothing, alpha, gamma, applyClassBalancing }) => {
      const targets = smoothed(alignTargets("binaryFocalCrossentropy", yTrue, yPred), labelSmoothing!, 2);
      const p = fromLogits ? sigmoid(yPred) : yPred;
      const right = add(mul(targets, p), mul(complement(targets), complement(p)));
      const each = mul(focus(right, gamma!), binary(targets, yPred, fromLogits!));
      const balance = affine(targets, 2 * alpha! - 1, 1 - alpha!);
      return mean(applyClassBalancing ? mul(each, balance) : each, { axis: -1 });
    },
  ),

  /** −α·(1 − p)^γ·t·log p over the last axis. */
  categoricalFocalCrossentropy: defineLoss<CategoricalFocalOptions>(
    "categoricalFocalCrossentropy",
    { fromLogits: false, labelSmoothing: 0, alpha: 0.25, gamma: 2 },
    (yTrue, yPred, { fromLogits, labelSmoothing, alpha, gamma }) => {
      const targets = smoothed(
        alignTargets("categoricalFocalCrossentropy", yTrue, yPred),
        labelSmoothing!,
        yPred.shape.at(-1)!,
      );
      const p = clipped(fromLogits ? softmax(yPred) : normalized(yPred));
      return affine(sum(mul(focus(p, gamma!), mul(targets, log(p))), { axis: -1 }), -alpha!, 0);
    },
  ),

  /** −the log-probability of the right class; yTrue class numbers, yPred [.., classes] log-probabilities. */
  negativeLogLikelihood: defineLoss<LabelOptions>(
    "negativeLogLikelihood",
    { ignoreIndex: undefined, classWeights: undefined },
    (yTrue, yPred, { ignoreIndex, classWeights }) => {
      const classes = yPred.shape.at(-1)!;
      const perClass = weightsOf("negativeLogLikelihood", classWeights, classes);
      const { labels, valid } = counted(alignLabels("negativeLogLikelihood", yTrue, yPred), ignoreIndex, classes);
      const weights = counting(perClass, labels, valid);
      // chosen, not multiplied: the logarithm of an impossible class is -Infinity
      const values = neg(sum(where(oneHot(labels, classes), yPred, 0), { axis: -1 }));
      return { values: weights ? mul(values, weights) : values, weights };
    },
  ),
};
