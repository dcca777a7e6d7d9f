/**
 * Scalers: every feature to a range that networks learn well, and back.
 *
 *   y = (x − center) / scale        x = y · scale + center        center, scale [features]
 *
 * They differ only in how `fit` chooses center and scale. The last axis is the features; an array of one axis has one
 * feature. Arithmetic is in double precision, results are f32.
 */
import { FormatError, ShapeError, StateError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { checkFinite, readArray } from "../base/ndarray.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { describe } from "../base/shape.ts";

/** What a scaler saves: plain JSON. */
export interface ScalerJson {
  /** Which scaler. */
  type: string;
  /** Of each feature. */
  center: number[];
  /** Of each feature. */
  scale: number[];
}

/** Scales every feature, and back: y = (x − center) / scale. */
export interface Scaler {
  /**
   * Chooses center and scale from data: [n], [n, features] or [n, time, features]. A constant feature gets scale 1.
   *
   * @throws ValueError for NaN or infinite numbers, with their place
   * @throws ShapeError when there are no rows
   */
  fit(x: ArrayInput): Scaler;
  /**
   * Scales an array whose last axis is the features; a scaler of one feature takes any shape.
   *
   * @throws ShapeError for another number of features
   * @throws ValueError for NaN or infinite numbers, with their place
   * @throws StateError before `fit`
   */
  transform(x: ArrayInput): NDArray;
  /** Undoes {@link transform}, with the same errors. */
  inverse(y: ArrayInput): NDArray;
  /**
   * The scaler of one feature alone, for the predictions of a model that was given several.
   *
   * @throws ValueError when there is no such feature
   * @throws StateError before `fit`
   */
  feature(index: number): Scaler;
  /** Plain JSON: `JSON.stringify(scaler)` saves, `from` of the function that made it loads. */
  toJSON(): ScalerJson;
}

/** From all values of one feature to its center and scale. Scale 0 becomes 1. */
type Fit = (column: Float64Array) => { center: number; scale: number };

interface Matrix {
  readonly data: ArrayLike<number>;
  readonly shape: number[];
  readonly features: number;
}

function readFinite(x: ArrayInput, subject: string): Matrix {
  const { data, shape } = readArray(x, subject);
  checkFinite({ data, shape }, subject);
  return { data, shape: [...shape], features: shape.length < 2 ? 1 : shape[shape.length - 1] };
}

function scaler(type: string, fit: Fit, center: readonly number[], scale: readonly number[]): Scaler {
  function apply(x: ArrayInput, what: string, each: (value: number, feature: number) => number): NDArray {
    const subject = `${type}Scaler ${what}`;
    const count = center.length;
    if (count === 0) throw new StateError(`${subject}: expected fit before use, got none`);
    const { data, shape, features } = readFinite(x, subject);
    if (count > 1 && features !== count) {
      throw new ShapeError(`${subject}: expected ${count} features on the last axis, got ${describe(shape)}`);
    }
    return { data: Float32Array.from(data, (value, i) => each(value, i % count)), shape };
  }
  const self: Scaler = {
    fit(x) {
      const { data, shape, features } = readFinite(x, `${type}Scaler fit`);
      const rows = data.length / features;
      if (!(rows >= 1))
        throw new ShapeError(`${type}Scaler fit: expected at least one row with features, got ${describe(shape)}`);
      const fitted = Array.from({ length: features }, (_, feature) =>
        fit(Float64Array.from({ length: rows }, (_, row) => data[row * features + feature])),
      );
      center = fitted.map((one) => one.center);
      scale = fitted.map((one) => one.scale || 1);
      return self;
    },
    transform: (x) => apply(x, "transform", (value, k) => (value - center[k]) / scale[k]),
    inverse: (y) => apply(y, "inverse", (value, k) => value * scale[k] + center[k]),
    feature(index) {
      if (center.length === 0) throw new StateError(`${type}Scaler feature: expected fit before use, got none`);
      if (!(index in center))
        throw new ValueError(`${type}Scaler: expected a feature from 0 to ${center.length - 1}, got ${index}`);
      return scaler(type, fit, [center[index]], [scale[index]]);
    },
    toJSON: () => ({ type, center: [...center], scale: [...scale] }),
  };
  return self;
}

/** The scaler that `toJSON` described. */
function restore(type: string, fit: Fit, json: ScalerJson | string): Scaler {
  const expected = `${type}Scaler: expected the JSON of such a scaler`;
  let value: Partial<ScalerJson> | null;
  try {
    value = typeof json === "string" ? (JSON.parse(json) as ScalerJson) : json;
  } catch (cause) {
    throw new FormatError(`${expected}, got another text`, { cause });
  }
  const { center, scale } = value ?? {};
  const numbers = (list: unknown): list is number[] => Array.isArray(list) && list.every(Number.isFinite);
  if (value?.type !== type) throw new FormatError(`${expected}, got type ${JSON.stringify(value?.type) ?? "none"}`);
  if (!numbers(center) || !numbers(scale) || center.length !== scale.length || scale.includes(0)) {
    throw new FormatError(`${expected}, got other things as center and scale`);
  }
  return scaler(type, fit, center, scale);
}

function extremes(column: Float64Array): [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of column) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** Mean and population standard deviation, taken from the least value on, which costs a large offset no digits. */
function standard(column: Float64Array): { center: number; scale: number } {
  const [least] = extremes(column);
  const mean = column.reduce((sum, value) => sum + (value - least), 0) / column.length;
  const variance = column.reduce((sum, value) => sum + (value - least - mean) ** 2, 0) / column.length;
  return { center: least + mean, scale: Math.sqrt(variance) };
}

/** The quantile of sorted values, linear between neighbours. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

function robust(column: Float64Array): { center: number; scale: number } {
  const sorted = column.slice().sort();
  const scale = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  const spread = sorted[sorted.length - 1] - sorted[0];
  // quartiles that differ by rounding only would throw outliers beyond the range of floats
  return { center: quantile(sorted, 0.5), scale: scale > spread * 1e-12 ? scale : 0 };
}

const toRange =
  (low: number, high: number): Fit =>
  (column) => {
    const [least, most] = extremes(column);
    const scale = (most - least) / (high - low) || 1;
    return { center: least - low * scale, scale };
  };

/**
 * Every feature to a range: its least value to the low end, its largest to the high end. For sensors with known limits.
 *
 * @throws ValueError when the range is empty
 * @throws OptionError for an unknown option
 * @example
 * const scaler = minMaxScaler({ range: [-1, 1] }).fit(train);
 * const forecast = scaler.inverse(model.predict(scaler.transform(test)));
 */
export function minMaxScaler(options: { range?: readonly [number, number] } = {}): Scaler {
  checkOptions("minMaxScaler", options, ["range"]);
  const { range = [0, 1] } = options;
  const [low, high] = Array.isArray(range) ? (range as unknown as readonly [number, number]) : [NaN, NaN];
  const fits = typeof low === "number" && typeof high === "number" && low < high && Number.isFinite(high - low);
  if (!fits)
    throw new ValueError(
      `minMaxScaler: expected a range [low, high], got ${Array.isArray(range) ? describe(range) : shown(range)}`,
    );
  return scaler("minMax", toRange(low, high), [], []);
}
/** The scaler that `toJSON` described. @throws FormatError when it describes another thing */
minMaxScaler.from = (json: ScalerJson | string): Scaler => restore("minMax", toRange(0, 1), json);

/**
 * Every feature to mean 0 and standard deviation 1 (population, as NumPy and Keras' Normalization have it).
 *
 * @example
 * const x = standardScaler().fit(train).transform(test);
 */
export function standardScaler(): Scaler {
  return scaler("standard", standard, [], []);
}
/** The scaler that `toJSON` described. @throws FormatError when it describes another thing */
standardScaler.from = (json: ScalerJson | string): Scaler => restore("standard", standard, json);

/**
 * Every feature to median 0 and a distance of 1 between its quartiles: for data with outliers.
 *
 * @example
 * const x = robustScaler().fit(train).transform(test);
 */
export function robustScaler(): Scaler {
  return scaler("robust", robust, [], []);
}
/** The scaler that `toJSON` described. @throws FormatError when it describes another thing */
robustScaler.from = (json: ScalerJson | string): Scaler => restore("robust", robust, json);
