/** Running a model over arrays, batch by batch. */
import { ShapeError, TraceError } from "../base/errors.ts";
import { checkCount, checkOptions } from "../base/options.ts";
import type { NDArray, Normalized } from "../base/ndarray.ts";
import { BatchSharder, nearlyEqual, type BatchPart, type SliceRows } from "../program/batch_sharding.ts";
import { TracedFunction, type Compiled } from "../program/traced_function.ts";
import { describe, sizeOf } from "../base/shape.ts";
import type { ValidSteps, Tensor } from "../graph/tensor.ts";
import { flattenResult } from "../graph/pytree.ts";
import {
  attachSteps,
  inputArrays,
  namedArrays,
  rowsOf,
  stepArrays,
  type ModelInput,
  type StepOptions,
} from "./model_inputs.ts";
import { HAS_THREADS } from "../runtime/threads/threads.ts";
import { KeptKey } from "../module/kept.ts";
import { isRowwise, type ModuleBase } from "../module/module_base.ts";
import { statefulStore } from "../module/state_stores.ts";

/** Options of `predict`. */
export interface PredictOptions extends StepOptions {
  /** Rows per batch. @default 32 */
  batchSize?: number | undefined;
}

type PredictFunction = (inputs: Tensor[], steps: ValidSteps) => unknown;

function tracePredict(model: ModuleBase, options: { shard?: number } = {}): TracedFunction {
  const fn: PredictFunction = (inputs, steps) => {
    attachSteps(inputs, steps);
    const outputs: unknown = model.call(...inputs);
    return checkOutputs(model, outputs, inputs[0].shape[0]);
  };
  return new TracedFunction("predict", model, fn as never, { stateful: statefulStore(model) }, options);
}

const PREDICT = new KeptKey<TracedFunction>();
const PREDICT_SHARDS = new KeptKey<BatchSharder<undefined>>();

/** The model as a function of a batch. */
export const predictFunction = (model: ModuleBase): TracedFunction => model.kept(PREDICT, () => tracePredict(model));

/** The model as a function of the rows of a batch that a thread computes. */
const predictSharder = (model: ModuleBase): BatchSharder<undefined> =>
  model.kept(
    PREDICT_SHARDS,
    () => new BatchSharder(model, (shard) => tracePredict(model, { shard }), isRowwise(model)),
  );

/** @throws TraceError, ShapeError unless there is an output, and a row of each for every row of the input */
function checkOutputs(model: ModuleBase, outputs: unknown, rows: number): unknown {
  const { tensors } = flattenResult(outputs);
  if (tensors.length === 0) {
    const got = outputs === null ? "null" : typeof outputs;
    throw new TraceError(`${model.describe()}: expected call to give a tensor, or a list of them, got ${got}`);
  }
  const odd = tensors.find(({ shape }) => shape[0] !== rows);
  if (odd)
    throw new ShapeError(
      `${model.describe()}: expected an output [batch, ..] of ${rows} rows as the input, got ${describe(odd.shape)}; ` +
        "use jit(model, fn) for results of other shapes",
    );
  return outputs;
}

/** What a model gives for arrays: one, or a list or a record of them as its `call` does. */
export type Prediction = NDArray | Prediction[] | { [output: string]: Prediction };

/** Arrays in the structure of the tensors that `call` gives. */
export type Predicted<R> = 0 extends 1 & R // any
  ? any
  : R extends Tensor
    ? NDArray
    : R extends readonly [infer One]
      ? Predicted<One>
      : R extends object
        ? { -readonly [K in keyof R]: Predicted<R[K]> }
        : NDArray;

/** What is predicted on, and where the results go. */
class Run {
  private readonly whole: TracedFunction;
  /** Where there are several threads. */
  private readonly sharder: BatchSharder<undefined> | undefined;
  private readonly arrays: readonly Normalized[];
  private readonly steps: Readonly<Record<string, Normalized>>;
  private readonly named: readonly [name: string, array: Normalized][];
  private readonly batchSize: number;
  private readonly rows: number;
  outputs: NDArray[] = [];

  constructor(model: ModuleBase, x: ModelInput, options: PredictOptions, batchSize: number) {
    this.whole = predictFunction(model);
    this.sharder = HAS_THREADS && model.backend.pool ? predictSharder(model) : undefined;
    this.arrays = inputArrays(x, "predict: x", model.inputConfigs);
    this.steps = stepArrays(options, this.arrays[0].shape, "predict");
    this.named = namedArrays("predict", this.arrays, this.steps);
    this.rows = this.arrays[0].shape[0];
    this.batchSize = batchSize;
  }

