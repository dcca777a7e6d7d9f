/** A model and its streams that live in a worker. */
import { OptionError } from "../base/errors.ts";
import { checkRecord } from "../base/options.ts";
import type { BatchOptions, Targets } from "../training/data/dataset.ts";
import type { InspectOptions } from "../training/inspect.ts";
import type { FileBytes } from "../saving/load.ts";
import type { ArrayRecord } from "../module/module_base.ts";
import type { PredictOptions } from "../inference/predict.ts";
import type { SaveOptions } from "../saving/save.ts";
import type { StreamOptions } from "../inference/stream.ts";
import type { History, Logs, TrainEvent } from "../training/events.ts";
import type { EvaluateOptions, FitOptions } from "../training/training_options.ts";
import type { ModelInput } from "../inference/model_inputs.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import type { Connection } from "./connection.ts";
import type { StreamFacts } from "./protocol.ts";

/** Options of calls that send arrays. */
export interface Transferring {
  /**
   * Hands the buffers of the arrays over to the worker instead of copying them: for large data. They are empty here
   * afterwards.
   *
   * @default false
   */
  transfer?: boolean | undefined;
}

/** Options of `fit` in a worker. */
export interface RemoteFitOptions extends Omit<FitOptions, "callbacks">, Transferring {
  /** Told of every batch and every epoch, somewhat later than it happens. What it throws ends the training. */
  onEvent?: ((event: TrainEvent) => void) | undefined;
}

/** The options that the worker is told of, and whether buffers are handed over. */
function divide<O extends Transferring>(
  method: string,
  options: O,
): [told: Omit<O, "transfer">, call: { transfer: boolean | undefined }] {
  checkRecord(method, options);
  const { transfer, ...told } = options;
  return [told, { transfer }];
}

/**
 * A model in a worker: its methods, as promises. Calls run in order; those made during a `fit` run between its batches.
 * Arguments are copied, results are your own. Errors are those of the model, of the same class.
 */
export class RemoteModel {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `fit` of the model, told of by `onEvent`; callbacks are given to `serve`. */
  async fit(x: ModelInput, y: Targets, options: RemoteFitOptions = {}): Promise<History> {
    const [{ onEvent, signal, ...told }, call] = divide("fit", options);
    if ((told as FitOptions).callbacks !== undefined)
      throw new OptionError(
        "fit: expected callbacks where the model is, in serve(make, { callbacks }), got them here; " +
          "onEvent is told of batches and epochs",
      );
    if (onEvent !== undefined && typeof onEvent !== "function")
      throw new OptionError(`fit: expected onEvent to be a function, got ${typeof onEvent}`);
    if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
      throw new OptionError(
        `fit: expected signal to be an AbortSignal, got ${signal === null ? "null" : typeof signal}`,
      );
    return this.#connection.call("fit", [x, y, told], { ...call, onEvent, signal });
  }

  /** `predict` of the model. */
  async predict(x: ModelInput, options: PredictOptions & Transferring = {}): Promise<NDArray> {
    const [told, call] = divide("predict", options);
    return this.#connection.call("predict", [x, told], call);
  }

  /** `evaluate` of the model, over arrays. */
  async evaluate(x: ModelInput, y: Targets, options: EvaluateOptions & Transferring = {}): Promise<Logs> {
    const [told, call] = divide("evaluate", options);
    return this.#connection.call("evaluate", [x, y, told], call);
  }

  /** `trainOnBatch` of the model. */
  async trainOnBatch(x: ModelInput, y: Targets, options: BatchOptions & Transferring = {}): Promise<Logs> {
    const [told, call] = divide("trainOnBatch", options);
    return this.#connection.call("trainOnBatch", [x, y, told], call);
  }

  /** `testOnBatch` of the model. */
  async testOnBatch(x: ModelInput, y: Targets, options: BatchOptions & Transferring = {}): Promise<Logs> {
    const [told, call] = divide("testOnBatch", options);
    return this.#connection.call("testOnBatch", [x, y, told], call);
  }

  /** `inspect` of the model. */
  async inspect(x: ModelInput, options: InspectOptions & Transferring = {}): Promise<ArrayRecord> {
    const [told, call] = divide("inspect", options);
    return this.#connection.call("inspect", [x, told], call);
  }

  /** Copies of all weights by name. */
  async getWeights(): Promise<ArrayRecord> {
    return this.#connection.call("getWeights", []);
  }

  /** Replaces weights by name; those not named stay. */
  async setWeights(weights: Record<string, ArrayInput>): Promise<void> {
    return this.#connection.call("setWeights", [weights]);
  }

  /** Makes stateful layers start from zeros again. */
  async resetStates(): Promise<void> {
    return this.#connection.call("resetStates", []);
  }

  /** A table of the layers. */
  async summary(): Promise<string> {
    return this.#connection.call("summary", []);
  }

  /** Weights there are. */
  async countParams(): Promise<number> {
    return this.#connection.call("countParams", []);
  }

  /** The bytes of a file, for `load` here or there and for `loadModel` anywhere. */
  async save(options: SaveOptions = {}): Promise<Uint8Array> {
    return this.#connection.call("save", [options]);
  }

  /** Weights of a file into the model. */
  async load(bytes: FileBytes): Promise<void> {
    return this.#connection.call("load", [bytes]);
  }

  /** A stream of the model, in the worker. */
  async stream(options: StreamOptions = {}): Promise<RemoteStream> {
    return new RemoteStream(this.#connection, (await this.#connection.call("stream", [options])) as StreamFacts);
  }

  /**
   * Frees the model, and ends the worker if `connect` started it. Pending and later calls are rejected with a
   * DisposedError. May be called again.
   */
  dispose(): Promise<void> {
    return this.#connection.dispose();
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A stream in a worker. Each call is a message there and one back: give `process` many steps at once. */
export class RemoteStream {
  /** Rows that step side by side. */
  readonly batch: number;
  /** Steps that `process` runs in one call into wasm. */
  readonly block: number;
  /** Numbers of a frame. */
  readonly inputSize: number;
  /** Numbers of an output. */
  readonly outputSize: number;
  readonly #connection: Connection;
  readonly #target: number;

  /** @internal */
  constructor(connection: Connection, { target, batch, block, inputSize, outputSize }: StreamFacts) {
    this.#connection = connection;
    this.#target = target;
    this.batch = batch;
    this.block = block;
    this.inputSize = inputSize;
    this.outputSize = outputSize;
  }

  #ask(method: string, ...args: unknown[]): Promise<any> {
    return this.#connection.call(method, args, { target: this.#target });
  }

  /** One step. @returns an array of your own */
  async step(frame: Float32Array | Int32Array | readonly number[]): Promise<Float32Array> {
    return this.#ask("step", frame);
  }

  /** Any number of steps of one row. */
  async process(frames: Float32Array | Int32Array): Promise<Float32Array> {
    return this.#ask("process", frames);
  }

  /** Zeroes the state, of all rows or of one. */
  async reset(row?: number): Promise<void> {
    return this.#ask("reset", row);
  }

  /** Copies of the states by name. */
  async getState(): Promise<ArrayRecord> {
    return this.#ask("getState");
  }

  /** Replaces the states; those of `getState`. */
  async setState(states: Record<string, ArrayInput>): Promise<void> {
    return this.#ask("setState", states);
  }

  /** Frees the stream in the worker. May be called again. */
  async dispose(): Promise<void> {
    return this.#ask("dispose");
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
