/** The training loop, as an async generator; `fit` runs it to its end. */
import { NonFiniteError, OptionError, StateError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { Callback } from "../callbacks.ts";
import type { ArrayInput } from "../program/array.ts";
import { TracedFunction, recordGradients, type Compiled } from "../program/functions.ts";
import type { Tensor } from "../program/tensor.ts";
import { Random } from "../random.ts";
import { Dataset, type BatchOptions } from "./dataset.ts";
import { diagnose } from "./diagnose.ts";
import { checkCount, type ModelInput } from "./inputs.ts";
import type { Module } from "./module.ts";
import { progressOf } from "./progress.ts";
import { statefulStore } from "./states.ts";
import { scoreBatch, type Objective, type StepResult } from "./step.ts";
import { nextTask } from "./task.ts";
import type { Steps } from "../program/tensor.ts";
import type { Updater } from "./updater.ts";

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

/** Means so far: `loss` and every metric by its key. */
export type Logs = Record<string, number>;

export interface TrainEvent {
  readonly type: "batch" | "epoch";
  readonly epoch: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  readonly logs: Logs;
}

export interface History {
  /** Every logged value by epoch: `loss`, `accuracy`, `val_loss`, … */
  readonly history: Record<string, number[]>;
  /** Numbers of the epochs. */
  readonly epoch: number[];
}

type StepFunction = (x: Tensor[], y: Tensor, steps: Steps, sampleWeight?: Tensor) => { value: Tensor; aux: StepResult["metrics"] };

/** The program's function: loss first, then the tallies of the metrics. */
function stepFunction(model: Module, objective: Objective): StepFunction {
  return (x, y, steps, sampleWeight) => {
    const { loss, metrics } = scoreBatch(model, objective, { x, y, steps, sampleWeight });
    return { value: loss, aux: metrics };
  };
}

/** Runs batches and keeps the means of what they give. */
class Scores {
  private readonly keys: readonly string[];
  private loss = 0;
  private rows = 0;
  private tallies: [total: number, count: number][];

  constructor({ metrics }: Objective) {
    this.keys = metrics.map(({ metricName }) => metricName);
    this.tallies = metrics.map(() => [0, 0]);
  }

  /** Adds the batch that a program has just run: its outputs are the loss and a total and count per metric. */
  add({ program: { outputs } }: Compiled<unknown>, rows: number): void {
    this.loss += outputs[0].view[0] * rows;
    this.rows += rows;
    this.tallies.forEach((tally, i) => {
      tally[0] += outputs[1 + 2 * i].view[0];
      tally[1] += outputs[2 + 2 * i].view[0];
    });
  }

  logs(): Logs {
    const logs: Logs = { loss: this.loss / this.rows };
    this.keys.forEach((key, i) => (logs[key] = this.tallies[i][0] / Math.max(1, this.tallies[i][1])));
    return logs;
  }
}

/** A step function over a model and its objective, which traces once per batch shape. */
export class BatchRunner {
  private readonly model: Module;
  readonly objective: Objective;
  private readonly updater: Updater;
  private readonly train: TracedFunction<undefined>;
  private readonly test: TracedFunction<undefined>;

  constructor(model: Module, objective: Objective, updater: Updater) {
    this.model = model;
    this.objective = objective;
    this.updater = updater;
    const stateful = statefulStore(model);
    const fn = stepFunction(model, objective) as never;
    this.train = new TracedFunction<undefined>("fit", model, fn, { training: true, gradients: true, stateful }, {
      extension: (trace, _inputs, result) => {
        const { value } = result as { value: Tensor };
        recordGradients("fit", trace, model, value);
        updater.record(trace, value);
        return { outputs: [], extra: undefined };
      },
    });
    this.test = new TracedFunction<undefined>("evaluate", model, fn, { stateful });
  }

  /** One update. @throws NonFiniteError; the weights are those before the batch then */
  step(data: Dataset, order: Int32Array, where: { epoch: number; batch: number }): Compiled<undefined> {
    const compiled = this.write(this.train, data, order);
    this.updater.before();
    this.train.replay(compiled);
    if (!this.updater.after()) {
      const { layer, what } = diagnose(this.model, compiled.program.outputs[0].view[0], data, order);
      throw new NonFiniteError(`fit: expected a finite loss and gradients, got ${what} in epoch ${where.epoch + 1}, batch ${where.batch + 1}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`, { ...where, layer });
    }
    return compiled;
  }

  private write(traced: TracedFunction<undefined>, data: Dataset, order: Int32Array): Compiled<undefined> {
    const compiled = traced.compile(data.slice(0, order.length).flatten("fit"));
    data.sources.forEach(({ data: source }, i) => compiled.program.inputs[i].writeRows(source, order, i === 0 ? "fit: x" : "fit"));
    return compiled;
  }

  evaluate(data: Dataset, batchSize: number): Logs {
    const scores = new Scores(this.objective);
    for (let start = 0; start < data.rows; start += batchSize) {
      const order = range(start, Math.min(data.rows, start + batchSize));
      const compiled = this.write(this.test, data, order);
      this.test.replay(compiled);
      scores.add(compiled, order.length);
    }
    return scores.logs();
  }

  trainOnBatch(data: Dataset): Logs {
    const scores = new Scores(this.objective);
    scores.add(this.step(data, range(0, data.rows), { epoch: 0, batch: 0 }), data.rows);
    return scores.logs();
  }

  scores(): Scores {
    return new Scores(this.objective);
  }
}

const range = (start: number, end: number): Int32Array => Int32Array.from({ length: end - start }, (_, i) => start + i);

/** Milliseconds of work after which others get a turn: a frame of a page is 16. */
const TURN = 10;

/** Cuts validation data off, or takes what was given. */
function splitValidation(data: Dataset, options: FitOptions): { training: Dataset; validation: Dataset | undefined } {
  const { validationData, validationSplit } = options;
  if (validationData) {
    const [x, y, rest = {}] = validationData;
    return { training: data, validation: Dataset.of(x, y, rest, "fit: validationData") };
  }
  if (validationSplit === undefined || validationSplit === 0) return { training: data, validation: undefined };
  const cut = Math.floor(data.rows * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || cut === 0 || cut === data.rows) {
    throw new OptionError(`fit: expected validationSplit to leave rows on both sides of ${data.rows}, got ${validationSplit}`);
  }
  return { training: data.slice(0, cut), validation: data.slice(cut, data.rows) };
}

/** See {@link Module.train}. */
export async function* train(model: Module, runner: BatchRunner, x: ModelInput, y: ArrayInput, options: FitOptions): AsyncGenerator<TrainEvent, void> {
  checkOptions("fit", options, FIT_OPTIONS);
  const { epochs = 1, initialEpoch = 0, batchSize = 32, shuffle = true, validationBatchSize = batchSize, signal, callbacks = [] } = options;
  checkCount("fit", "epochs", epochs);
  checkCount("fit", "batchSize", batchSize);
  const { training, validation } = splitValidation(Dataset.of(x, y, options, "fit"), options);
  if (model.fitting) throw new StateError("fit: expected no other training of this model, got one that is still running");
  model.fitting = true;
  model.stopTraining = false;
  let turn = performance.now();
  try {
    for (const callback of callbacks) await callback.onTrainBegin?.(model);
    for (let epoch = initialEpoch; epoch < epochs && !model.stopTraining; epoch++) {
      const order = range(0, training.rows);
      if (shuffle) new Random(model.seed).fork(`shuffle ${epoch}`).shuffle(order);
      const scores = runner.scores();
      let batch = 0;
      for (let start = 0; start < order.length && !model.stopTraining; start += batchSize) {
        signal?.throwIfAborted();
        model.throwIfDisposed();
        const rows = order.subarray(start, start + batchSize);
        scores.add(runner.step(training, rows, { epoch, batch }), rows.length);
        const event: TrainEvent = { type: "batch", epoch, batch: ++batch, logs: scores.logs() };
        for (const callback of callbacks) await callback.onBatchEnd?.(event, model);
        yield event;
        if (performance.now() - turn < TURN) continue;
        await nextTask();
        turn = performance.now();
      }
      signal?.throwIfAborted();
      const logs = scores.logs();
      if (validation) {
        for (const [key, value] of Object.entries(runner.evaluate(validation, validationBatchSize))) logs[`val_${key}`] = value;
      }
      const event: TrainEvent = { type: "epoch", epoch, batch, logs };
      for (const callback of callbacks) await callback.onEpochEnd?.(event, model);
      yield event;
    }
  } finally {
    model.fitting = false;
    for (const callback of callbacks) await callback.onTrainEnd?.(model);
  }
}

/** See {@link Module.fit}. */
export async function fit(model: Module, runner: BatchRunner, x: ModelInput, y: ArrayInput, options: FitOptions): Promise<History> {
  const { epochs = 1, batchSize = 32, verbose, callbacks = [] } = options;
  const shown = verbose ? [...callbacks, await progressOf({ epochs, batchSize, verbose })] : callbacks;
  const result: History = { history: {}, epoch: [] };
  for await (const { type, epoch, logs } of train(model, runner, x, y, { ...options, callbacks: shown })) {
    if (type !== "epoch") continue;
    result.epoch.push(epoch);
    for (const [key, value] of Object.entries(logs)) (result.history[key] ??= []).push(value);
  }
  return result;
}
