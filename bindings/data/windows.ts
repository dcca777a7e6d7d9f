/** Time series cut into windows: what a model sees, and what comes after it. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkFlags, checkOptions } from "../base/options.ts";
import { isTypedArray, readArray } from "../base/ndarray.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { describe } from "../base/shape.ts";

/** Options of `windows`. */
export interface WindowOptions {
  /** Rows that the model sees. */
  length: number;
  /** The model sees every n-th row of the series: Keras' `sampling_rate`. @default 1 */
  samplingRate?: number;
  /** Rows to predict. @default 1 */
  horizon?: number;
  /** Rows from the last row that the model sees to the first one to predict; 0 predicts that very row. @default 1 */
  offset?: number;
  /** Rows from the start of a window to that of the next. @default 1 */
  stride?: number;
  /** The features to predict. Default: all. */
  targets?: readonly number[];
  /** Gives the rows of each window in reversed order, the latest first. @default false */
  reversed?: boolean;
}

/** What `windows` gives. */
export interface Windows {
  /** What the model sees: `[n, length, features]`. */
  x: NDArray;
  /** What comes after it. */
  y: NDArray;
}

interface Series {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly features: number;
}

function readSeries(value: ArrayInput, subject: string): Series {
  const { data, shape } = readArray(value, subject);
  if (shape.length !== 1 && shape.length !== 2) {
    throw new ShapeError(`${subject}: expected a series [time] or [time, features], got ${describe(shape)}`);
  }
  return { data, rows: shape[0], features: shape[1] ?? 1 };
}

/** One series or several: a list of typed or shaped arrays, or numbers nested three deep, are several. */
function listSeries(series: ArrayInput | readonly ArrayInput[]): Series[] {
  if (!Array.isArray(series)) return [readSeries(series as ArrayInput, "windows")];
  const first: unknown = series[0];
  const several = isTypedArray(first) || (Array.isArray(first) ? Array.isArray(first[0]) : typeof first === "object");
  if (!several) return [readSeries(series as ArrayInput, "windows")];
  const list = series.map((one, i) => readSeries(one, `windows: series ${i}`));
  list.forEach(({ features }, i) => {
    if (features !== list[0].features)
      throw new ShapeError(
        `windows: series ${i}: expected ${list[0].features} features as in series 0, got ${features}`,
      );
  });
  return list;
}

const NAMES = ["length", "samplingRate", "horizon", "offset", "stride", "targets", "reversed"] as const;

function checkCounts(options: WindowOptions): Required<WindowOptions> {
  checkOptions("windows", options, NAMES);
  checkFlags("windows", options, ["reversed"]);
  const { length, samplingRate = 1, horizon = 1, offset = 1, stride = 1, targets = [], reversed = false } = options;
  for (const [name, value] of Object.entries({ length, samplingRate, horizon, offset, stride })) {
    const least = name === "offset" ? 0 : 1;
    if (!(Number.isInteger(value) && value >= least))
      throw new ValueError(`windows: expected ${name} of at least ${least}, got ${shown(value)}`);
  }
  return { length, samplingRate, horizon, offset, stride, targets, reversed };
}

/**
 * Cuts series into windows in time order. No window crosses from one series into the next.
 *
 * @param series  [time], [time, features], or a list of such arrays with the same features
 * @returns x [n, length, features]; y [n, horizon, targets], without the axis of the horizon when that is 1, else
 *          without the axis of the targets when there is one
 * @throws ShapeError when no series is as long as a window and its targets
 * @throws ValueError for counts out of their range and for targets that are no feature
 * @throws OptionError for an unknown option
 * @example
 * const { x, y } = windows(Float32Array.of(1, 2, 3, 4, 5), { length: 3 });
 * x.shape;   // [2, 3, 1]: 1 2 3, 2 3 4
 * y.data;    // 4 5, of shape [2, 1]
 */
export function windows(series: ArrayInput | readonly ArrayInput[], options: WindowOptions): Windows {
  const { length, samplingRate, horizon, offset, stride, targets: chosen, reversed } = checkCounts(options);
  const list = listSeries(series);
  const features = list[0].features;
  const targets = chosen.length > 0 ? chosen : Array.from({ length: features }, (_, k) => k);
  for (const target of targets) {
    if (!(Number.isInteger(target) && target >= 0 && target < features)) {
      throw new ValueError(`windows: expected targets from 0 to ${features - 1}, got ${target}`);
    }
  }
  const last = (length - 1) * samplingRate;
  const needed = last + Math.max(1, offset + horizon);
  const counts = list.map(({ rows }) => Math.max(0, Math.floor((rows - needed) / stride) + 1));
  const n = counts.reduce((sum, count) => sum + count, 0);
  if (n === 0) {
    const longest = list.reduce((most, { rows }) => Math.max(most, rows), 0);
    throw new ShapeError(`windows: expected at least the ${needed} rows of a window and its targets, got ${longest}`);
  }
  const x = new Float32Array(n * length * features);
  const y = new Float32Array(n * horizon * targets.length);
  let xAt = 0;
  let yAt = 0;
  list.forEach(({ data }, i) => {
    for (let start = 0, left = counts[i]; left > 0; left--, start += stride) {
      for (let step = 0; step < length; step++) {
        const row = start + (reversed ? last - step * samplingRate : step * samplingRate);
        for (let k = 0; k < features; k++) x[xAt++] = data[row * features + k];
      }
      for (let row = start + last + offset; row < start + last + offset + horizon; row++) {
        for (const target of targets) y[yAt++] = data[row * features + target];
      }
    }
  });
  const rest = horizon === 1 ? [targets.length] : targets.length === 1 ? [horizon] : [horizon, targets.length];
  return { x: { data: x, shape: [n, length, features] }, y: { data: y, shape: [n, ...rest] } };
}
