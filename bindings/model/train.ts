/** The training loop, as an async generator; `fit` runs it to its end. */
import type { Callback } from "../callbacks.ts";
import { NonFiniteError, OptionError, StateError } from "../errors.ts";
import { checkCount, checkOptions } from "../options.ts";
import type { ArrayInput } from "../program/array.ts";
import { Random } from "../random.ts";
import { Dataset, type BatchOptions } from "./dataset.ts";
import type { ModelInput } from "./inputs.ts";
import type { Module } from "./module.ts";
import { progressOf } from "./progress.ts";
import { range, type BatchRunner, type Logs, type Scores } from "./runner.ts";
import { nextTask } from "./task.ts";

export interface FitOptions extends BatchOptions {
  epochs?: number | undefined;
  /** Number of the first epoch, for a training that goes on. */
  initialEpoch?: number | undefined;
  batchSize?: number | undefined;
  /** Draws batches in another order every epoch, from the model's seed. */
  shuffle?: boolean | undefined;
  /** [x, y] or [x, y, { lengths, … }] to evaluate after every epoch. */
  validationData?: readonly [ModelInput, ArrayInput, BatchOptions?] | undefined;
  /** Share of the rows, taken from the end before any shuffling, to evaluate on instead. */
  validationSplit?: number | undefined;
  validationBatchSize?: number | undefined;
  callbacks?: readonly Callback[] | undefined;
  /** Ends the training after the batch that runs; `fit` then rejects with the signal's reason and the weights stay. */
  signal?: AbortSignal | undefined;
  /** Progress on the terminal. */
  verbose?: boolean | number | undefined;
}

const FIT_OPTIONS = ["epochs", "initialEpoch", "batchSize", "shuffle", "validationData", "validationSplit", "validationBatchSize",
  "callbacks", "signal", "verbose", "lengths", "mask", "sampleWeight", "classWeight"];

export interface TrainEvent {
  readonly type: "batch" | "epoch";
  readonly epoch: number;
  /** The `epochs` option. */
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  /** Batches of an epoch. */
  readonly batches: number;
  /** Means over the epoch so far. */
  readonly logs: Logs;
}

export interface History {
  /** Every logged value by epoch: `loss`, `accuracy`, `val_loss`, … */
  readonly history: Record<string, number[]>;
  /** Numbers of the epochs. */
  readonly epoch: number[];
}

/** Milliseconds of work after which others get a turn: a frame of a page is 16. */
const TURN = 10;

/** The data to train on, and those to validate on: what was given, or a part cut off, which class weights leave alone as in Keras. */
function split(x: ModelInput, y: ArrayInput, options: FitOptions): { training: Dataset; validation: Dataset | undefined } {
  const { lengths, mask, sampleWeight, classWeight, validationData, validationSplit } = options;
  const data = Dataset.of(x, y, { lengths, mask, sampleWeight, classWeight }, "fit");
  if (validationData) {
    if (validationSplit !== undefined) throw new OptionError("fit: expected validationData or validationSplit, got both");
    if (!Array.isArray(validationData)) throw new OptionError(`fit: expected validationData as [x, y] or [x, y, options], got ${typeof validationData}`);
    const [valX, valY, rest = {}] = validationData as [ModelInput, ArrayInput, BatchOptions?];
    return { training: data, validation: Dataset.of(valX, valY, rest, "fit: validationData") };
  }
  if (validationSplit === undefined || validationSplit === 0) return { training: data, validation: undefined };
  const cut = Math.floor(data.rows * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || cut === 0 || cut === data.rows) {
    throw new OptionError(`fit: expected validationSplit to leave rows on both sides of ${data.rows}, got ${validationSplit}`);
  }
  const unweighted = classWeight ? Dataset.of(x, y, { lengths, mask }, "fit") : data;
  return { training: data.slice(0, cut), validation: unweighted.slice(cut, data.rows) };
}

/** The turns of a training: who is called after a batch or an epoch, and when others get one. */
class Turns {
  private readonly model: Module;
  private readonly callbacks: readonly Callback[];
  private since = performance.now();

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
    return error instanceof NonFiniteError && this.callbacks.some((callback) => callback.onNonFinite?.(error, this.model));
  }

  /** Lets others run when it has been a while. */
  async pause(): Promise<void> {
    if (performance.now() - this.since < TURN) return;
    await nextTask();
    this.since = performance.now();
  }
}

