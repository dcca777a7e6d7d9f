/** Metrics: what a model is judged by beside its loss. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { knownName, namesOf } from "../base/options.ts";
import { normalize, type ArrayInput, type NDArray } from "../base/ndarray.ts";
import { accuracyMetrics } from "./accuracy.ts";
import { countMetrics } from "./counts.ts";
import { functionMetric, type Metric, type MetricFunction } from "./define_metric.ts";
import { regressionMetrics } from "./regression_metrics.ts";
import { lossMetrics } from "./likelihoods.ts";

const factories: typeof accuracyMetrics & typeof countMetrics & typeof regressionMetrics & typeof lossMetrics = {
  ...accuracyMetrics,
  ...countMetrics,
  ...regressionMetrics,
  ...lossMetrics,
};

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

const functions = {
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

/**
 * Metrics for `compile`, over all that counts in an epoch; and `confusionMatrix`, of arrays.
 *
 * @namespace
 */
export const metrics: typeof factories & typeof functions = { ...factories, ...functions };

/** Short names of Keras. */
const SHORT_NAMES = {
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
} as const satisfies Record<string, keyof typeof factories>;

/** Name of a metric: its own, a short one, or in another spelling of Keras, such as `"mean_squared_error"`. */
export type MetricName = keyof typeof factories | keyof typeof SHORT_NAMES | (string & {});

/**
 * A metric given by name, or as it is. A short name is its key in the logs.
 *
 * @throws OptionError for an unknown name
 */
export function metricOf(metric: Metric | MetricName | MetricFunction): Metric {
  if (typeof metric === "function") return functionMetric(metric);
  if (typeof metric === "object" && typeof metric?.sums === "function") return metric;
  const made = factories[knownName("compile", "metric", metric, namesOf(factories), SHORT_NAMES)]();
  return Object.hasOwn(SHORT_NAMES, (metric as string).toLowerCase())
    ? { ...made, metricName: metric as string }
    : made;
}

export type { Metric, MetricFunction } from "./define_metric.ts";
