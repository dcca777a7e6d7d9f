/** 20 updates by each optimizer against Keras, with clipping, decay and a schedule. */
import { sequential } from "../../../bindings/index.ts";
import { kerasLayer, kerasOptimizer, numbered, setOrdered, type KerasObject } from "./objects.ts";
import { assertWithin, type OracleCase } from "../case.ts";
import { runSchedules } from "../schedules.ts";

function train(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const [x, target] = [tensors["input.x"], tensors.target];
  const model = sequential((config.model as KerasObject[]).map(kerasLayer), { inputShape: x.shape.slice(1) });
  setOrdered(model, numbered(tensors, "weight"));
  model.compile({ optimizer: kerasOptimizer(config.optimizer), loss: config.loss.split(" ")[0] });
  const values = Array.from({ length: config.steps }, () => model.trainOnBatch(x, target).loss);
  assertWithin(oracle, "output.losses", values, "trajectory");
  Object.values(model.getWeights()).forEach(({ data }, i) =>
    assertWithin(oracle, `output.final_weight.${i}`, data, "trajectory"),
  );
  model.dispose();
}

export const runTraining = (oracle: OracleCase): void =>
  (oracle.name === "lr_schedules" ? runSchedules : train)(oracle);
