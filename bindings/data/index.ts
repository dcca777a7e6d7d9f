/** `gatewise/data`: what happens to data before a model sees them. */
export { oneHot } from "./one_hot.ts";
export { minMaxScaler, robustScaler, standardScaler } from "./scalers.ts";
export type { Scaler, ScalerJson } from "./scalers.ts";
export { padSequences } from "./sequences.ts";
export type { PadOptions, Padded } from "./sequences.ts";
export { split } from "./split.ts";
export type { Piece, PieceOf, SplitOptions } from "./split.ts";
export { windows } from "./windows.ts";
export type { WindowOptions } from "./windows.ts";
export { Random } from "../random.ts";
export type { ArrayInput, NDArray } from "../program/array.ts";
