/** One step at a time: synchronous, without allocation, with a state of its own. */
/// <reference lib="esnext.disposable" preserve="true" />
import { DisposedError, OptionError, ShapeError, ValueError } from "../base/errors.ts";
import { checkAttached, isTypedArray, type ArrayInput, type NDArray } from "../base/ndarray.ts";
import { shown } from "../base/formatting.ts";
import type { Structure } from "../graph/pytree.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { InputConfig } from "../module/config.ts";
import type { StateSet } from "../module/state_set.ts";
import type { Port } from "../program/port.ts";
import { FrameList, OutputList, type Frame, type Frames } from "./stream_lists.ts";

/** Options of `stream`. */
export interface StreamOptions {
  /** Rows that step side by side. @default 1 */
  batch?: number | undefined;
  /** Steps per call into wasm of `process`. If given, its program is made now, not at the first block. @default 128 */
  block?: number | undefined;
  /**
   * States by name to start from, and to go back to by `reset`, as `getState` gives them: those in which a model rests after
   * some silence, for example. Others start from zeros. @default none
   */
  state?: Readonly<Record<string, ArrayInput>> | undefined;
}

type TypedFrame = Float32Array | Int32Array;

/** What a stream gives: floats for each tensor that the model's `call` gives. */
export type Streamed<R> = 0 extends 1 & R // any
  ? any
  : R extends Tensor
    ? Float32Array
    : R extends object
      ? { -readonly [K in keyof R]: Streamed<R[K]> }
      : Float32Array;

/** Frames in, outputs out. */
export interface Runner {
  readonly program: { run(): void };
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** What a stream runs: programs for so many steps at once, over states that they carry on. */
export interface StreamSource {
  readonly batch: number;
  readonly block: number;
  readonly states: StateSet;
  /** The inputs, with their names for records of frames. */
  readonly inputs: readonly InputConfig[];
  /** What stands around the outputs. */
  readonly structure: Structure;
  /** The program for 1 step or for a block of them. */
  runner(steps: number): Runner;
  throwIfDisposed(): void;
  dispose(): void;
}

const sizesOf = (ports: readonly Port[]): number => ports.reduce((sum, { size }) => sum + size, 0);

/**
 * A model stepping through time. Its weights are the model's: training or `setWeights` shows at the next step.
 *
 * @typeParam O  what a step gives: floats, or a list or a record of them as the model's `call`
 * @example
 * const stream = model.stream();
 * const output = stream.step(frame);
 */
export class Stream<O = Float32Array> {
  /** Rows that step side by side. */
  readonly batch: number;
  /** Steps that `process` runs in one call into wasm. */
  readonly block: number;
  /** Numbers of a frame: batch · features, or batch for tokens; of all inputs together. */
  readonly inputSize: number;
  /** Numbers of an output: batch · features of the last layer; of all outputs together. */
  readonly outputSize: number;
  private readonly source: StreamSource;
  private readonly stepper: Runner;
  private blocks: Runner | undefined;
  private readonly frames: FrameList;
  private readonly outputs: OutputList;
  /** What `step` writes to when nothing else is given, and the same as a list. */
  private readonly out: O;
  private readonly own: readonly Float32Array[];
  private disposed = false;

  /** @internal */
  constructor(source: StreamSource) {
    this.source = source;
    this.batch = source.batch;
    this.block = source.block;
    this.stepper = source.runner(1);
    const { inputs, outputs } = this.stepper;
    this.inputSize = sizesOf(inputs);
    this.outputSize = sizesOf(outputs);
    this.frames = new FrameList(source.inputs);
    this.outputs = new OutputList(source.structure, outputs);
    this.out = this.outputs.room(1) as O;
    this.own = [...this.outputs.read("stream", this.out, 1)];
  }

  private throwIfDisposed(): void {
    this.source.throwIfDisposed();
    if (this.disposed) throw new DisposedError("stream: expected a live stream, got one that was disposed of");
  }

