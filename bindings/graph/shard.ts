/** Parts of a batch's rows. */

/** A part of a batch's rows, computed beside others over the same weights. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  /** How many rows it has. */
  readonly rows: number;
}

/** Thrown by what cannot be computed for some rows of a batch alone: the batch is computed whole then. */
export class NeedsWholeBatch extends Error {}
