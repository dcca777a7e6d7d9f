/** The public surface of `gatewise`. */
import { factories, type CellOf, type LayerOf, type SequentialOf } from "./model/factories.ts";
import { Module } from "./model/module.ts";
import { openFile, type FileBytes } from "./model/load.ts";

const made = factories(Module);

/** Layers by Keras' names in camelCase; each is a Module. */
export const layers = made.layers;
/** Cells for `layers.rnn` and for stepping by hand: `call(x, states)` gives `[output, states]`. */
export const cells = made.cells;
/** Layers one after the other. */
export const sequential = made.sequential;

export type Layer = LayerOf<Module>;
export type Cell = CellOf<Module>;
export type Sequential = SequentialOf<Module>;

/**
 * The model of a file that `save` wrote, built, with its weights.
 *
 * @throws FormatError when the bytes are not a whole file of a sequential model, or of a newer version
 */
export function loadModel(bytes: FileBytes): Sequential {
  const opened = openFile(bytes);
  const model = made.restoreModel(opened);
  try {
    model.takeOptimizer(opened);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

export { Module };
export { init, initSync, backendInfo, type BackendInfo, type ThreadOptions as InitOptions } from "./runtime/context.ts";
export { jit, trainStep, valueAndGrad, type FunctionOptions, type GradOptions, type GradResult, type TrainStepOptions } from "./functions.ts";
export * as ops from "./ops/index.ts";
export { initializers, type InitializerInput } from "./initializers.ts";
export { regularizers, type RegularizerInput } from "./regularizers.ts";
export { constraints, type ConstraintInput } from "./constraints.ts";
export type { ActivationInput } from "./layers/activations.ts";
export { losses, type Loss } from "./losses/index.ts";
export { metrics, type Metric } from "./metrics/index.ts";
export { optimizers, Optimizer, type Schedule } from "./optimizers/index.ts";
export { schedules } from "./schedules.ts";
export { callbacks, type Callback } from "./callbacks.ts";
export * from "./errors.ts";
export type { Tensor } from "./program/tensor.ts";
export type { ArrayInput, NDArray } from "./program/array.ts";
export type { Stream, StreamOptions } from "./model/stream.ts";
export type { Logs } from "./model/scores.ts";
export type { FitOptions, History, TrainEvent } from "./model/train.ts";
export type { CompileOptions, EvaluateOptions, MetricsOption } from "./model/module.ts";
export type { BatchItem, BatchStream } from "./model/batches.ts";
export type { BatchOptions, Targets } from "./model/dataset.ts";
export type { ArrayShape, MemoryNeed } from "./model/memory.ts";
export type { QuantizeOptions } from "./model/quantize.ts";
export type { PredictOptions, Prediction } from "./model/predict.ts";
export type { ArrayRecord } from "./model/network.ts";
