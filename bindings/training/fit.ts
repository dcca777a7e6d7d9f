/** The training loop, as an async generator; `fit` runs it to its end. */
import { checkCallback, type Callback } from "./callbacks/callbacks.ts";
import { NonFiniteError, OptionError, StateError } from "../base/errors.ts";
import { checkCount, checkFlags, checkOptions, checkWhole } from "../base/options.ts";
import { shown } from "../base/formatting.ts";
import type { Batch, Batches } from "./data/batches.ts";
import type { BatchOptions } from "./data/dataset.ts";
import type { Module } from "../models/module.ts";
import { pause } from "./yield_to_host.ts";
import { progressOf } from "./progress.ts";
import type { BatchRunner } from "./batch_runner.ts";
import { Scores, type Logs } from "./score_means.ts";
import { prepare, type Source, type ValidationData } from "./data/source.ts";
import { windowsOf, checkWindows } from "./truncated_bptt.ts";

/** Options of `fit` and `train`. */
export interface FitOptions extends BatchOptions {
  /** Number of the last epoch, from 1: how often to go through the data, when `initialEpoch` is 0. @default 1 */
  epochs?: number | undefined;
  /** Number of the first epoch, for a training that goes on. @default 0 */
  initialEpoch?: number | undefined;
  /** Rows of a batch, for one update each. @default 32 */
  batchSize?: number | undefined;
  /** Draws batches in another order every epoch, from the model's seed. @default true */
  shuffle?: boolean | undefined;
  /** Batches of an epoch, when it is not to go through all there are. */
  stepsPerEpoch?: number | undefined;
  /**
   * Truncated back-propagation through time: cuts the sequences of each batch into windows of so many steps and makes one update
   * per window. States go on from window to window, gradients do not; every batch starts from zeros, but for stateful layers.
   * Targets are one per step.
   */
  truncate?: number | undefined;
  /** [x, y] or [x, y, { lengths, … }], or a stream of batches, to evaluate after every epoch. */
  validationData?: ValidationData | undefined;
  /** Share of the rows, taken from the end before any shuffling, to evaluate on instead. */
  validationSplit?: number | undefined;
  /** Rows of a batch of the validation. @default `batchSize` */
  validationBatchSize?: number | undefined;
  /** Batches of a validation, when it is not to go through all there are. */
  validationSteps?: number | undefined;
  /** Called between batches and epochs, in this order. */
  callbacks?: readonly Callback[] | undefined;
  /** Ends the training after the batch that runs; `fit` then rejects with the signal's reason and the weights stay. */
  signal?: AbortSignal | undefined;
  /** Progress on the terminal. @default false */
  verbose?: boolean | number | undefined;
}

const FIT_OPTIONS = [
  "epochs",
  "initialEpoch",
  "batchSize",
  "shuffle",
  "stepsPerEpoch",
  "truncate",
  "validationData",
  "validationSplit",
  "validationBatchSize",
  "validationSteps",
  "callbacks",
  "signal",
  "verbose",
  "lengths",
  "mask",
  "sampleWeight",
  "classWeight",
];

/** What happened in a training: a batch or an epoch is done. */
export interface TrainEvent {
  /** What is done. */
  readonly type: "batch" | "epoch";
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** The `epochs` option. */
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  /** Batches of an epoch; undefined while a stream has not told. */
  readonly batches: number | undefined;
  /** Means over the epoch so far. */
  readonly logs: Logs;
}

/** What `fit` gives. */
export interface History {
  /** Every logged value by epoch: `loss`, `accuracy`, `val_loss`, … */
  readonly history: Record<string, number[]>;
  /** Numbers of the epochs. */
  readonly epoch: number[];
}

/** Who is called after a batch or an epoch. */
class Listeners {
  private readonly model: Module;
  private readonly callbacks: readonly Callback[];

  constructor(model: Module, callbacks: readonly Callback[]) {
    this.model = model;
    this.callbacks = callbacks;
  }

  async begin(): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainBegin?.(this.model);
  }

  async batch(event: TrainEvent): Promise<void> {
    for (const callback of this.callbacks) await callback.onBatchEnd?.(event, this.model);
  }

  async epoch(event: TrainEvent): Promise<void> {
    for (const callback of this.callbacks) await callback.onEpochEnd?.(event, this.model);
  }

  async end(): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainEnd?.(this.model);
  }

  /** Whether a callback takes a step that was not finite as a normal end. */
  forgives(error: unknown): boolean {
    return (
      error instanceof NonFiniteError && this.callbacks.some((callback) => callback.onNonFinite?.(error, this.model))
    );
  }
}

