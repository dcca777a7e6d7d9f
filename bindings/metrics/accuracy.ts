/** Shares of right answers. */
import { alignLabels, alignTargets } from "../losses/define_loss.ts";
import { affine, equal, greater, greaterEqual, mul, sub } from "../ops/elementwise.ts";
import { integersOf } from "../ops/operands.ts";
import { argmax, mean, sum } from "../ops/reduce.ts";
import { oneHot } from "../ops/recurrent/packed_sequence.ts";
import { checkCount } from "../base/options.ts";
import { read, write, type Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { meanMetric, metricFactory, thresholdOf, type ThresholdOptions } from "./define_metric.ts";

/** Options of the top-k accuracies. */
export interface TopKOptions {
  /** How many of the highest ratings may hold the right class. @default 5 */
  k?: number;
}

/** 1 where two tensors of labels agree. */
function agree(a: Tensor, b: Tensor): Tensor {
  const trace = currentTrace("accuracy");
  const y = trace.tensor(a.shape);
  trace.call("i32_vequal", y.size, read(integersOf(trace, a)), read(integersOf(trace, b)), write(y));
  return y;
}

const sparse = (yTrue: Tensor, yPred: Tensor): Tensor =>
  agree(alignLabels("sparseCategoricalAccuracy", yTrue, yPred), argmax(yPred));
const categorical = (yTrue: Tensor, yPred: Tensor): Tensor =>
  agree(argmax(alignTargets("categoricalAccuracy", yTrue, yPred)), argmax(yPred));

const binary =
  (threshold: number) =>
  (yTrue: Tensor, yPred: Tensor): Tensor =>
    mean(equal(alignTargets("binaryAccuracy", yTrue, yPred), greater(yPred, threshold)), { axis: -1 });

/** The accuracy that fits the shapes, as Keras chooses it. */
function fitting(yTrue: Tensor, yPred: Tensor): Tensor {
  if (yPred.shape.at(-1) === 1) return binary(0.5)(yTrue, yPred);
  return yTrue.rank < yPred.rank || yTrue.shape.at(-1) === 1 ? sparse(yTrue, yPred) : categorical(yTrue, yPred);
}

/** 1 where fewer than k classes are rated above the right one. */
function withinTop(k: number, labels: Tensor, yPred: Tensor): Tensor {
  const n = yPred.shape.at(-1)!;
  const right = sum(mul(oneHot(labels, n), yPred), { axis: -1, keepDims: true });
  const above = sum(greater(sub(yPred, right), 0), { axis: -1 });
  return affine(greaterEqual(above, k), -1, 1);
}

/** @param labelsOf  the class numbers behind the targets, for errors under a name */
const topAccuracy = (name: string, key: string, labelsOf: (name: string, yTrue: Tensor, yPred: Tensor) => Tensor) =>
  metricFactory<TopKOptions>(name, { k: 5 }, ({ k }) => {
    checkCount(`metrics.${name}`, "k", k);
    return meanMetric(key, (yTrue, yPred) => withinTop(k!, labelsOf(name, yTrue, yPred), yPred));
  });

export const accuracyMetrics = {
  /** Share of right answers: binary, categorical or by class number, as the shapes say. */
  accuracy: metricFactory<object>("accuracy", {}, () => meanMetric("accuracy", fitting)),
  /** Share of right yeses and noes; targets 0 or 1, predictions of the same shape. */
  binaryAccuracy: metricFactory<ThresholdOptions>("binaryAccuracy", { threshold: 0.5 }, ({ threshold }) =>
    meanMetric("binary_accuracy", binary(thresholdOf("metrics.binaryAccuracy", "threshold", threshold))),
  ),
  /** Share of rows whose highest prediction stands where the highest target does. */
  categoricalAccuracy: metricFactory<object>("categoricalAccuracy", {}, () =>
    meanMetric("categorical_accuracy", categorical),
  ),
  /** Share of rows whose highest prediction is that of the class number. */
  sparseCategoricalAccuracy: metricFactory<object>("sparseCategoricalAccuracy", {}, () =>
    meanMetric("sparse_categorical_accuracy", sparse),
  ),
  /** Share of rows that rate the class of the highest target among the k highest. */
  topKCategoricalAccuracy: topAccuracy("topKCategoricalAccuracy", "top_k_categorical_accuracy", (...given) =>
    argmax(alignTargets(...given)),
  ),
  /** Share of rows that rate the class number among the k highest. */
  sparseTopKCategoricalAccuracy: topAccuracy(
    "sparseTopKCategoricalAccuracy",
    "sparse_top_k_categorical_accuracy",
    alignLabels,
  ),
};