  private from(first: number): SliceRows {
    const { arrays, steps, whole } = this;
    return (start, end) => {
      const [a, b] = [first + start, first + end];
      const part = Object.fromEntries(Object.entries(steps).map(([name, array]) => [name, rowsOf(array, a, b)]));
      return whole.flatten([arrays.map((array) => rowsOf(array, a, b)), part]);
    };
  }

  /** Programs for the rows from `first` on: a batch, or one for every thread. */
  private compile(first: number): BatchPart<undefined>[] {
    const { sharder, batchSize } = this;
    const rows = this.rows - first;
    const shards = sharder?.shards(Math.min(rows, batchSize * sharder.threads), this.from(first));
    return shards ?? [this.compileWhole(first, Math.min(rows, batchSize))];
  }

  private compileWhole(first: number, rows: number): BatchPart<undefined> {
    return { compiled: this.whole.compile(this.from(first)(0, rows)), start: 0, end: rows };
  }

  /**
   * Computes all rows.
   *
   * @returns a program with the structure of the outputs
   * @throws ValueError for values that the programs cannot take
   */
  all(): Compiled<undefined> {
    const parts = this.compile(0);
    const [{ compiled }] = parts;
    this.named.forEach(([name, array], i) => compiled.program.inputs[i].check(array.data, name));
    for (let first = this.run(parts, 0); first < this.rows;) first = this.run(this.compile(first), first);
    return compiled;
  }

  /** Computes rows from `first` on, divided where that gives the same. @returns where the next ones are */
  private run(parts: readonly BatchPart<undefined>[], first: number): number {
    this.replay(parts, first);
    const next = first + parts.at(-1)!.end;
    if (parts.length > 1 && !this.sharder!.confirm(() => this.sameWhole(first, next)))
      return this.run(this.compile(first), first);
    return next;
  }

  private replay(parts: readonly BatchPart<undefined>[], first: number): void {
    for (const {
      compiled: { program },
      start,
      end,
    } of parts) {
      // `all` has checked the values
      this.named.forEach(([, array], i) => program.inputs[i].set(rowsOf(array, first + start, first + end).data));
    }
    if (parts.length > 1) this.sharder!.run(parts);
    else this.whole.replay(parts[0].compiled);
    this.collect(parts, first);
  }

  /** Copies the outputs of rows from `first` on to their place among all rows. */
  private collect(parts: readonly BatchPart<undefined>[], first: number): void {
    const [
      {
        compiled: {
          program: { outputs },
        },
        end,
      },
    ] = parts;
    if (first === 0 && end === this.rows) {
      // a copy of the view needs no zeros first (measured: a third less time)
      this.outputs = outputs.map(({ view, shape }) => ({ data: new Float32Array(view), shape: [...shape] }));
      return;
    }
    if (this.outputs.length === 0) {
      this.outputs = outputs.map(({ shape: [, ...shape] }) => ({
        data: new Float32Array(this.rows * sizeOf(shape)),
        shape: [this.rows, ...shape],
      }));
    }
    for (const {
      compiled: { program },
      start,
    } of parts) {
      program.outputs.forEach(({ view, size, shape }, i) =>
        this.outputs[i].data.set(view, ((first + start) * size) / shape[0]),
      );
    }
  }

  /** Whether rows computed together are as they have been computed apart. */
  private sameWhole(first: number, end: number): boolean {
    const apart = this.outputs.map(({ data }) => data.slice());
    const whole = this.compileWhole(first, end - first);
    this.replay([whole], first);
    whole.compiled.program.dispose();
    return this.outputs.every(({ data }, i) => nearlyEqual(data, apart[i]));
  }
}

/** See {@link ModuleBase.predict}. */
export function predict(model: ModuleBase, x: ModelInput, options: PredictOptions): Prediction {
  model.throwIfDisposed();
  checkOptions("predict", options, ["batchSize", "lengths", "mask"]);
  const { batchSize = 32 } = options;
  checkCount("predict", "batchSize", batchSize);
  const run = new Run(model, x, options, batchSize);
  const result = run.all().result((_port, i) => run.outputs[i]) as Prediction;
  return Array.isArray(result) && run.outputs.length === 1 ? run.outputs[0] : result;
}
