/** The Module: a Network that also trains, saves and shows what is inside it. */
import { FormatError, StateError, UnsupportedError } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { checkFlags, checkOptions } from "../base/options.ts";
import type { Optimizer } from "../optimizers/index.ts";
import type { ArrayShape, InputShapes } from "../module/array_shape.ts";
import type { BatchStream } from "../training/data/stream_batches.ts";
import { compile } from "../training/compile.ts";
import { evaluate, evaluateArrays } from "../training/evaluate.ts";
import type { History, Logs, TrainEvent } from "../training/events.ts";
import { Dataset, type BatchOptions, type Targets } from "../training/data/dataset.ts";
import type { ModelInput } from "../inference/model_inputs.ts";
import { exportModel, type ExportOptions } from "../export/export_model.ts";
import { inspect, type InspectOptions } from "../training/inspect.ts";
import { checkWeights, openFile, slotArrays, type FileBytes } from "../saving/load.ts";
import type { ArrayRecord } from "../module/module_base.ts";
import { ownParameter, type ParameterOptions } from "../module/own_parameter.ts";
import { Network } from "./network.ts";
import { applyLayer, type Applied, type ApplyOptions, type SymbolicTensor } from "./symbolic.ts";
import { quantizedParts, type QuantizeOptions } from "../quantization/quantize.ts";
import { explain, type ExplainOptions } from "./explain.ts";
import { memory, type MemoryNeed } from "./memory_need.ts";
import { save, type SaveOptions } from "../saving/save.ts";
import type { BatchRunner } from "../training/batch_runner.ts";
import { fit, train } from "../training/fit.ts";
import type { CompileOptions, EvaluateOptions, FitOptions } from "../training/training_options.ts";
import { optimizersOf } from "../optimizers/model_optimizers.ts";

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
  #stopTraining = false;
  #runner: BatchRunner | undefined;

  /** Set by a callback to end `fit` after the batch that runs. */
  get stopTraining(): boolean {
    return this.#stopTraining;
  }

  /** true ends `fit` after the batch that runs. */
  set stopTraining(stop: boolean) {
    this.#stopTraining = stop;
  }

  /**
   * A weight of a class of one's own, for a field: ops take it as a tensor. It is named, saved, clipped and decayed like
   * the weights of layers.
   *
   * @param name   its name, behind the path of this module
   * @param shape  its extents
   * @throws OptionError for a name that is taken, ShapeError for extents that are not positive integers
   * @example
   * class Scaled extends Module {
   *   scale = this.parameter("scale", [8], { initializer: "ones" });
   *   call(x) { return ops.mul(x, this.scale); }
   * }
   */
  parameter(name: string, shape: Shape, options: ParameterOptions = {}): Tensor {
    const parameter = ownParameter(this.describe(), name, shape, options, this.ownParameters);
    parameter.trainable &&= this.trainable;
    this.ownParameters.set(name, parameter);
    return parameter as unknown as Tensor; // ops take it where they take a tensor
  }

  /**
   * Describes a use of this module in a functional model: nothing is computed.
   *
   * @param x  a symbolic tensor, from `input` or another `apply`; a list for layers that take a list, and for a `call` of
   *           several inputs
   * @returns the output; a list of the output and the states with `returnState`
   * @throws ShapeError naming the module and its inputs when they do not fit
   * @example
   * const x = input({ shape: [null, 8] });
   * const y = layers.lstm({ units: 4 }).apply(x);
   */
  apply(x: SymbolicTensor | readonly SymbolicTensor[], options?: ApplyOptions): Applied<ReturnType<this["call"]>> {
    return applyLayer(this, x, options) as Applied<ReturnType<this["call"]>>;
  }

  /**
   * Chooses what `fit`, `train`, `trainOnBatch` and `evaluate` minimise, measure and update by. With another optimizer than
   * before, the state of the former one is freed, unless `trainStep` or `apply` use it too.
   *
   * @param options  `loss`: a name, a function of `(yTrue, yPred)`, or one for each output as a list or a record;
   *                 `optimizer`, "adam" by default; `metrics`, none by default
   * @throws OptionError for unknown names, StateError while a training runs
   */
  compile(options: CompileOptions = {} as CompileOptions): void {
    this.throwIfDisposed();
    this.throwIfQuantized("compile");
    this.#runner = compile(this, options, this.#runner);
  }

  /** The optimizer it was compiled with. */
  get optimizer(): Optimizer | undefined {
    return this.#runner?.optimizer;
  }

  private compiled(what: string): BatchRunner {
    this.throwIfDisposed();
    this.throwIfQuantized(what);
    if (!this.#runner)
      throw new StateError(
        `${what}: expected a compiled model, got one that is not; call compile({ optimizer, loss }) first`,
      );
    return this.#runner;
  }

  /**
   * Trains for some epochs. Pauses every few milliseconds, so that a page can draw and react.
   *
   * @param x  inputs [rows, ..], or a stream of batches `[x, y]` or `[x, y, { lengths, mask, sampleWeight }]` alone: something
   *           to iterate over, also asynchronously, or a function that gives one for every epoch
   * @param y  targets [rows, ..]: class numbers for sparse losses; the last axis of size 1 may be left out; for several
   *           outputs a list or a record
   * @returns every logged value by epoch: `history.loss`, `history.val_accuracy`, …
   * @throws NonFiniteError naming epoch, batch and first layer; the weights are the last finite ones
   * @throws ValueError when a batch has no label that counts, or a stream ends before `stepsPerEpoch`
   * @throws StateError when another training of this model runs
   * @throws the signal's reason when it is aborted; the weights stay as the last batch left them
   */
  fit(x: ModelInput, y: Targets, options?: FitOptions): Promise<History>;
  fit(batches: BatchStream, options?: FitOptions): Promise<History>;
  async fit(x: ModelInput | BatchStream, y?: Targets | FitOptions, rest?: FitOptions): Promise<History> {
    return fit(this, this.compiled("fit"), x, y, rest);
  }

  /**
   * Bytes that running this model takes, before it is run: nothing is computed and no memory taken but that of the weights
   * (and for a training step that of their gradients and the optimizer's slots).
   *
   * @param x  extents of the input, the batch in front: `[8, 10000, 64]`; `{ shape, dtype: "i32" }` for integers that no embedding asks for
   * @param y  extents of the targets: a training step with what `compile` settled; a prediction when absent
   * @throws ShapeError for extents that are none or do not fit the model; StateError with y before `compile`
   * @example
   * model.memory([8, 10000, 64], [8, 1]).total; // bytes of a training step, on one thread
   */
  memory(x: InputShapes, y?: ArrayShape): MemoryNeed {
    this.throwIfDisposed();
    return memory(this, this.#runner, x, y);
  }

  /**
   * What this model runs, as text: every kernel call of a prediction, a training step or a step of a stream, in order, with its
   * extents, the bytes of the arrays it names and its multiply-adds, then the totals. Nothing is computed.
   *
   * @param options  one of `predict`, `train` (extents of the input, the batch in front) and `stream: true`; `by: "layer"`
   *   for one line per layer
   * @throws OptionError unless one of them is given; ShapeError for extents that do not fit the model; StateError for
   *   `train` before `compile`
   * @example
   * console.log(model.explain({ predict: [1, 100, 8] }));
   */
  explain(options: ExplainOptions): string {
    this.throwIfDisposed();
    return explain(this, this.#runner, options);
  }

  /** The same loop as a generator of events; `return()` stops it. */
  train(x: ModelInput, y: Targets, options?: FitOptions): AsyncGenerator<TrainEvent, void>;
  train(batches: BatchStream, options?: FitOptions): AsyncGenerator<TrainEvent, void>;
  train(x: ModelInput | BatchStream, y?: Targets | FitOptions, rest?: FitOptions): AsyncGenerator<TrainEvent, void> {
    return train(this, this.compiled("train"), x, y, rest);
  }

  /** One update, synchronously. @returns `{ loss, …metrics }` of this batch before the update */
  trainOnBatch(x: ModelInput, y: Targets, options: BatchOptions = {}): Logs {
    const runner = this.compiled("trainOnBatch");
    if (runner.fitting) throw new StateError("trainOnBatch: this model is training; await its fit, or abort it");
    return runner.trainOnBatch(Dataset.of(x, y, options, "trainOnBatch", this.inputConfigs));
  }

  /** `{ loss, …metrics }` of one batch. */
  testOnBatch(x: ModelInput, y: Targets, options: BatchOptions = {}): Logs {
    const data = Dataset.of(x, y, options, "testOnBatch", this.inputConfigs);
    return evaluateArrays(this.compiled("testOnBatch"), data, data.rows);
  }

  /**
   * `{ loss, …metrics }` over all rows, in batches; a promise of them for a stream of batches, as `fit` takes them.
   *
   * @throws ValueError when no label counts
   */
  evaluate(x: ModelInput, y: Targets, options?: EvaluateOptions): Logs;
  evaluate(batches: BatchStream, options?: EvaluateOptions): Promise<Logs>;
  evaluate(x: ModelInput | BatchStream, y?: Targets | EvaluateOptions, more?: EvaluateOptions): Logs | Promise<Logs> {
    return evaluate(this, this.compiled("evaluate"), x, y, more);
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
    checkFlags("save", options, ["optimizer"]);
    return save(this, options);
  }

  /**
   * What this model computes, for inputs of given extents, as a file for `gatewise/exported`: that entry is less than half of
   * `gatewise/infer`, starts in less than half of its time, and runs Modules of your own, too.
   *
   * @returns a safetensors file of programs and weights, for this version of the kernels; `save` is what lasts
   * @throws OptionError for neither `stream` nor `predict`, ShapeError for extents that do not fit
   * @throws StateError before the model is built
   * @throws UnsupportedError for layers that do not run step by step, are stateful, or draw random numbers
   * @example
   * writeFileSync("model.exported", model.export({ stream: true, predict: [1, 10, 3] }));
   */
  export(options: ExportOptions): Uint8Array {
    this.throwIfDisposed();
    return exportModel(this, options);
  }

  /**
   * Weights of a file into this model, which is built. Saved optimizer slots wait for the first optimizer of their kind.
   *
   * @throws FormatError, ShapeError when the file is not of this model; nothing has changed then
   * @throws UnsupportedError for a quantised model
   */
  load(bytes: FileBytes): void {
    this.throwIfDisposed();
    this.throwIfQuantized("load");
    this.throwIfUnbuilt("load");
    const opened = openFile(bytes);
    checkWeights(this, opened.weights);
    this.takeOptimizer(opened);
    for (const [name, parameter] of this.parameters())
      parameter.block!.assign(parameter, opened.weights.get(name)!.data);
    this.restoreRandom(opened.file);
  }

  /**
   * Another model like this one, with its large weights in 8 bits: about a quarter of the file, down to a third
   * of the time for a step, and it only runs. Kernels of at most 32 inputs (or an eighth of the units) stay floats, and so
   * do layers without products. This model stays as it is.
   *
   * @throws OptionError for other bits, unknown options, layers of your own
   * @throws StateError for a model without weights, or one that is quantised already
   * @throws UnsupportedError for a Module of your own
   * @example
   * const small = model.quantize({ bits: 8 });
   */
  quantize(options: QuantizeOptions = {}): this {
    this.throwIfDisposed();
    return this.remake("quantize", () => quantizedParts(this, options));
  }

  /** Another model of the same kind. @internal */
  remake(subject: string, _parts: () => ReturnType<typeof quantizedParts>): this {
    throw new UnsupportedError(
      `${subject}: expected a model of layers, as sequential and functional make, got a ${this.describe()}; ${subject} those inside it`,
    );
  }

  /** Hands the optimizer state of a file on to whom it is for. @internal */
  override takeOptimizer({ file, slots }: ReturnType<typeof openFile>): void {
    const { optimizer } = file;
    if (!optimizer) return;
    const arrays = new Map(optimizer.slots.map((slot) => [slot, slotArrays(this, slot, slots)]));
    if (arrays.size !== optimizer.slots.length)
      throw new FormatError("load: expected different slots of the optimizer, got one twice");
    optimizersOf(this).load({ saved: optimizer, slots: arrays });
  }
}
