/** The Module: a Network that also trains, saves and shows what is inside it. */
import { FormatError, OptionError, StateError } from "../errors.ts";
import { checkCount, checkOptions } from "../options.ts";
import { lossOf, type Loss } from "../losses/index.ts";
import { metricOf, type Metric } from "../metrics/index.ts";
import { optimizerOf, type Optimizer } from "../optimizers.ts";
import type { ArrayInput } from "../program/array.ts";
import { Dataset, type BatchOptions } from "./dataset.ts";
import type { ModelInput } from "./inputs.ts";
import { inspect, type InspectOptions } from "./inspect.ts";
import { checkWeights, openFile, slotArrays, type FileBytes } from "./load.ts";
import { Network, hide, type ArrayRecord, type ModuleOptions } from "./network.ts";
import { save, type SaveOptions } from "./save.ts";
import { BatchRunner, type Logs } from "./runner.ts";
import { fit, train, type FitOptions, type History, type TrainEvent } from "./train.ts";
import { offerState, updaterOf } from "./updater.ts";

export interface CompileOptions {
  /** From `optimizers.*`, or its name for the defaults. */
  optimizer?: Optimizer | string;
  /** From `losses.*`, its name, or a function of (yTrue, yPred). */
  loss: Loss | string;
  metrics?: readonly (Metric | string)[];
}

export interface EvaluateOptions extends BatchOptions {
  batchSize?: number | undefined;
}

/**
 * Everything with a `call`: layers, cells, `sequential`, and classes of your own whose fields are modules.
 *
 * @example
 * class Elman extends Module {
 *   cell = layers.dense({ units: 64 });
 *   call(x, h) { return ops.tanh(this.cell.call(ops.concat([x, h], 1))); }
 * }
 */
export class Module extends Network {
  /** Whether a training runs. @internal */
  declare fitting: boolean;
  /** Set by a callback to end `fit` after the batch that runs. */
  declare stopTraining: boolean;
  #runner: BatchRunner | undefined;
  #optimizer: Optimizer | undefined;

  constructor(options: ModuleOptions = {}) {
    super(options);
    hide(this, "fitting", false);
    hide(this, "stopTraining", false);
  }

  /**
   * Settles what to train for. Adam and no metrics when left out.
   *
   * @throws OptionError for unknown names
   */
  compile(options: CompileOptions = {} as CompileOptions): void {
    this.throwIfDisposed();
    checkOptions("compile", options, ["optimizer", "loss", "metrics"]);
    const { optimizer = "adam", loss, metrics = [] } = options;
    if (loss === undefined) throw new OptionError('compile: expected a loss, such as "mse" or losses.meanSquaredError(), got none');
    if (!Array.isArray(metrics)) throw new OptionError(`compile: expected a list of metrics, got ${typeof metrics}`);
    const objective = { loss: lossOf(loss), metrics: metrics.map(metricOf) };
    const updater = updaterOf(this, optimizerOf(optimizer));
    this.#runner = new BatchRunner(this, objective, updater);
    this.#optimizer = updater.optimizer;
  }

  /** The optimizer it was compiled with. */
  get optimizer(): Optimizer | undefined {
    return this.#optimizer;
  }

