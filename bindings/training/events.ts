/** What a training tells: the values it logs, its events, its history. */

/**
 * Logged values by key: `loss`, `<output>_loss` when there are several outputs, every metric, and `val_…` of each after a
 * validation. Means over the epoch so far.
 */
export type Logs = Record<string, number>;

/** A batch or an epoch of a training is done. */
export interface TrainEvent {
  /** What is done. */
  readonly type: "batch" | "epoch";
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** The `epochs` option. */
  readonly epochs: number;
  /** Batches done in this epoch; windows of batches with `truncate`. */
  readonly batch: number;
  /** Batches per epoch; undefined for a stream whose length is not known yet, and with `truncate`. */
  readonly batches: number | undefined;
  /** Means over the epoch so far. */
  readonly logs: Logs;
}

/** The result of `fit`. */
export interface History {
  /** Every logged value by epoch: `loss`, `accuracy`, `val_loss`, … */
  readonly history: Record<string, number[]>;
  /** Numbers of the epochs, from 0. */
  readonly epoch: number[];
}
