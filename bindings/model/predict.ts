/** Running a model over arrays, batch by batch. */
import { ShapeError, TraceError } from "../errors.ts";
import { checkCount, checkOptions } from "../options.ts";
import type { NDArray } from "../program/array.ts";
import { TracedFunction } from "../program/functions.ts";
import { describe, sizeOf, type Steps, type Tensor } from "../program/tensor.ts";
import { flattenResult, type FlatArguments } from "../program/tree.ts";
import { attachSteps, inputArrays, namedArrays, rowsOf, stepArrays, type ModelInput, type StepOptions } from "./inputs.ts";
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
      const outputs: unknown = model.call(...inputs);
      return checkOutputs(model, outputs, inputs[0].shape[0]);
    };
    traced = new TracedFunction("predict", model, fn as never, { stateful: statefulStore(model) });
    model.tracedFunctions.set("predict", traced);
  }
  return traced;
}

/** @throws TraceError, ShapeError unless there is an output, and a row of each for every row of the input */
function checkOutputs(model: Network, outputs: unknown, rows: number): unknown {
  const { tensors } = flattenResult(outputs);
  if (tensors.length === 0) throw new TraceError(`${model.describe()}: expected call to give a tensor, or a list of them, got ${outputs === null ? "null" : typeof outputs}`);
  const odd = tensors.find(({ shape }) => shape[0] !== rows);
  if (odd) throw new ShapeError(`${model.describe()}: expected an output [batch, ..] of ${rows} rows as the input, got ${describe(odd.shape)}; use jit(model, fn) for results of other shapes`);
  return outputs;
}

/** What a model gives for arrays: one, or a list or a record of them as its `call` does. */
export type Prediction = NDArray | Prediction[] | { [output: string]: Prediction };

/** See {@link Network.predict}. */
export function predict(model: Network, x: ModelInput, options: PredictOptions): Prediction {
  model.throwIfDisposed();
  checkOptions("predict", options, ["batchSize", "lengths", "mask"]);
  const { batchSize = 32 } = options;
  checkCount("predict", "batchSize", batchSize);
  const arrays = inputArrays(x, "predict: x");
  const steps = stepArrays(options, arrays[0].shape, "predict");
  const traced = predictFunction(model);
  const rows = arrays[0].shape[0];
  const batch = (start: number, end: number): FlatArguments => {
    const part = Object.fromEntries(Object.entries(steps).map(([name, array]) => [name, rowsOf(array, start, end)]));
    return traced.flatten([arrays.map((array) => rowsOf(array, start, end)), part]);
  };
  const compiled = traced.compile(batch(0, Math.min(rows, batchSize)));
  namedArrays("predict", arrays, steps).forEach(([name, array], i) => compiled.program.inputs[i].check(array.data, name));
  const outputs: NDArray[] = [];
  for (let start = 0; start < rows; start += batchSize) {
    const end = Math.min(rows, start + batchSize);
    const { program } = traced.run(batch(start, end));
    program.outputs.forEach((port, i) => {
      outputs[i] ??= { data: new Float32Array(rows * sizeOf(port.shape.slice(1))), shape: [rows, ...port.shape.slice(1)] };
      outputs[i].data.set(port.view, start * sizeOf(port.shape.slice(1)));
    });
  }
  const result = compiled.result((_port, i) => outputs[i]) as Prediction;
  return Array.isArray(result) && outputs.length === 1 ? outputs[0] : result;
}