/** See {@link Module.train}. */
export async function* train(model: Module, runner: BatchRunner, x: ModelInput, y: ArrayInput, options: FitOptions): AsyncGenerator<TrainEvent, void> {
  checkOptions("fit", options, FIT_OPTIONS);
  const { epochs = 1, initialEpoch = 0, batchSize = 32, validationBatchSize = batchSize, callbacks = [], signal } = options;
  checkCount("fit", "epochs", epochs);
  if (!Number.isInteger(initialEpoch) || initialEpoch < 0) throw new OptionError(`fit: expected initialEpoch to be a whole number ≥ 0, got ${String(initialEpoch)}`);
  if (!Array.isArray(callbacks)) throw new OptionError(`fit: expected a list of callbacks, got ${typeof callbacks}`);
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function") throw new OptionError(`fit: expected signal to be an AbortSignal, got ${signal === null ? "null" : typeof signal}`);
  checkCount("fit", "batchSize", batchSize);
  checkCount("fit", "validationBatchSize", validationBatchSize);
  const { training, validation } = split(x, y, options);
  if (model.fitting) throw new StateError("fit: expected no other training of this model, got one that is still running");
  runner.check("train", training, batchSize);
  if (validation) runner.check("test", validation, validationBatchSize);
  model.fitting = true;
  model.stopTraining = false;
  const turns = new Turns(model, callbacks);
  try {
    await turns.begin();
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      const scores = runner.scores();
      const batches = yield* trainEpoch(model, runner, training, options, { epoch, scores, turns });
      options.signal?.throwIfAborted();
      const logs = scores.logs();
      if (validation) Object.assign(logs, await validate(runner.scoring(validation, validationBatchSize), turns, options.signal));
      const event: TrainEvent = { type: "epoch", epoch, epochs, batch: batches, batches, logs };
      await turns.epoch(event);
      yield event;
    }
  } catch (error) {
    if (!turns.forgives(error)) throw error;
  } finally {
    model.fitting = false;
    await turns.end();
  }
}

/** One pass over the data. @returns the number of its batches */
async function* trainEpoch(
  model: Module, runner: BatchRunner, data: Dataset, { epochs = 1, batchSize = 32, shuffle = true, signal }: FitOptions,
  { epoch, scores, turns }: { epoch: number; scores: Scores; turns: Turns },
): AsyncGenerator<TrainEvent, number> {
  const order = range(data.rows);
  if (shuffle) new Random(model.seed).fork(`shuffle ${epoch}`).shuffle(order);
  const batches = Math.ceil(order.length / batchSize);
  for (let batch = 0; batch < batches && !model.stopTraining; batch++) {
    signal?.throwIfAborted();
    const rows = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    scores.add(runner.step(data, rows, { epoch, batch }), rows.length);
    const event: TrainEvent = { type: "batch", epoch, epochs, batch: batch + 1, batches, logs: scores.logs() };
    await turns.batch(event);
    yield event;
    await turns.pause();
  }
  return batches;
}

/** Runs an evaluation with turns for others. @returns its scores under the names of validation */
async function validate(scoring: Generator<void, Logs>, turns: Turns, signal: AbortSignal | undefined): Promise<Logs> {
  for (;;) {
    const { done, value } = scoring.next();
    if (done) return Object.fromEntries(Object.entries(value).map(([key, score]) => [`val_${key}`, score]));
    await turns.pause();
    signal?.throwIfAborted();
  }
}

/** See {@link Module.fit}. */
export async function fit(model: Module, runner: BatchRunner, x: ModelInput, y: ArrayInput, options: FitOptions): Promise<History> {
  const { verbose, callbacks = [] } = options;
  const shown = verbose ? [...callbacks, await progressOf()] : callbacks;
  const result: History = { history: {}, epoch: [] };
  for await (const { type, epoch, logs } of train(model, runner, x, y, { ...options, callbacks: shown })) {
    if (type !== "epoch") continue;
    result.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) (result.history[key] ??= []).push(value);
  }
  return result;
}
