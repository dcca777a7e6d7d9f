/** `fit` without shuffling against Keras: a short last batch, validation, weights, masked losses, regularizers. */
import { layers, optimizers, regularizers, sequential, type Module } from "../../../bindings/index.ts";
import { kerasLayer, numbered, setOrdered, type KerasObject } from "./objects.ts";
import { assertNumbers, assertWithin, type OracleCase } from "../case.ts";

/** The penalties that the case of regularizers names. */
const penalized = (): Module[] => [
  layers.lstm({
    units: 4,
    kernelRegularizer: regularizers.l2({ l2: 0.01 }),
    recurrentRegularizer: regularizers.l1({ l1: 0.003 }),
    biasRegularizer: regularizers.l1l2({ l1: 0.002, l2: 0.004 }),
  }),
  layers.dense({ units: 2, kernelRegularizer: regularizers.l2({ l2: 0.02 }) }),
];

export async function runFit(oracle: OracleCase): Promise<void> {
  const { config, json, tensors } = oracle;
  const x = tensors["input.x"];
  const list = config.regularizers ? penalized() : (config.layers as KerasObject[]).map(kerasLayer);
  const model = sequential(list, { inputShape: x.shape.slice(1) });
  setOrdered(model, numbered(tensors, "weight"));
  const metrics = Object.keys(json.history).filter((key) => key !== "loss" && !key.startsWith("val_"));
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: config.loss, metrics, lossMean: "batches" });
  const { history } = await model.fit(x, tensors.target, {
    epochs: config.epochs,
    batchSize: config.batch_size,
    shuffle: false,
    sampleWeight: tensors["input.sample_weight"],
    classWeight: config.class_weight ?? undefined,
    validationData: tensors["input.x_val"] && [tensors["input.x_val"], tensors.target_val],
  });
  for (const [key, values] of Object.entries(json.history as Record<string, number[]>)) {
    assertNumbers(`${oracle.name} ${key}`, history[key], values, 1e-4);
  }
  Object.values(model.getWeights()).forEach(({ data }, i) =>
    assertWithin(oracle, `output.final_weight.${i}`, data, "trajectory"),
  );
  model.dispose();
}
