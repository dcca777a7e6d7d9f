/** What happens between batches and epochs. */
import type { Module } from "./model/module.ts";
import type { TrainEvent } from "./model/train.ts";

/** Called during `fit`; each may be async. Set `model.stopTraining` to end the training in good order. */
export interface Callback {
  onTrainBegin?(model: Module): void | Promise<void>;
  onBatchEnd?(event: TrainEvent, model: Module): void | Promise<void>;
  onEpochEnd?(event: TrainEvent, model: Module): void | Promise<void>;
  onTrainEnd?(model: Module): void | Promise<void>;
}

export const callbacks = {
  /** A callback of functions given one by one. */
  lambda: (functions: Callback): Callback => functions,
};