  /**
   * One step.
   *
   * @param frame  [batch · features], or [batch] tokens; of several inputs a list or a record
   * @param out    [batch · outputs] to write to; default: an array of the stream, which the next step overwrites
   * @throws ShapeError, ValueError for a frame of another size, a number that is not finite, a token out of range;
   *         OptionError for other inputs than the model has; the state stays as it was
   */
  step(frame: Frames, out: O = this.out): O {
    this.throwIfDisposed();
    const { inputs, outputs, program } = this.stepper;
    const frames = this.frames.read("step", frame);
    const results = out === this.out ? this.own : this.outputs.read("step", out, 1);
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i];
      const given = frames[i];
      if (given?.length !== input.size)
        throw new ShapeError(
          `step: expected a frame of ${input.size} numbers${this.frames.about(i)}, got ${given?.length ?? typeof given}`,
        );
      input.writeFinite(given, "step: frame"); // a NaN would stay in the state for good
    }
    program.run();
    for (let i = 0; i < outputs.length; i++) results[i].set(outputs[i].view);
    return out;
  }

  /**
   * Any number of steps of one row: whole blocks with the time loop in wasm, the rest one by one.
   *
   * @param frames  [n · features], or [n] tokens; of several inputs a list or a record
   * @param out     [n · outputs] to write to
   * @throws OptionError at another batch than 1, and for other inputs than the model has
   * @throws ShapeError, ValueError for frames of another size, a number that is not finite or a token out of range; the
   *         state stays as it was
   */
  process(frames: Frames<Float32Array | Int32Array>, out?: O): O {
    this.throwIfDisposed();
    const { batch, block } = this;
    if (batch !== 1) throw new OptionError(`process: expected a stream of batch 1, got ${batch}; use step`);
    const given = this.frames.read("process", frames) as readonly TypedFrame[];
    const n = this.stepsOf(given);
    const result = out === undefined ? (this.outputs.room(n) as O) : out;
    const results = this.outputs.read("process", result, n);
    this.check("process: frames", given); // all of them first, so that a bad one leaves the state as it was
    let t = 0;
    for (; block > 1 && t + block <= n; t += block)
      this.run((this.blocks ??= this.source.runner(block)), given, results, t);
    for (; t < n; t++) this.run(this.stepper, given, results, t);
    return result;
  }

  /** Steps that were given to `process`, as many of each input. @throws ValueError, ShapeError */
  private stepsOf(given: readonly TypedFrame[]): number {
    const { inputs } = this.stepper;
    let n = 0;
    for (let i = 0; i < inputs.length; i++) {
      const frames = given[i];
      const { size } = inputs[i];
      if (!isTypedArray(frames))
        throw new ValueError(
          `process: expected frames as a Float32Array or an Int32Array${this.frames.about(i)}, got ${shown(frames)}`,
        );
      checkAttached(frames, "process: frames");
      const { length } = frames;
      if (length % size !== 0)
        throw new ShapeError(
          `process: expected frames of ${size} numbers each${this.frames.about(i)}, got ${length} numbers`,
        );
      if (i > 0 && length !== n * size)
        throw new ShapeError(`process: expected ${n} frames${this.frames.about(i)} as before, got ${length / size}`);
      n = Math.trunc(length / size); // an integer for the engine, too, which would make an object of anything else
    }
    return n;
  }

  /** @throws ValueError for numbers that are not finite, which would stay in the state for good, and tokens out of range */
  private check(subject: string, frames: readonly Frame[]): void {
    const { inputs } = this.stepper;
    for (let i = 0; i < inputs.length; i++) {
      inputs[i].checkFinite(frames[i], subject);
      inputs[i].check(frames[i], subject);
    }
  }

  /** Runs the program on frames from step t on. */
  private run(
    { inputs, outputs, program }: Runner,
    frames: readonly Frame[],
    results: readonly Float32Array[],
    t: number,
  ): void {
    for (let i = 0; i < inputs.length; i++) {
      const { size } = inputs[i];
      const from = t * this.stepper.inputs[i].size;
      const given = frames[i];
      inputs[i].set(given.length === size ? given : (given as TypedFrame).subarray(from, from + size));
    }
    program.run();
    for (let i = 0; i < outputs.length; i++) results[i].set(outputs[i].view, t * this.stepper.outputs[i].size);
  }

  /** Makes the state what it started from, zeros or the option `state`, in all rows or in one. */
  reset(row?: number): void {
    this.throwIfDisposed();
    if (row !== undefined && !(Number.isInteger(row) && row >= 0 && row < this.batch))
      throw new ShapeError(`reset: expected a row of 0…${this.batch - 1}, got ${shown(row)}`);
    this.source.states.reset(row);
  }

  /** Copies of the states by name: `"gru/h"` [batch, units]. */
  getState(): Record<string, NDArray> {
    this.throwIfDisposed();
    return this.source.states.get();
  }

  /** @throws ShapeError, StateError, ValueError for other names or shapes, or non-finite numbers; no state changes */
  setState(states: Record<string, ArrayInput>): void {
    this.throwIfDisposed();
    this.source.states.set(states);
  }

  /** Frees the stream's memory. May be called again. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.source.dispose();
  }

  /** {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
