/** `fit` and `train`: the loop over epochs and batches. README.md follows a batch from here to the kernels. */
import { NonFiniteError, OptionError, StateError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkCount, checkWhole, withDefaults } from "../base/options.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { BatchRunner } from "./batch_runner.ts";
import { checkCallback, type Callback, type TrainedModel } from "./callback.ts";
import { progress } from "./callbacks/progress.ts";
import type { Batches } from "./data/batch.ts";
import { fitBatches } from "./data/fit_batches.ts";
import { readArguments, type DataArguments } from "./data/given_data.ts";
import { scoreBatches } from "./evaluate.ts";
import type { History, TrainEvent } from "./events.ts";
import { FIT_DEFAULTS, type FilledFitOptions, type FitOptions } from "./training_options.ts";
import { yieldToHost } from "./yield_to_host.ts";

/** See {@link Module.fit}. */
export async function fit(
  model: ModuleBase & TrainedModel,
  runner: BatchRunner,
  ...args: DataArguments<FitOptions>
): Promise<History> {
  const result: History = { history: {}, epoch: [] };
  for await (const { type, epoch, logs } of train(model, runner, ...args)) {
    if (type !== "epoch") continue;
    result.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) (result.history[key] ??= []).push(value);
  }
  return result;
}

/** See {@link Module.train}. */
export async function* train(
  model: ModuleBase & TrainedModel,
  runner: BatchRunner,
  ...args: DataArguments<FitOptions>
): AsyncGenerator<TrainEvent, void> {
  const { data, options: given } = readArguments("fit", args);
  const options = checkedOptions(given);
  const { epochs, initialEpoch, truncate, signal } = options;
  const { training, validation } = fitBatches(model, data, options);
  if (runner.fitting) throw new StateError("fit: this model is already training; await the first fit, or abort it");
  runner.check(truncate === undefined ? "train" : "windows", training);
  if (runner.isStateful) checkStateful(options, training, validation);
  if (validation) runner.check(runner.validationKind, validation);
  runner.fitting = true;
  model.stopTraining = false;
  const callbacks = new CallbackList(model, options);
  let failed = false;
  try {
    await callbacks.trainBegin();
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      signal?.throwIfAborted();
      const means = runner.newMeans();
      let done = 0;
      for await (const batch of training.epoch(epoch)) {
        signal?.throwIfAborted();
        means.add(runner.train(batch, { epoch, batch: done }), batch.weight);
        const logs = means.logs();
        const event: TrainEvent = { type: "batch", epoch, epochs, batch: ++done, batches: training.count, logs };
        await callbacks.batchEnd(event);
        yield event;
        await yieldToHost();
        if (model.stopTraining) break;
      }
      signal?.throwIfAborted();
      const logs = means.logs();
      if (validation) {
        if (runner.isStateful) runner.beginValidation();
        const subject = "fit: validationData";
        const scores = await scoreBatches(runner, runner.validationKind, validation, { subject, epoch, signal });
        for (const [key, score] of Object.entries(scores)) logs[`val_${key}`] = score;
      }
      const event: TrainEvent = { type: "epoch", epoch, epochs, batch: done, batches: done, logs };
      await callbacks.epochEnd(event);
      yield event;
    }
    runner.finish();
  } catch (error) {
    failed = !callbacks.endsNormally(error);
    if (failed) throw error;
    runner.finish();
  } finally {
    runner.fitting = false;
    const end = [() => training.close(), () => validation?.close(), ...callbacks.trainEnd()];
    await runAll(end, failed);
  }
}

/** Runs all of these, whatever fails. @throws the first error, unless another one is on its way already */
async function runAll(steps: readonly (() => void | Promise<void>)[], failed: boolean): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0 && !failed) throw errors[0];
}

/** @throws OptionError for what no other file checks: data options are checked in data/ */
function checkedOptions(given: FitOptions): FilledFitOptions {
  const options = withDefaults("fit", given, FIT_DEFAULTS);
  const { epochs, initialEpoch, truncate, callbacks, signal, verbose } = options;
  checkCount("fit", "epochs", epochs);
  if (truncate !== undefined) checkCount("fit", "truncate", truncate);
  checkWhole("fit", "initialEpoch", initialEpoch);
  if (!Array.isArray(callbacks)) throw new OptionError(`fit: expected a list of callbacks, got ${typeof callbacks}`);
  for (const callback of callbacks) checkCallback("fit", callback);
  if (typeof verbose !== "boolean" && typeof verbose !== "number")
    throw new OptionError(`fit: expected verbose to be true or false, got ${shown(verbose)}`);
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
    throw new OptionError(`fit: expected signal to be an AbortSignal, got ${signal === null ? "null" : typeof signal}`);
  return options;
}

/**
 * Row i of a batch goes on from row i of the batch before, so batches must be of one size, and rows in their order.
 *
 * @throws OptionError when they would not be
 */
function checkStateful({ shuffle }: FilledFitOptions, training: Batches, validation: Batches | undefined): void {
  const why = "with stateful layers, whose row i goes on from row i of the batch before";
  for (const [name, batches] of Object.entries({ "": training, "validationData: ": validation })) {
    if (!batches?.known?.first) continue;
    const { count } = batches;
    const [all, size] = [batches.known.all.rows, batches.known.first.rows];
    if (all === size) continue;
    if (shuffle && name === "")
      throw new OptionError(`fit: expected shuffle: false ${why}, got shuffle: true, which is the default`);
    if (count !== undefined && count * size > all)
      throw new OptionError(
        `fit: ${name}expected a batchSize that divides the rows ${why}, got ${all} rows in batches of ${size}; ` +
          `leave out the last ${all % size}, or choose another batchSize`,
      );
  }
}

/** Calls the callbacks of a training one after the other. */
class CallbackList {
  private readonly model: TrainedModel;
  private readonly callbacks: readonly Callback[];

  /** The progress on the terminal comes last. */
  constructor(model: TrainedModel, { callbacks, verbose }: FilledFitOptions) {
    this.model = model;
    this.callbacks = verbose ? [...callbacks, progress()] : callbacks;
  }

  async trainBegin(): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainBegin?.(this.model);
  }

  async batchEnd(event: TrainEvent): Promise<void> {
    for (const callback of this.callbacks) await callback.onBatchEnd?.(event, this.model);
  }

  async epochEnd(event: TrainEvent): Promise<void> {
    for (const callback of this.callbacks) await callback.onEpochEnd?.(event, this.model);
  }

  trainEnd(): (() => void | Promise<void>)[] {
    return this.callbacks.map((callback) => () => callback.onTrainEnd?.(this.model));
  }

  /** Whether a callback makes an error the normal end of the training. */
  endsNormally(error: unknown): boolean {
    return (
      error instanceof NonFiniteError && this.callbacks.some((callback) => callback.onNonFinite?.(error, this.model))
    );
  }
}
