/** A module that runs: `predict`, states, the table of its layers. */
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { predict, type PredictOptions, type Prediction } from "../inference/predict.ts";
import { ModuleBase } from "../module/module_base.ts";
import { resetStates } from "../module/state_stores.ts";
import { summary } from "./summary.ts";

/** What every model has, also where it only runs. */
export class Network extends ModuleBase {
  /**
   * Runs the model on arrays, in batches.
   *
   * @param x  input [batch, time, features] or [batch, time] tokens; a list of arrays for a `call` of several inputs
   * @returns the output, or a list or a record of them as `call` gives
   * @throws ShapeError, ValueError when x does not fit the model, holds NaN or tokens out of range
   */
  predict(x: ArrayInput | readonly ArrayInput[], options?: PredictOptions): NDArray;
  predict(x: ArrayInput | readonly ArrayInput[], options: PredictOptions = {}): Prediction {
    return predict(this, x, options);
  }

  /** Makes stateful layers start from zeros again, with any batch size. */
  resetStates(): void {
    this.throwIfDisposed();
    resetStates(this);
  }

  /** A table of the layers with output shapes and weights. */
  summary(): string {
    this.throwIfDisposed();
    return summary(this);
  }
}
