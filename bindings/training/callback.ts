/** What `fit` calls between batches and epochs. */
import { OptionError, type NonFiniteError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import type { ArrayInput } from "../base/ndarray.ts";
import type { ModelInput } from "../inference/model_inputs.ts";
import type { PredictOptions, Prediction } from "../inference/predict.ts";
import type { ArrayRecord } from "../module/module_base.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { SaveOptions } from "../saving/save.ts";
import type { TrainEvent } from "./events.ts";

/** A model while it is trained, as callbacks see it. */
export interface TrainedModel {
  /** Set it to true to end `fit` after the present batch. */
  stopTraining: boolean;
  /** The optimizer it was compiled with, whose learning rates may be changed. */
  readonly optimizer: Optimizer | undefined;
  /** Copies of all weights by name. */
  getWeights(): ArrayRecord;
  /** Replaces weights by name. */
  setWeights(weights: Record<string, ArrayInput>): void;
  /** The model as a file. */
  save(options?: SaveOptions): Uint8Array;
  /** Runs the model on arrays. */
  predict(x: ModelInput, options?: PredictOptions): Prediction;
}

/** Functions that `fit` calls; each may be async. Set `model.stopTraining` to end the training. */
export interface Callback {
  /** Before the first epoch. */
  onTrainBegin?(model: TrainedModel): void | Promise<void>;
  /** After every batch, or window of a batch. */
  onBatchEnd?(event: TrainEvent, model: TrainedModel): void | Promise<void>;
  /** After every epoch and its validation. */
  onEpochEnd?(event: TrainEvent, model: TrainedModel): void | Promise<void>;
  /** At the end, also when an error or a signal ended the training. */
  onTrainEnd?(model: TrainedModel): void | Promise<void>;
  /** A loss or a gradient was not finite. Return true to end the training normally instead of by the error. */
  onNonFinite?(error: NonFiniteError, model: TrainedModel): boolean;
}

/** The functions of a callback. */
export const HOOKS = {
  onTrainBegin: undefined,
  onBatchEnd: undefined,
  onEpochEnd: undefined,
  onTrainEnd: undefined,
  onNonFinite: undefined,
} satisfies Record<keyof Callback, undefined>;

/** @throws OptionError for anything but an object with functions of these names */
export function checkCallback(subject: string, callback: unknown): asserts callback is Callback {
  if (typeof callback !== "object" || callback === null)
    throw new OptionError(`${subject}: expected callbacks, such as callbacks.earlyStopping(), got ${shown(callback)}`);
  for (const name of Object.keys(HOOKS) as (keyof Callback)[]) {
    const hook = (callback as Callback)[name];
    if (!["function", "undefined"].includes(typeof hook))
      throw new OptionError(`${subject}: expected ${name} to be a function, got ${shown(hook)}`);
  }
}
