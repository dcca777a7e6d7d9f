/** Metrics: one number per sample or step, averaged over what counts. */
import { OptionError, nearest } from "./errors.ts";
import { abs, equal, greater, sub } from "./ops/elementwise.ts";
import { squaredError } from "./ops/loss.ts";
import { floatsOf, integersOf } from "./ops/operands.ts";
import { argmax, mean } from "./ops/reduce.ts";
import { alignLabels, alignTargets } from "./losses/define.ts";
import { read, write, type Tensor } from "./program/tensor.ts";
import { currentTrace } from "./program/trace.ts";

/** A metric as `compile` takes it. */
export interface Metric {
  /** Key in history and scores. */
  readonly metricName: string;
  /** One number per sample [batch] or step [batch, time]. @internal */
  values(yTrue: Tensor, yPred: Tensor): Tensor;
}

/** 1 where two integer tensors agree. */
function agree(a: Tensor, b: Tensor): Tensor {
  const trace = currentTrace("accuracy");
  const y = trace.tensor(a.shape);
  trace.call("i32_vequal", y.size, read(integersOf(trace, a)), read(integersOf(trace, b)), write(y));
  return y;
}

const sparseAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor => agree(alignLabels(yTrue, yPred), argmax(yPred));
const categoricalAccuracy = (yTrue: Tensor, yPred: Tensor): Tensor => agree(argmax(floatsOf(currentTrace("accuracy"), yTrue)), argmax(yPred));

function binaryAccuracy(yTrue: Tensor, yPred: Tensor, threshold: number): Tensor {
  const truth = alignTargets("binaryAccuracy", yTrue, yPred);
  return mean(equal(truth, greater(yPred, threshold)), { axis: -1 });
}

/** The accuracy that fits the shapes, as Keras chooses it. */
function accuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  const classes = yPred.shape.at(-1)!;
  if (classes === 1) return binaryAccuracy(yTrue, yPred, 0.5);
  const sparse = yTrue.rank < yPred.rank || yTrue.shape.at(-1) === 1;
  return sparse ? sparseAccuracy(yTrue, yPred) : categoricalAccuracy(yTrue, yPred);
}

export const metrics = {
  /** Share of right answers: binary, categorical or by class number, as the shapes say. */
  accuracy: (): Metric => ({ metricName: "accuracy", values: accuracy }),
  binaryAccuracy: ({ threshold = 0.5 }: { threshold?: number } = {}): Metric =>
    ({ metricName: "binary_accuracy", values: (yTrue, yPred) => binaryAccuracy(yTrue, yPred, threshold) }),
  categoricalAccuracy: (): Metric => ({ metricName: "categorical_accuracy", values: categoricalAccuracy }),
  sparseCategoricalAccuracy: (): Metric => ({ metricName: "sparse_categorical_accuracy", values: sparseAccuracy }),
  meanSquaredError: (): Metric => ({
    metricName: "mean_squared_error",
    values: (yTrue, yPred) => mean(squaredError(yPred, alignTargets("meanSquaredError", yTrue, yPred)), { axis: -1 }),
  }),
  meanAbsoluteError: (): Metric => ({
    metricName: "mean_absolute_error",
    values: (yTrue, yPred) => mean(abs(sub(yPred, alignTargets("meanAbsoluteError", yTrue, yPred))), { axis: -1 }),
  }),
};

const NAMES: Record<string, keyof typeof metrics> = { acc: "accuracy", mse: "meanSquaredError", mae: "meanAbsoluteError" };

/**
 * A metric given by name, or as it is. A name that was given is its key.
 *
 * @throws OptionError for an unknown name
 */
export function metricOf(metric: Metric | string): Metric {
  if (typeof metric !== "string") return metric;
  const name = NAMES[metric] ?? metric.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (!Object.hasOwn(metrics, name)) throw new OptionError(`compile: expected a known metric, got "${metric}"${nearest(name, Object.keys(metrics))}`);
  return { ...metrics[name as keyof typeof metrics](), metricName: metric.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) };
}

