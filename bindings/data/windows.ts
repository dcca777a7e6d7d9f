/** Time series cut into windows: what a model sees, and what comes after it. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { isTypedArray, readArray } from "../base/ndarray.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { describe } from "../base/shape.ts";

/** Options of `windows`. */
export interface WindowOptions {
  /** Rows that the model sees. */
  length: number;
  /** Rows to predict, right after them. @default 1 */
  horizon?: number;
  /** Rows from the start of a window to that of the next. @default 1 */
  stride?: number;
  /** The features to predict. Default: all. */
  targets?: readonly number[];
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

function checkCounts(options: WindowOptions): Required<WindowOptions> {
  checkOptions("windows", options, ["length", "horizon", "stride", "targets"]);
  const { length, horizon = 1, stride = 1, targets = [] } = options;
  for (const [name, value] of Object.entries({ length, horizon, stride })) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new ValueError(`windows: expected ${name} of at least 1, got ${shown(value)}`);
  }
  return { length, horizon, stride, targets };
}

/**
 * Cuts series into windows in time order. No window crosses from one series into the next.
 *
 * @param series  [time], [time, features], or a list of such arrays with the same features
 * @returns x [n, length, features]; y [n, horizon, targets], without the axis of the horizon when that is 1, else
 *          without the axis of the targets when there is one
 * @throws ShapeError when no series is `length + horizon` long
 * @throws ValueError for counts below 1 and for targets that are no feature
 * @throws OptionError for an unknown option
 * @example
 * const { x, y } = windows(Float32Array.of(1, 2, 3, 4, 5), { length: 3 });
 * x.shape;   // [2, 3, 1]: 1 2 3, 2 3 4
 * y.data;    // 4 5, of shape [2, 1]
 */
export function windows(series: ArrayInput | readonly ArrayInput[], options: WindowOptions): Windows {
  const { length, horizon, stride, targets: chosen } = checkCounts(options);
  const list = listSeries(series);
  const features = list[0].features;
  const targets = chosen.length > 0 ? chosen : Array.from({ length: features }, (_, k) => k);
  for (const target of targets) {
    if (!(Number.isInteger(target) && target >= 0 && target < features)) {
      throw new ValueError(`windows: expected targets from 0 to ${features - 1}, got ${target}`);
    }
  }
  const counts = list.map(({ rows }) => Math.max(0, Math.floor((rows - length - horizon) / stride) + 1));
  const n = counts.reduce((sum, count) => sum + count, 0);
  if (n === 0) {
    const longest = list.reduce((most, { rows }) => Math.max(most, rows), 0);
    throw new ShapeError(`windows: expected at least length + horizon = ${length + horizon} rows, got ${longest}`);
  }
  const x = new Float32Array(n * length * features);
  const y = new Float32Array(n * horizon * targets.length);
  let xAt = 0;
  let yAt = 0;
  list.forEach(({ data }, i) => {
    for (let start = 0, left = counts[i]; left > 0; left--, start += stride) {
      const end = (start + length) * features;
      for (let at = start * features; at < end; at++) x[xAt++] = data[at];
      for (let row = 0; row < horizon; row++) {
        for (const target of targets) y[yAt++] = data[end + row * features + target];
      }
    }
  });
  const rest = horizon === 1 ? [targets.length] : targets.length === 1 ? [horizon] : [horizon, targets.length];
  return { x: { data: x, shape: [n, length, features] }, y: { data: y, shape: [n, ...rest] } };
}
