/** Losses and metrics against Keras: values and gradients, probabilities of 0 and 1, others that do not sum to one. */
import {
  layers,
  metrics,
  ops,
  sequential,
  valueAndGrad,
  type Loss,
  type Metric,
  type Tensor,
} from "../../../bindings/index.ts";
import { lossOf } from "./objects.ts";
import { assertWithin, type OracleCase } from "../case.ts";

function differentiate(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const loss: Loss = lossOf(config.loss);
  const step = valueAndGrad(
    null,
    (yTrue: Tensor, yPred: Tensor) => {
      const value = loss(yTrue, yPred);
      return [ops.sum(value), value];
    },
    { inputs: true, aux: true },
  );
  const { aux, inputGrads } = step(tensors.target, tensors["input.pred"]);
  assertWithin(oracle, "output.loss", typeof aux === "number" ? [aux] : aux.data, "output");
  assertWithin(oracle, "grad.pred", inputGrads[1].data, "gradient");
}

/** Reference → metric, targets, predictions. */
const METRICS: Record<string, [Metric, target: string, prediction: string]> = {
  accuracy_binary: [metrics.binaryAccuracy(), "bits", "scores"],
  "accuracy_binary_threshold_0.7": [metrics.binaryAccuracy({ threshold: 0.7 }), "bits", "scores"],
  accuracy_categorical: [metrics.categoricalAccuracy(), "onehot", "prob"],
  accuracy_sparse: [metrics.sparseCategoricalAccuracy(), "labels", "prob"],
  mae: [metrics.meanAbsoluteError(), "b_target", "a_pred"],
  precision: [metrics.precision(), "bits", "scores"],
  r2: [metrics.r2Score(), "b_target", "a_pred"],
  recall: [metrics.recall(), "bits", "scores"],
  rmse: [metrics.rootMeanSquaredError(), "b_target", "a_pred"],
  top2_sparse: [metrics.sparseTopKCategoricalAccuracy({ k: 2 }), "labels", "prob"],
};

/** Metrics of predictions that are given: the model passes them on. */
function measure(oracle: OracleCase): void {
  const { tensors } = oracle;
  for (const output of Object.keys(tensors).filter((name) => name.startsWith("output."))) {
    const [metric, target, prediction] = METRICS[output.replace("output.", "")];
    const model = sequential([layers.activation({ activation: "linear" })]);
    model.compile({ loss: () => ops.zeros([]), metrics: [metric] });
    const scores = model.evaluate(tensors[`input.${prediction}`], tensors[`input.${target}`]);
    assertWithin(oracle, output, [scores[metric.metricName]], "output");
    model.dispose();
  }
}

export const runLoss = (oracle: OracleCase): void => (oracle.name === "metrics" ? measure : differentiate)(oracle);
