/**
 * Recurrent neural networks: models, training, streams, saving.
 *
 * @module gatewise
 */
import { factories, type CellOf, type LayerOf, type SequentialOf } from "./model/factories.ts";
import { Module } from "./model/module.ts";
import { openFile, type FileBytes } from "./model/load.ts";

const made = factories(Module);

/**
 * Layers by Keras' names in camelCase; each is a Module.
 *
 * @namespace
 */
export const layers = made.layers;
/**
 * Cells for `layers.rnn` and for stepping by hand: `call(x, states)` gives `[output, states]`.
 *
 * @namespace
 */
export const cells = made.cells;
/** Layers one after the other. */
export const sequential = made.sequential;

/** A layer that trains and runs. */
export type Layer = LayerOf<Module>;
/** A cell that trains and runs. */
export type Cell = CellOf<Module>;
/** A model of `sequential`, which trains and runs. */
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
export { init, initSync, backendInfo } from "./runtime/context.ts";
export { jit, trainStep, valueAndGrad } from "./functions.ts";
/** What models written by hand are made of. */
export * as ops from "./ops/index.ts";
export { initializers } from "./initializers.ts";
export { regularizers } from "./regularizers.ts";
export { constraints } from "./constraints.ts";
export { losses } from "./losses/index.ts";
export { metrics } from "./metrics/index.ts";
export { optimizers, Optimizer } from "./optimizers/index.ts";
export { schedules } from "./schedules.ts";
export { callbacks } from "./callbacks.ts";
export * from "./errors.ts";
export type * from "./types.ts";
