/** Losses to be judged by as well: their mean over what counts in an epoch. */
import type { CrossentropyOptions, SparseCrossentropyOptions } from "../losses/crossentropy.ts";
import { losses } from "../losses/index.ts";
import { neg } from "../ops/elementwise.ts";
import { meanMetric, meanOf, metricFactory } from "./define_metric.ts";

const cosine = losses.cosineSimilarity().terms!;

export const lossMetrics = {
  /** Mean of −(t·log p + (1 − t)·log(1 − p)). */
  binaryCrossentropy: metricFactory<CrossentropyOptions>(
    "binaryCrossentropy",
    { fromLogits: false, labelSmoothing: 0 },
    (options) => meanMetric("binary_crossentropy", losses.binaryCrossentropy(options).terms!),
  ),
  /** Mean of −Σ t·log p over the last axis. */
  categoricalCrossentropy: metricFactory<CrossentropyOptions>(
    "categoricalCrossentropy",
    { fromLogits: false, labelSmoothing: 0 },
    (options) => meanMetric("categorical_crossentropy", losses.categoricalCrossentropy(options).terms!),
  ),
  /** Mean of −log of the probability given to the right class. */
  sparseCategoricalCrossentropy: metricFactory<
    Pick<SparseCrossentropyOptions, "fromLogits" | "ignoreIndex" | "ignoreClass">
  >("sparseCategoricalCrossentropy", { fromLogits: false, ignoreIndex: undefined, ignoreClass: undefined }, (options) =>
    meanMetric("sparse_categorical_crossentropy", losses.sparseCategoricalCrossentropy(options).terms!),
  ),
  /** Mean of Σ t·log(t / p), of probabilities. */
  klDivergence: meanOf("klDivergence", "kl_divergence", losses.klDivergence),
  /** Mean of p − t·log p. */
  poisson: meanOf("poisson", "poisson", losses.poisson),
  /** Mean of max(1 − t·p, 0), t being ±1. */
  hinge: meanOf("hinge", "hinge", losses.hinge),
  /** Mean of max(1 − t·p, 0)². */
  squaredHinge: meanOf("squaredHinge", "squared_hinge", losses.squaredHinge),
  /** Mean of 100·|t − p| / |t|. */
  meanAbsolutePercentageError: meanOf(
    "meanAbsolutePercentageError",
    "mean_absolute_percentage_error",
    losses.meanAbsolutePercentageError,
  ),
  /** Mean of (log(t + 1) − log(p + 1))². */
  meanSquaredLogarithmicError: meanOf(
    "meanSquaredLogarithmicError",
    "mean_squared_logarithmic_error",
    losses.meanSquaredLogarithmicError,
  ),
  /** Mean of log cosh(p − t). */
  logCoshError: meanOf("logCoshError", "logcosh", losses.logCosh),
  /** Mean cosine of the angle between target and prediction: 1 when they point the same way, other than the loss. */
  cosineSimilarity: metricFactory<object>("cosineSimilarity", {}, () =>
    meanMetric("cosine_similarity", (yTrue, yPred) => neg(cosine(yTrue, yPred).values)),
  ),
};
