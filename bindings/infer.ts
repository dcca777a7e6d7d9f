/**
 * Runs saved models; nothing that trains. `gatewise/worklet` has the same names.
 *
 * @module gatewise/infer
 */
import { factories, type SequentialOf } from "./models/factories.ts";
import { openFile, type FileBytes } from "./saving/load.ts";
import { Network } from "./models/network.ts";

const { restoreModel } = factories(Network);

/** A model that predicts and streams. */
export type Model = SequentialOf<Network>;

/**
 * The model of a file that `save` wrote.
 *
 * @throws FormatError when the bytes are not a whole file of a sequential model, or of a newer version
 */
export const loadModel = (bytes: FileBytes): Model => restoreModel(openFile(bytes));

export { init, initSync, backendInfo, type BackendInfo, type ThreadOptions as InitOptions } from "./runtime/context.ts";
export * from "./base/errors.ts";
export type { NDArray } from "./base/ndarray.ts";
export type { Stream, StreamOptions } from "./inference/stream.ts";