function checkFit(options: FitOptions): void {
  checkOptions("fit", options, FIT_OPTIONS);
  const { epochs = 1, initialEpoch = 0, truncate, callbacks = [], signal, verbose = false } = options;
  checkCount("fit", "epochs", epochs);
  if (truncate !== undefined) checkCount("fit", "truncate", truncate);
  checkWhole("fit", "initialEpoch", initialEpoch);
  if (!Array.isArray(callbacks)) throw new OptionError(`fit: expected a list of callbacks, got ${typeof callbacks}`);
  for (const callback of callbacks) checkCallback("fit", callback);
  checkFlags("fit", options, ["shuffle"]);
  if (typeof verbose !== "boolean" && typeof verbose !== "number")
    throw new OptionError(`fit: expected verbose to be true or false, got ${shown(verbose)}`);
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
    throw new OptionError(`fit: expected signal to be an AbortSignal, got ${signal === null ? "null" : typeof signal}`);
}

/** See {@link Module.train}. */
export async function* train(
  model: Module,
  runner: BatchRunner,
  source: Source,
  options: FitOptions,
): AsyncGenerator<TrainEvent, void> {
  checkFit(options);
  const { epochs = 1, initialEpoch = 0, callbacks = [], signal } = options;
  const { training, validation } = prepare(model, source, options);
  if (model.fitting)
    throw new StateError("fit: expected no other training of this model, got one that is still running");
  if (options.truncate !== undefined) checkWindows(model);
  runner.check("train", training, options.truncate);
  if (validation) runner.check("test", validation);
  model.fitting = true;
  model.stopTraining = false;
  const listeners = new Listeners(model, callbacks);
  try {
    await listeners.begin();
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      const scores = new Scores();
      const batches = yield* trainEpoch(model, runner, training, options, { epoch, scores, listeners });
      signal?.throwIfAborted();
      const logs = scores.logs();
      if (validation) Object.assign(logs, await validate(runner, validation, epoch, signal));
      const event: TrainEvent = { type: "epoch", epoch, epochs, batch: batches, batches, logs };
      await listeners.epoch(event);
      yield event;
    }
    runner.finish();
  } catch (error) {
    if (!listeners.forgives(error)) throw error;
    runner.finish();
  } finally {
    model.fitting = false;
    try {
      await training.close();
      await validation?.close();
    } finally {
      await listeners.end();
    }
  }
}

/** The windows of each batch. */
async function* cut(batches: Iterable<Batch> | AsyncIterable<Batch>, steps: number): AsyncGenerator<Batch> {
  for await (const batch of batches) yield* windowsOf(batch, steps);
}

/** One pass over the data. @returns the number of its batches, or windows */
async function* trainEpoch(
  model: Module,
  runner: BatchRunner,
  training: Batches,
  { epochs = 1, truncate, signal }: FitOptions,
  { epoch, scores, listeners }: { epoch: number; scores: Scores; listeners: Listeners },
): AsyncGenerator<TrainEvent, number> {
  signal?.throwIfAborted();
  let done = 0;
  const batches = training.epoch(epoch);
  for await (const piece of truncate === undefined ? batches : cut(batches, truncate)) {
    signal?.throwIfAborted();
    scores.add(runner.step(piece, { epoch, batch: done }), piece.rows.length * (truncate ? piece.data.time : 1));
    const event: TrainEvent = {
      type: "batch",
      epoch,
      epochs,
      batch: ++done,
      batches: truncate ? undefined : training.count,
      logs: scores.logs(),
    };
    await listeners.batch(event);
    yield event;
    await pause();
    if (model.stopTraining) break;
  }
  return done;
}

/** Runs an evaluation. @returns its scores under the names of validation */
async function validate(
  runner: BatchRunner,
  validation: Batches,
  epoch: number,
  signal: AbortSignal | undefined,
): Promise<Logs> {
  const logs = await scored(runner, validation, "fit: validationData", epoch, signal);
  return Object.fromEntries(Object.entries(logs).map(([key, score]) => [`val_${key}`, score]));
}

/** Scores batch after batch, with turns for others between them. */
async function scored(
  runner: BatchRunner,
  batches: Batches,
  subject: string,
  epoch: number,
  signal?: AbortSignal,
): Promise<Logs> {
  const scores = new Scores();
  for await (const batch of batches.epoch(epoch)) {
    runner.score(batch, scores);
    await pause();
    signal?.throwIfAborted();
  }
  return scores.checked(subject);
}

/** See {@link Module.evaluate}, of a stream. */
export function evaluateStream(runner: BatchRunner, batches: Batches): Promise<Logs> {
  return scored(runner, batches, "evaluate", 0);
}

/** See {@link Module.fit}. */
export async function fit(model: Module, runner: BatchRunner, source: Source, options: FitOptions): Promise<History> {
  checkFit(options); // what shows the progress comes behind the callbacks
  const { verbose, callbacks = [] } = options;
  const listening = verbose ? [...callbacks, await progressOf()] : callbacks;
  const result: History = { history: {}, epoch: [] };
  for await (const { type, epoch, logs } of train(model, runner, source, { ...options, callbacks: listening })) {
    if (type !== "epoch") continue;
    result.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) (result.history[key] ??= []).push(value);
  }
  return result;
}
