/** Sequences of different lengths in one array. */
import { OptionError, ShapeError, ValueError } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { readArray } from "../base/ndarray.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { checkRoom, describe, sizeOf, type Shape } from "../base/shape.ts";

/** An end of a sequence. */
export type Side = "pre" | "post";

/** Options of `padSequences`. */
export interface PadOptions {
  /** Steps of the result. Default: those of the longest sequence. */
  maxlen?: number;
  /** "int32" for tokens, "float32" for measurements. @default "int32" */
  dtype?: "int32" | "float32";
  /** Where the padding goes. @default "pre" */
  padding?: Side;
  /** Where a sequence beyond `maxlen` is cut. @default "pre" */
  truncating?: Side;
  /** What padding is made of. @default 0 */
  value?: number;
}

/** Sequences in one array, and where in it they are. */
export interface Padded<D, L = Int32Array | NDArray<Int32Array>> {
  /** The numbers, sequence by sequence. */
  readonly data: D;
  /** [sequences, maxlen] or [sequences, maxlen, features …] */
  readonly shape: number[];
  /**
   * The `lengths` of `fit`, `predict` and `evaluate`. With padding "post" the steps of each sequence [sequences]; with padding
   * "pre" its first step and the one after its last [sequences, 2].
   */
  readonly lengths: L;
}

/** The array of a `dtype`. */
export type PaddedData<D> = D extends "float32" ? Float32Array : Int32Array;

/** The lengths for a side of padding: of steps behind, or from and to which. */
export type PaddedLengths<P> = P extends "post" ? Int32Array : NDArray<Int32Array>;

function checkPadOptions(options: PadOptions): void {
  checkOptions("padSequences", options, ["maxlen", "dtype", "padding", "truncating", "value"]);
  const { maxlen = 1, dtype = "int32", padding = "pre", truncating = "pre", value = 0 } = options;
  if (!(Number.isInteger(maxlen) && maxlen >= 1))
    throw new ValueError(`padSequences: expected maxlen of at least 1, got ${shown(maxlen)}`);
  if (dtype !== "int32" && dtype !== "float32")
    throw new OptionError(`padSequences: expected dtype "int32" or "float32", got ${quoted(dtype)}`);
  if (typeof value !== "number") throw new ValueError(`padSequences: expected a number as value, got ${shown(value)}`);
  if (dtype === "int32" && value !== (value | 0))
    throw new ValueError(`padSequences: expected an integer value for dtype "int32", got ${value}`);
  for (const [name, side] of Object.entries({ padding, truncating })) {
    if (side !== "pre" && side !== "post")
      throw new OptionError(`padSequences: expected ${name} "pre" or "post", got ${quoted(side)}`);
  }
}

/** The shape of one step, from the first sequence that has any. */
function stepShape(sequences: readonly { shape: Shape }[]): Shape {
  const step = (sequences.find(({ shape }) => shape[0] > 0)?.shape ?? []).slice(1);
  sequences.forEach(({ shape }, i) => {
    const fits = shape[0] === 0 || describe(shape.slice(1)) === describe(step);
    if (shape.length === 0 || !fits)
      throw new ShapeError(
        `padSequences: sequence ${i}: expected steps of shape ${describe(step)}, got ${describe(shape)}`,
      );
  });
  return step;
}

/** Where sequences begin and end that are padded in front: each one's first step, and the one after its last. */
const inFront = (lengths: Int32Array, maxlen: number): Int32Array =>
  Int32Array.from({ length: 2 * lengths.length }, (_, i) => (i % 2 === 0 ? maxlen - lengths[i >> 1] : maxlen));

/**
 * Makes sequences equally long by padding and cutting them, as Keras' pad_sequences does.
 *
 * @param sequences  arrays [steps] or [steps, features …]
 * @returns data [sequences, maxlen] or [sequences, maxlen, features …], and the lengths that `fit` and `predict` take
 * @throws ShapeError when their features differ or there is no sequence
 * @throws ValueError for a fraction where tokens are expected, and for `maxlen` below 1
 * @throws OptionError for an unknown option or side
 * @example
 * padSequences([[5, 6, 9], [8]], { padding: "post" }).data;   // 5 6 9, 8 0 0
 */
export function padSequences<D extends "int32" | "float32" = "int32", P extends Side = "pre">(
  sequences: readonly ArrayInput[],
  options: PadOptions & { dtype?: D; padding?: P } = {},
): Padded<PaddedData<D>, PaddedLengths<P>> {
  checkPadOptions(options);
  const { dtype = "int32", padding = "pre", truncating = "pre", value = 0 } = options;
  if (!Array.isArray(sequences))
    throw new ShapeError(`padSequences: expected a list of sequences, got ${shown(sequences)}`);
  const read = Array.from(sequences as readonly ArrayInput[], (sequence, i) =>
    readArray(sequence, `padSequences: sequence ${i}`),
  );
  if (read.length === 0) throw new ShapeError("padSequences: expected at least one sequence, got none");
  const step = stepShape(read);
  const width = sizeOf(step);
  const maxlen = options.maxlen ?? read.reduce((longest, { shape }) => Math.max(longest, shape[0]), 0);
  const lengths = Int32Array.from(read, ({ shape }) => Math.min(shape[0], maxlen));
  checkRoom("padSequences", [read.length, maxlen, ...step]);
  const data = new (dtype === "int32" ? Int32Array : Float32Array)(read.length * maxlen * width).fill(value);
  read.forEach((sequence, i) => {
    const from = truncating === "pre" ? sequence.shape[0] - lengths[i] : 0;
    const kept = sequence.data.subarray(from * width, (from + lengths[i]) * width);
    const fraction = dtype === "int32" ? kept.findIndex((item: number) => item !== (item | 0)) : -1;
    if (fraction >= 0) {
      const at = from + Math.floor(fraction / width);
      throw new ValueError(
        `padSequences: sequence ${i}: expected 32-bit integers for dtype "int32", ` +
          `got ${kept[fraction]} at step ${at}`,
      );
    }
    const to = i * maxlen + (padding === "pre" ? maxlen - lengths[i] : 0);
    data.set(kept, to * width);
  });
  const given = padding === "post" ? lengths : { data: inFront(lengths, maxlen), shape: [read.length, 2] };
  return { data, shape: [read.length, maxlen, ...step], lengths: given } as Padded<PaddedData<D>, PaddedLengths<P>>;
}