  private compiled(what: string): BatchRunner {
    this.throwIfDisposed();
    if (!this.#runner) throw new StateError(`${what}: expected a compiled model, got one that is not; call compile({ optimizer, loss }) first`);
    return this.#runner;
  }

  /**
   * Trains for some epochs, giving others a turn every few milliseconds.
   *
   * @param x  inputs [rows, ..]
   * @param y  targets [rows, ..]: class numbers for sparse losses; the last axis of size 1 may be left out
   * @returns every logged value by epoch: `history.loss`, `history.val_accuracy`, …
   * @throws NonFiniteError naming epoch, batch and first layer; the weights are the last finite ones
   * @throws StateError when another training of this model runs
   * @throws the signal's reason when it is aborted; the weights stay as the last batch left them
   */
  async fit(x: ModelInput, y: ArrayInput, options: FitOptions = {}): Promise<History> {
    return fit(this, this.compiled("fit"), x, y, options);
  }

  /** The same loop as a generator of events; `return()` stops it. */
  train(x: ModelInput, y: ArrayInput, options: FitOptions = {}): AsyncGenerator<TrainEvent, void> {
    return train(this, this.compiled("train"), x, y, options);
  }

  /** One update, synchronously. @returns `{ loss, …metrics }` of this batch before the update */
  trainOnBatch(x: ModelInput, y: ArrayInput, options: BatchOptions = {}): Logs {
    const runner = this.compiled("trainOnBatch");
    if (this.fitting) throw new StateError("trainOnBatch: expected no other training of this model, got one that is still running");
    return runner.trainOnBatch(Dataset.of(x, y, options, "trainOnBatch"));
  }

  /** `{ loss, …metrics }` of one batch. */
  testOnBatch(x: ModelInput, y: ArrayInput, options: BatchOptions = {}): Logs {
    const data = Dataset.of(x, y, options, "testOnBatch");
    return this.compiled("testOnBatch").evaluate(data, data.rows);
  }

  /** `{ loss, …metrics }` over all rows, in batches. */
  evaluate(x: ModelInput, y: ArrayInput, options: EvaluateOptions = {}): Logs {
    checkOptions("evaluate", options, ["batchSize", "lengths", "mask", "sampleWeight", "classWeight"]);
    const { batchSize = 32, ...rest } = options;
    checkCount("evaluate", "batchSize", batchSize);
    return this.compiled("evaluate").evaluate(Dataset.of(x, y, rest, "evaluate"), batchSize);
  }

  /**
   * Values inside the model on one batch: `"gru/z"`, `"gru/r"`, `"gru/n"`, `"gru/h"`, `"lstm/i"`, …, `"<layer>/output"`, each
   * [batch, time, units]; with `y` and `gradients` also the gradient of the loss with respect to weights, outputs, states
   * and the gates' pre-activations as `"<name>/grad"`.
   */
  inspect(x: ModelInput, options: InspectOptions = {}): ArrayRecord {
    return inspect(this, x, options, this.#runner?.objective);
  }

  /**
   * The model as one safetensors file: weights, configuration, and on request what the optimizer remembers.
   *
   * @throws StateError before the model is built
   */
  save(options: SaveOptions = {}): Uint8Array {
    this.throwIfDisposed();
    checkOptions("save", options, ["optimizer"]);
    return save(this, options, this.#optimizer && updaterOf(this, this.#optimizer));
  }

  /**
   * Weights of a file into this model, which is built. Saved optimizer slots wait for the first optimizer of their kind.
   *
   * @throws FormatError, ShapeError when the file is not of this model; nothing has changed then
   */
  load(bytes: FileBytes): void {
    this.throwIfDisposed();
    if (!this.built) throw new StateError("load: expected a model with weights, got one that is not built; give sequential an inputShape or call the model once first");
    const opened = openFile(bytes);
    checkWeights(this, opened.weights);
    this.takeOptimizer(opened);
    for (const [name, parameter] of this.parameters()) parameter.block!.view(parameter).set(opened.weights.get(name)!.data);
    for (const block of this.parameterBlocks()) block.version++;
    this.restoreRandom(opened.file);
  }

  /** Hands the optimizer state of a file on to whom it is for. @internal */
  takeOptimizer({ file, slots }: ReturnType<typeof openFile>): void {
    const { optimizer } = file;
    if (!optimizer) return;
    const arrays = new Map(optimizer.slots.map((slot) => [slot, slotArrays(this, slot, slots)]));
    if (arrays.size !== optimizer.slots.length) throw new FormatError("load: expected different slots of the optimizer, got one twice");
    offerState(this, { saved: optimizer, slots: arrays }, this.#optimizer && updaterOf(this, this.#optimizer));
  }
}
