/** Training and validation data, apart in time. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { isArrayInput, readArray } from "../base/ndarray.ts";
import type { ArrayInput, ShapedInput, TypedArray } from "../base/ndarray.ts";
import { describe, sizeOf, type Shape } from "../base/shape.ts";

/** Options of `split`. */
export interface SplitOptions {
  /** The share of the rows, from the end, that is for validation. @default 0.2 */
  validation?: number;
  /** Rows left out between the two, so that windows on either side share nothing. @default 0 */
  gap?: number;
}

/** A piece of an array, of the type it was. */
export interface Piece<D extends TypedArray = TypedArray> {
  /** The numbers, row by row. */
  readonly data: D;
  /** Extent of each axis. */
  readonly shape: number[];
}

/** The piece of an array given in some form; nested numbers are read as doubles. */
export type PieceOf<A extends ArrayInput> = A extends TypedArray
  ? Piece<A>
  : A extends ShapedInput<infer D extends TypedArray>
    ? Piece<D>
    : Piece<Float64Array>;

/** What `split` gives. */
export interface Split<P> {
  /** The first rows. */
  train: P;
  /** The last rows. */
  validation: P;
}

interface Rows {
  readonly data: TypedArray;
  readonly shape: Shape;
}

function slice({ data, shape: [, ...rest] }: Rows, from: number, to: number): Piece {
  const width = sizeOf(rest);
  return { data: data.slice(from * width, to * width), shape: [to - from, ...rest] };
}

/**
 * Splits arrays along their first axis, in order: the first rows for training, the last for validation. The future is
 * never in the training data, as it would be after shuffling.
 *
 * @param arrays  one array, or a record of arrays with equally many rows
 * @returns copies, in the form of what was given
 * @throws ShapeError when rows differ or one side would be empty
 * @throws ValueError for a share outside (0, 1) or a gap that is no count
 * @throws OptionError for an unknown option
 * @example
 * const { train, validation } = split(windows(series, { length: 24 }), { validation: 0.1, gap: 24 });
 * await model.fit(train.x, train.y, { validationData: [validation.x, validation.y] });
 */
export function split<A extends ArrayInput>(arrays: A, options?: SplitOptions): Split<PieceOf<A>>;
export function split<R extends Readonly<Record<string, ArrayInput>>>(
  arrays: R,
  options?: SplitOptions,
): Split<{ [K in keyof R]: PieceOf<R[K]> }>;
export function split(
  arrays: ArrayInput | Readonly<Record<string, ArrayInput>>,
  options: SplitOptions = {},
): Split<unknown> {
  checkOptions("split", options, ["validation", "gap"]);
  const { validation = 0.2, gap = 0 } = options;
  if (!(typeof validation === "number" && validation > 0 && validation < 1))
    throw new ValueError(`split: expected a share between 0 and 1 for validation, got ${shown(validation)}`);
  if (!(Number.isInteger(gap) && gap >= 0))
    throw new ValueError(`split: expected a count of rows as gap, got ${shown(gap)}`);
  if (typeof arrays !== "object" || arrays === null)
    throw new ValueError(`split: expected an array or a record of arrays, got ${shown(arrays)}`);

  const single = isArrayInput(arrays);
  const named: [string, ArrayInput][] = single ? [["array", arrays]] : Object.entries(arrays);
  const entries = named.map(([name, value]) => [name, readArray(value, `split: ${name}`)] as const);
  const rows = entries[0]?.[1].shape[0] ?? 0;
  for (const [name, { shape }] of entries) {
    if (shape[0] !== rows)
      throw new ShapeError(`split: ${name}: expected ${rows} rows as in ${entries[0][0]}, got ${describe(shape)}`);
  }
  const start = Math.floor(rows * (1 - validation)); // where Keras' validation_split puts it
  if (start - gap < 1 || start >= rows)
    throw new ShapeError(`split: expected rows on both sides of a gap of ${gap}, got ${rows} rows in all`);

  const cut = (from: number, to: number): unknown => {
    const pieces = entries.map(([name, array]) => [name, slice(array, from, to)] as const);
    return single ? pieces[0][1] : Object.fromEntries(pieces);
  };
  return { train: cut(0, start - gap), validation: cut(start, rows) };
}
