/**
 * Runs saved models; nothing that trains. `gatewise/worklet` has the same names.
 *
 * @module gatewise/infer
 */
import { loadModel as load } from "./models/load_model.ts";
import type { Model as FullModel } from "./models/model.ts";
import type { Module } from "./models/module.ts";
import type { Network } from "./models/network.ts";
import type { FileBytes } from "./saving/load.ts";

/** A model that predicts and streams. */
export type Model = Omit<FullModel, Exclude<keyof Module, keyof Network> | "getConfig">;

/**
 * The model of a file that `save` wrote.
 *
 * @throws FormatError when the bytes are not a whole file of a model of layers, or of a newer version
 */
export const loadModel: (bytes: FileBytes) => Model = load;

export { init, initSync, backendInfo, type BackendInfo, type ThreadOptions as InitOptions } from "./runtime/context.ts";
export * from "./base/errors.ts";
export type { NDArray } from "./base/ndarray.ts";
export type { Stream, Streamed, StreamOptions } from "./inference/stream.ts";
export type { Frame, Frames } from "./inference/stream_lists.ts";
