/** Running a model over arrays, batch by batch. */
import { checkOptions } from "../options.ts";
import type { NDArray } from "../program/array.ts";
import { TracedFunction } from "../program/functions.ts";
import { sizeOf, type Steps, type Tensor } from "../program/tensor.ts";
import { attachSteps, checkCount, inputArrays, rowsOf, stepArrays, type ModelInput, type StepOptions } from "./inputs.ts";
import type { Network } from "./network.ts";
import { statefulStore } from "./states.ts";

export interface PredictOptions extends StepOptions {
  /** Rows per batch. */
  batchSize?: number | undefined;
}

type PredictFunction = (inputs: Tensor[], steps: Steps) => unknown;

function predictFunction(model: Network): TracedFunction {
  let traced = model.tracedFunctions.get("predict");
  if (!traced) {
    const fn: PredictFunction = (inputs, steps) => {
      attachSteps(inputs, steps);
      return model.call(...inputs);
    };
    traced = new TracedFunction("predict", model, fn as never, { stateful: statefulStore(model) });
    model.tracedFunctions.set("predict", traced);
  }
  return traced;
}

/** See {@link Network.predict}. */
export function predict(model: Network, x: ModelInput, options: PredictOptions): NDArray | NDArray[] {
  model.throwIfDisposed();
  checkOptions("predict", options, ["batchSize", "lengths", "mask"]);
  const { batchSize = 32 } = options;
  checkCount("predict", "batchSize", batchSize);
  const arrays = inputArrays(x, "predict: x");
  const steps = stepArrays(options, arrays[0].shape, "predict");
  const traced = predictFunction(model);
  const rows = arrays[0].shape[0];
  const outputs: NDArray[] = [];
  for (let start = 0; start < rows; start += batchSize) {
    const end = Math.min(rows, start + batchSize);
    const part = Object.fromEntries(Object.entries(steps).map(([name, array]) => [name, rowsOf(array, start, end)]));
    const { program } = traced.run(traced.flatten([arrays.map((array) => rowsOf(array, start, end)), part]));
    program.outputs.forEach((port, i) => {
      outputs[i] ??= { data: new Float32Array(rows * sizeOf(port.shape.slice(1))), shape: [rows, ...port.shape.slice(1)] };
      outputs[i].data.set(port.view, start * sizeOf(port.shape.slice(1)));
    });
  }
  return outputs.length === 1 ? outputs[0] : outputs;
}
