/** Metrics of numbers and of likelihoods. */
import type { SparseCrossentropyOptions } from "../losses/crossentropy.ts";
import { alignTargets } from "../losses/define.ts";
import { losses } from "../losses/index.ts";
import { abs, mul, square, sub } from "../ops/elementwise.ts";
import { squaredError } from "../ops/loss.ts";
import { mean, sum } from "../ops/reduce.ts";
import { checkOptions } from "../options.ts";
import type { Tensor } from "../program/tensor.ts";
import { count, meanMetric, ratio, spread, type Metric } from "./define.ts";

const squared = (yTrue: Tensor, yPred: Tensor): Tensor => mean(squaredError(yPred, alignTargets("metrics", yTrue, yPred)), { axis: -1 });

/** Options of `metrics.perplexity`. */
export type PerplexityOptions = Pick<SparseCrossentropyOptions, "fromLogits" | "ignoreIndex" | "ignoreClass">;

/** Σ over everything but the last axis, of what counts. */
function columns(values: Tensor, weights: Tensor | undefined): Tensor {
  const counted = weights ? mul(values, spread(weights, values)) : values;
  return sum(counted, { axis: values.shape.slice(0, -1).map((_, axis) => axis) });
}

export const errorMetrics = {
  /** Mean of (t − p)². */
  meanSquaredError: (): Metric => meanMetric("mean_squared_error", squared),
  /** Mean of |t − p|. */
  meanAbsoluteError: (): Metric =>
    meanMetric("mean_absolute_error", (yTrue, yPred) => mean(abs(sub(yPred, alignTargets("metrics", yTrue, yPred))), { axis: -1 })),
  /** Root of the mean squared error over everything that counts. */
  rootMeanSquaredError: (): Metric => meanMetric("root_mean_squared_error", squared, Math.sqrt),
  /** Share of the targets' variance that is explained, averaged over the last axis as Keras does. */
  r2Score: (): Metric => ({
    metricName: "r2_score",
    parts(yTrue, yPred, weights) {
      const t = alignTargets("r2Score", yTrue, yPred);
      return [columns(squaredError(yPred, t), weights), columns(t, weights), columns(square(t), weights), count(t, weights)];
    },
    result([errors, totals, squares, counts]) {
      const columnsThere = errors.length;
      const n = counts[0] / columnsThere;
      return Array.from(errors, (error, i) => 1 - ratio(error, squares[i] - ratio(totals[i] * totals[i], n))).reduce((a, b) => a + b) / columnsThere;
    },
  }),
  /** e to the mean cross-entropy of the right classes. */
  perplexity: (options: PerplexityOptions = {}): Metric => {
    checkOptions("metrics.perplexity", options, ["fromLogits", "ignoreIndex", "ignoreClass"]);
    return meanMetric("perplexity", losses.sparseCategoricalCrossentropy(options).terms!, Math.exp);
  },
};
