/** Truncated back-propagation through time: sequences in windows, states carried on from each to the next, gradients not. */
import { UnsupportedError } from "../base/errors.ts";
import { range, type Batch } from "./data/batches.ts";
import type { ModuleBase } from "../module/module_base.ts";

/**
 * The windows of a batch in order, without those in which no row has a valid step.
 *
 * @param steps  of a window; the last one may be shorter
 * @throws ShapeError for targets that are not one per step
 */
export function* windowsOf({ data, rows }: Batch, steps: number): Generator<Batch> {
  const picked = data.pick(rows);
  let window = 0;
  for (let start = 0; start < picked.time; start += steps) {
    const part = picked.window(start, Math.min(start + steps, picked.time));
    if (part) yield { data: part, rows: range(part.rows), window: window++ };
  }
}

/** @throws UnsupportedError for layers that need the whole sequence */
export function checkWindows(model: ModuleBase): void {
  for (const module of model.modulePaths().keys()) {
    const why = module.unstreamable;
    if (why)
      throw new UnsupportedError(
        `fit: expected layers that go on from window to window with truncate, got ${module.describe()}: ${why}`,
      );
  }
}
