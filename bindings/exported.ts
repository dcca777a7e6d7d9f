/**
 * Runs programs that `model.export` recorded. It has kernels and their calls, no layers. Works in pages, workers,
 * AudioWorklets and Node.
 *
 * @module gatewise/exported
 */
export { loadExported, type Exported, type LoadOptions } from "./export/exported_model.ts";
export * from "./base/errors.ts";
export type { ModelInput } from "./inference/model_inputs.ts";
export type { Prediction } from "./inference/predict.ts";
export type { Stream } from "./inference/stream.ts";
export type { Frame, Frames } from "./inference/stream_lists.ts";
export type { FileBytes } from "./saving/load.ts";
export type { NDArray } from "./base/ndarray.ts";
