/**
 * What happens to data before a model sees them.
 *
 * @module gatewise/data
 */
export { oneHot } from "./one_hot.ts";
export { minMaxScaler, robustScaler, standardScaler } from "./scalers.ts";
export type { Scaler, ScalerJson } from "./scalers.ts";
export { padSequences } from "./sequences.ts";
export type { PadOptions, Padded, PaddedData, PaddedLengths, Side } from "./sequences.ts";
export { split } from "./split.ts";
export type { Piece, PieceOf, Split, SplitOptions } from "./split.ts";
export { windows } from "./windows.ts";
export type { WindowOptions, Windows } from "./windows.ts";
export { Random, type RandomState } from "../base/random.ts";
export type { ArrayInput, NDArray, ShapedInput } from "../base/ndarray.ts";
