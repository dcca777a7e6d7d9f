/** Truncated back-propagation through time: the sequences of other batches, window after window. */
import { UnsupportedError } from "../../base/errors.ts";
import type { ModuleBase } from "../../module/module_base.ts";
import { range, type Batch, type Batches } from "./batch.ts";

export class WindowBatches implements Batches {
  readonly count = undefined;
  private readonly batches: Batches;
  private readonly steps: number;

  /**
   * @param steps  steps per window; the last one of a sequence may be shorter
   * @throws UnsupportedError for layers that need whole sequences
   */
  constructor(model: ModuleBase, batches: Batches, steps: number) {
    checkLayers(model);
    this.batches = batches;
    this.steps = steps;
  }

  get known(): Batches["known"] {
    const { known } = this.batches;
    return known && { all: known.all, first: known.first?.window(0, this.steps) };
  }

  /** The windows of each batch in order, without those in which no row has a valid step. @throws ShapeError for targets that are not one per step */
  async *epoch(epoch: number): AsyncGenerator<Batch> {
    for await (const { data, rows } of this.batches.epoch(epoch)) {
      const sequences = data.pick(rows);
      let window = 0;
      for (let start = 0; start < sequences.time; start += this.steps) {
        const part = sequences.window(start, start + this.steps);
        if (part) yield { data: part, rows: range(part.rows), weight: part.rows * part.time, window: window++ };
      }
    }
  }

  close(): Promise<void> {
    return this.batches.close();
  }
}

function checkLayers(model: ModuleBase): void {
  for (const module of model.modulePaths().keys()) {
    const why = module.unstreamable;
    if (why)
      throw new UnsupportedError(`fit: expected layers that go on from window to window with truncate, got ${why}`);
  }
}
