/** Batches: some rows of a dataset, and what gives them epoch by epoch. */
import type { Dataset } from "./dataset.ts";

export interface Batch {
  readonly data: Dataset;
  /** Numbers of its rows in the data. */
  readonly rows: Int32Array;
  /** Weight of its loss in the mean over an epoch: its rows, in a window times its steps. */
  readonly weight: number;
  /** For a window of longer sequences its number, from 0: it starts from the states of the window before. */
  readonly window?: number;
}

/** Where the batches of a training or an evaluation come from. */
export interface Batches {
  /** Batches per epoch; undefined when that is not known before the end. */
  readonly count: number | undefined;
  /** All rows and the first batch of them, where they are there before the training: they can be checked beforehand. */
  readonly known?: { readonly all: Dataset; readonly first: Dataset | undefined };
  /** The batches of an epoch. */
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>;
  /** To be called when no further epoch comes. */
  close(): Promise<void>;
}

/** Whole numbers from 0 to n − 1. */
export function range(n: number): Int32Array {
  const numbers = new Int32Array(n);
  for (let i = 0; i < n; i++) numbers[i] = i;
  return numbers;
}
