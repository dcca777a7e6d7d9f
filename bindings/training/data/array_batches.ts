/** Batches of arrays. */
import { OptionError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { range, type Batch, type Batches } from "./batch.ts";
import type { Dataset } from "./dataset.ts";

/** How arrays are cut into batches. */
export interface ArrayBatchesOptions {
  /** Batches per epoch; all there are when absent. */
  readonly steps?: number | undefined;
  /** The option that `steps` comes from, for errors. */
  readonly option?: string;
  /** Gives the random numbers for the order of rows in an epoch; in order where it gives none. */
  readonly shuffle?: ((epoch: number) => Random | undefined) | undefined;
}

export class ArrayBatches implements Batches {
  readonly count: number;
  readonly known: { readonly all: Dataset; readonly first: Dataset };
  private readonly data: Dataset;
  private readonly size: number;
  private readonly shuffle: ((epoch: number) => Random | undefined) | undefined;

  /** @param size  rows per batch */
  constructor(data: Dataset, size: number, { steps, option = "steps", shuffle }: ArrayBatchesOptions = {}) {
    const all = Math.ceil(data.rows / size);
    if (steps !== undefined && steps > all)
      throw new OptionError(`${data.subject}: expected ${option} of at most ${all} as there are batches, got ${steps}`);
    this.data = data;
    this.size = size;
    this.count = steps ?? all;
    this.shuffle = shuffle;
    this.known = { all: data, first: data.slice(0, Math.min(size, data.rows)) };
  }

  *epoch(epoch: number): Generator<Batch> {
    const order = range(this.data.rows);
    this.shuffle?.(epoch)?.shuffle(order);
    for (let n = 0; n < this.count; n++) {
      const rows = order.subarray(n * this.size, (n + 1) * this.size);
      yield { data: this.data, rows, weight: rows.length };
    }
  }

  async close(): Promise<void> {}
}
