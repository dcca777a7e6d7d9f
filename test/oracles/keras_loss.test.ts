/** Losses and metrics against Keras: values and gradients, probabilities of 0 and 1, others that do not sum to one. */
import { jit, metrics, ops, valueAndGrad, type Loss, type Metric, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { lossOf } from "../support/keras.ts";
import { assertWithin, type OracleCase } from "../support/oracles.ts";
import { eachSupported } from "./left_out.ts";

function differentiate(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const loss: Loss = lossOf(config.loss);
  const step = valueAndGrad(null, (yTrue: Tensor, yPred: Tensor) => {
    const value = loss(yTrue, yPred);
    return [ops.sum(value), value];
  }, { inputs: true, aux: true });
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
};

function measure(oracle: OracleCase): void {
  for (const [name, [metric, target, prediction]] of Object.entries(METRICS)) {
    const value = jit(null, (yTrue: Tensor, yPred: Tensor) => ops.mean(metric.values(yTrue, yPred)));
    assertWithin(oracle, `output.${name}`, [value(oracle.tensors[`input.${target}`], oracle.tensors[`input.${prediction}`])], "output");
  }
}

eachBackend("losses against Keras", (test) => eachSupported(test, "keras/loss", (oracle) => (oracle.name === "metrics" ? measure(oracle) : differentiate(oracle))));
