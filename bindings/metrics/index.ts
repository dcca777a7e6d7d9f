/** Metrics: what a model is judged by beside its loss. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { knownName, namesOf } from "../base/options.ts";
import { normalize, type ArrayInput, type NDArray } from "../base/ndarray.ts";
import { accuracyMetrics } from "./accuracy.ts";
import { countMetrics } from "./counts.ts";
import type { Metric } from "./define.ts";
import { errorMetrics } from "./errors.ts";
import { lossMetrics } from "./likelihoods.ts";

const factories = { ...accuracyMetrics, ...countMetrics, ...errorMetrics, ...lossMetrics };

/** See {@link metrics}. */
function confusionMatrix(yTrue: ArrayInput, yPred: ArrayInput, classes?: number): NDArray {
  const [truth, said] = [
    normalize(yTrue, "confusionMatrix: yTrue").data,
    normalize(yPred, "confusionMatrix: yPred").data,
  ];
  if (truth.length !== said.length)
    throw new ShapeError(
      `confusionMatrix: expected ${truth.length} predictions as there are labels, got ${said.length}`,
    );
  let largest = 0;
  for (let i = 0; i < truth.length; i++) largest = Math.max(largest, truth[i], said[i]);
  const n = classes ?? largest + 1;
  const data = new Float32Array(n * n);
  for (let i = 0; i < truth.length; i++) {
    const bad = [truth[i], said[i]].find((label) => !Number.isInteger(label) || label < 0 || label >= n);
    if (bad !== undefined) throw new ValueError(`confusionMatrix: expected classes of 0…${n - 1}, got ${bad} at ${i}`);
    data[truth[i] * n + said[i]]++;
  }
  return { data, shape: [n, n] };
}

/**
 * Metrics for `compile`, over all that counts in an epoch; and `confusionMatrix`, of arrays.
 *
 * @namespace
 */
export const metrics = {
  ...factories,
  /**
   * How often each class was taken for each.
   *
   * @param yTrue    class numbers, any shape
   * @param yPred    class numbers of the same shape
   * @param classes  how many there are; one more than the largest number when absent
   * @returns `[classes, classes]`: row is the truth, column the prediction
   * @throws ShapeError for another number of predictions than labels
   * @throws ValueError for a label that is no class
   */
  confusionMatrix,
};

/** Keras' short names. */
const NAMES: Record<string, keyof typeof factories> = {
  acc: "accuracy",
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  rmse: "rootMeanSquaredError",
  f1: "f1Score",
  r2: "r2Score",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  bce: "binaryCrossentropy",
  kld: "klDivergence",
  logcosh: "logCoshError",
};

/**
 * A metric given by name, or as it is. A name that was given is its key.
 *
 * @throws OptionError for an unknown name
 */
export function metricOf(metric: Metric | string): Metric {
  if (typeof metric === "object" && typeof metric?.parts === "function") return metric;
  const made = factories[knownName("compile", "metric", metric, namesOf(factories), NAMES)]();
  return Object.hasOwn(NAMES, (metric as string).toLowerCase()) ? { ...made, metricName: metric as string } : made;
}

export type { Metric } from "./define.ts";
