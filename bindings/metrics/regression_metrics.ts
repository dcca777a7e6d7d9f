/** Metrics of numbers and of likelihoods. */
import type { SparseCrossentropyOptions } from "../losses/crossentropy.ts";
import { alignTargets, spread } from "../losses/define_loss.ts";
import { losses } from "../losses/index.ts";
import { mul, square } from "../ops/elementwise.ts";
import { squaredError } from "../ops/loss.ts";
import { mean, sum } from "../ops/reduce.ts";
import type { Tensor } from "../graph/tensor.ts";
import { count, meanMetric, meanOf, metricFactory, ratio } from "./define_metric.ts";

/** Options of `metrics.perplexity`. */
export type PerplexityOptions = Pick<SparseCrossentropyOptions, "fromLogits" | "ignoreIndex" | "ignoreClass">;

/** Share of the sum of squares that is rounding of it. */
const ROUNDING = 1e-6;

/** 1 − error / variance; of targets that are all the same 0, unless there is no error. */
function explained(error: number, squares: number, total: number, n: number): number {
  const variance = squares - ratio(total * total, n);
  if (variance <= ROUNDING * squares) return error === 0 ? 1 : 0;
  return 1 - error / variance;
}

/** Σ over everything but the last axis, of what counts. */
function columns(values: Tensor, weights: Tensor | undefined): Tensor {
  const counted = weights ? mul(values, spread(weights, values)) : values;
  return sum(counted, { axis: values.shape.slice(0, -1).map((_, axis) => axis) });
}

export const regressionMetrics = {
  /** Mean of (t − p)². */
  meanSquaredError: meanOf("meanSquaredError", "mean_squared_error", losses.meanSquaredError),
  /** Mean of |t − p|. */
  meanAbsoluteError: meanOf("meanAbsoluteError", "mean_absolute_error", losses.meanAbsoluteError),
  /** Root of the mean squared error over everything that counts. */
  rootMeanSquaredError: metricFactory<object>("rootMeanSquaredError", {}, () =>
    meanMetric(
      "root_mean_squared_error",
      (yTrue, yPred) => mean(squaredError(yPred, alignTargets("rootMeanSquaredError", yTrue, yPred)), { axis: -1 }),
      Math.sqrt,
    ),
  ),
  /** Share of the targets' variance that is explained, averaged over the last axis as Keras does; of targets that are all the same, 0, or 1 without error. */
  r2Score: metricFactory<object>("r2Score", {}, () => ({
    metricName: "r2_score",
    sums(yTrue, yPred, weights) {
      const t = alignTargets("r2Score", yTrue, yPred);
      return [
        columns(squaredError(yPred, t), weights),
        columns(t, weights),
        columns(square(t), weights),
        count(t, weights),
      ];
    },
    result([errors, totals, squares, counts]) {
      const columnsThere = errors.length;
      const n = counts[0] / columnsThere;
      return (
        Array.from(errors, (error, i) => explained(error, squares[i], totals[i], n)).reduce((a, b) => a + b) /
        columnsThere
      );
    },
  })),
  /** e to the mean cross-entropy of the right classes. */
  perplexity: metricFactory<PerplexityOptions>(
    "perplexity",
    { fromLogits: false, ignoreIndex: undefined, ignoreClass: undefined },
    (options) => meanMetric("perplexity", losses.sparseCategoricalCrossentropy(options).terms!, Math.exp),
  ),
};
