/** Metrics of yes and no: precision, recall, F1, area under the ROC curve. */
import { alignTargets, spread } from "../losses/define_loss.ts";
import { affine, greater, mul } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";
import { reshape } from "../ops/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { metricFactory, ratio, thresholdOf, total, type ThresholdOptions } from "./define_metric.ts";

/** Options of `metrics.precision` and `metrics.recall`. */
export interface PositivesOptions extends ThresholdOptions {
  /** Keras' name of `threshold`; one number here. */
  thresholds?: number | undefined;
}

/** True positives, all predicted positives, all real ones. */
function positives(name: string, { threshold, thresholds }: PositivesOptions) {
  const limit = thresholdOf(
    `metrics.${name}`,
    thresholds === undefined ? "threshold" : "thresholds",
    thresholds ?? threshold,
  );
  return (yTrue: Tensor, yPred: Tensor, weights: Tensor | undefined): Tensor[] => {
    const truth = alignTargets(name, yTrue, yPred);
    const said = greater(yPred, limit);
    return [total(mul(truth, said), weights), total(said, weights), total(truth, weights)];
  };
}

/** Thresholds of the area under the curve. */
const STEPS = 200;

/** Positives and negatives above each threshold [STEPS]. */
function aboveThresholds(yTrue: Tensor, yPred: Tensor, weights: Tensor | undefined): Tensor[] {
  const truth = alignTargets("auc", yTrue, yPred);
  // Keras' thresholds: one below 0, one above 1, the others evenly between
  const at = Float32Array.from({ length: STEPS }, (_, i) =>
    i === 0 ? -1e-7 : i === STEPS - 1 ? 1 + 1e-7 : i / (STEPS - 1),
  );
  const thresholds = currentTrace("auc").constant(at, [1, STEPS]);
  const said = greater(reshape(yPred, [yPred.size, 1]), thresholds);
  const each = (counted: Tensor): Tensor => {
    const weighted = weights ? mul(counted, spread(weights, counted)) : counted;
    return sum(mul(said, reshape(weighted, [counted.size, 1])), { axis: 0 });
  };
  return [each(truth), each(affine(truth, -1, 1))];
}

/** Trapezia under true positives over false positives. */
function area(hits: ArrayLike<number>, misses: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i + 1 < hits.length; i++) {
    sum +=
      ((ratio(misses[i], misses[0]) - ratio(misses[i + 1], misses[0])) *
        (ratio(hits[i], hits[0]) + ratio(hits[i + 1], hits[0]))) /
      2;
  }
  return sum;
}

export const countMetrics = {
  /** Share of real positives among the predicted ones. */
  precision: metricFactory<PositivesOptions>("precision", { threshold: 0.5, thresholds: undefined }, (options) => ({
    metricName: "precision",
    sums: positives("precision", options),
    result: ([hits, said]) => ratio(hits[0], said[0]),
  })),
  /** Share of the real positives that was found. */
  recall: metricFactory<PositivesOptions>("recall", { threshold: 0.5, thresholds: undefined }, (options) => ({
    metricName: "recall",
    sums: positives("recall", options),
    result: ([hits, , real]) => ratio(hits[0], real[0]),
  })),
  /** Harmonic mean of precision and recall. */
  f1Score: metricFactory<ThresholdOptions>("f1Score", { threshold: 0.5 }, (options) => ({
    metricName: "f1_score",
    sums: positives("f1Score", options),
    result: ([hits, said, real]) => ratio(2 * hits[0], said[0] + real[0]),
  })),
  /** Area under the ROC curve, over 200 thresholds as in Keras. */
  auc: metricFactory<object>("auc", {}, () => ({
    metricName: "auc",
    sums: aboveThresholds,
    result: ([hits, misses]) => area(hits, misses),
  })),
};
