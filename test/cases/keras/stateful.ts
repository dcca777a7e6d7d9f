/** Layers that carry their states from call to call, against Keras. */
import type { NDArray } from "../../../bindings/index.ts";
import { kerasLayer, numbered, outputNames, setOrdered } from "./objects.ts";
import { assertWithin, type OracleCase } from "../case.ts";

export function runStateful(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const layer = kerasLayer(config.layer);
  layer.predict(tensors["input.x0"]); // builds the layer
  setOrdered(layer, numbered(tensors, "weight"));
  layer.resetStates();
  let outputs: NDArray[] = [];
  for (const step of config.steps as string[]) {
    if (step === "reset_state") layer.resetStates();
    else outputs = [layer.predict(tensors[step.replace("call with ", "")])].flat();
  }
  outputNames(oracle).forEach((name, i) => assertWithin(oracle, `output.${name}`, outputs[i].data, "output"));
  layer.dispose();
}
