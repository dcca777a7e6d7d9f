/** A module that runs: `predict`, states, the table of its layers. */
import type { ModelInput } from "../inference/model_inputs.ts";
import { predict, type Predicted, type PredictOptions } from "../inference/predict.ts";
import { ModuleBase } from "../module/module_base.ts";
import { resetStates } from "../module/state_stores.ts";
import { summary } from "./summary.ts";

/** Where consoles look for how something is shown. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const DENO_INSPECT = Symbol.for("Deno.customInspect");

/** What every model has, also where it only runs. */
export class Network extends ModuleBase {
  /** What consoles of Node, Deno and Bun show: the summary. @internal */
  [INSPECT](): string {
    if (this.disposed) return `${this.describe()}, disposed of`;
    return this.built
      ? this.summary()
      : `${this.describe()}, not built: it has not seen an input or been given an inputShape`;
  }

  /** @internal */
  [DENO_INSPECT](): string {
    return this[INSPECT]();
  }

  /**
   * Runs the model on arrays, in batches.
   *
   * @param x  input [batch, time, features] or [batch, time] tokens; several inputs as a list, or by name as a record
   * @returns the output, or a list or a record of them as `call` gives
   * @throws ShapeError, ValueError when x does not fit the model, holds NaN or tokens out of range
   * @throws OptionError for a record of other inputs than the model has
   */
  predict(x: ModelInput, options: PredictOptions = {}): Predicted<ReturnType<this["call"]>> {
    return predict(this, x, options) as Predicted<ReturnType<this["call"]>>;
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
