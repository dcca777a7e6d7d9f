/** One step at a time: synchronous, without allocation, with a state of its own. */
/// <reference lib="esnext.disposable" preserve="true" />
import { DisposedError, OptionError, ShapeError, ValueError } from "../base/errors.ts";
import { checkAttached, isTypedArray, type ArrayInput, type NDArray } from "../base/ndarray.ts";
import type { Port } from "../program/port.ts";
import { shown } from "../base/formatting.ts";
import type { StateSet } from "../module/state_set.ts";

/** Options of `stream`. */
export interface StreamOptions {
  /** Rows that step side by side. @default 1 */
  batch?: number | undefined;
  /** Steps per call into wasm of `process`. If given, its program is made now, not at the first block. @default 128 */
  block?: number | undefined;
}

/** Frames in, outputs out. */
export interface Runner {
  readonly program: { run(): void };
  readonly input: Port;
  readonly output: Port;
}

/** What a stream runs: programs for so many steps at once, over states that they carry on. */
export interface StreamSource {
  readonly batch: number;
  readonly block: number;
  readonly states: StateSet;
  /** The program for 1 step or for a block of them. */
  runner(steps: number): Runner;
  throwIfDisposed(): void;
  dispose(): void;
}

/** @throws ValueError, ShapeError unless results fit into what the caller gave for them */
function checkOut(method: string, out: unknown, size: number): void {
  if (!(out instanceof Float32Array))
    throw new ValueError(`${method}: expected out as a Float32Array, got ${shown(out)}`);
  if (out.length !== size)
    throw new ShapeError(`${method}: expected room for ${size} numbers in out, got ${out.length}`);
}

/**
 * A model stepping through time. Its weights are the model's: training or `setWeights` shows at the next step.
 *
 * @example
 * const stream = model.stream();
 * const output = stream.step(frame);
 */
export class Stream {
  /** Rows that step side by side. */
  readonly batch: number;
  /** Steps that `process` runs in one call into wasm. */
  readonly block: number;
  /** Numbers of a frame: batch · features, or batch for tokens. */
  readonly inputSize: number;
  /** Numbers of an output: batch · features of the last layer. */
  readonly outputSize: number;
  private readonly source: StreamSource;
  private readonly stepper: Runner;
  private blocks: Runner | undefined;
  private readonly out: Float32Array;
  private disposed = false;

  /** @internal */
  constructor(source: StreamSource) {
    this.source = source;
    this.batch = source.batch;
    this.block = source.block;
    this.stepper = source.runner(1);
    this.inputSize = this.stepper.input.size;
    this.outputSize = this.stepper.output.size;
    this.out = new Float32Array(this.outputSize);
  }

  private throwIfDisposed(): void {
    this.source.throwIfDisposed();
    if (this.disposed) throw new DisposedError("stream: expected a live stream, got one that was disposed of");
  }

  /**
   * One step.
   *
   * @param frame  [batch · features], or [batch] tokens
   * @param out    [batch · outputs] to write to; default: an array of the stream, which the next step overwrites
   * @throws ShapeError, ValueError for a frame of another size, a number that is not finite, a token out of range; the
   *         state stays as it was
   */
  step(frame: Float32Array | Int32Array | readonly number[], out: Float32Array = this.out): Float32Array {
    this.throwIfDisposed();
    const { input, output, program } = this.stepper;
    if (frame?.length !== input.size)
      throw new ShapeError(`step: expected a frame of ${input.size} numbers, got ${frame?.length ?? typeof frame}`);
    checkOut("step", out, output.size);
    input.checkFinite(frame, "step: frame"); // a NaN would stay in the state for good
    input.write(frame, "step: frame");
    program.run();
    out.set(output.view);
    return out;
  }

  /**
   * Any number of steps of one row: whole blocks with the time loop in wasm, the rest one by one.
   *
   * @param frames  [n · features], or [n] tokens
   * @param out     [n · outputs] to write to
   * @throws OptionError at another batch than 1
   * @throws ShapeError, ValueError for frames of another size, a number that is not finite or a token out of range; the
   *         state stays as it was
   */
  process(frames: Float32Array | Int32Array, out?: Float32Array): Float32Array {
    this.throwIfDisposed();
    if (this.batch !== 1) throw new OptionError(`process: expected a stream of batch 1, got ${this.batch}; use step`);
    if (!isTypedArray(frames))
      throw new ValueError(`process: expected frames as a Float32Array or an Int32Array, got ${shown(frames)}`);
    checkAttached(frames, "process: frames");
    const { inputSize, outputSize, block } = this;
    const n = frames.length / inputSize;
    if (!Number.isInteger(n))
      throw new ShapeError(`process: expected frames of ${inputSize} numbers each, got ${frames.length} numbers`);
    const result = out === undefined ? new Float32Array(n * outputSize) : out;
    checkOut("process", result, n * outputSize);
    // all of them first, so that a bad one leaves the state as it was
    this.stepper.input.check(frames, "process: frames");
    this.stepper.input.checkFinite(frames, "process: frames");
    let t = 0;
    for (; block > 1 && t + block <= n; t += block) {
      const { input, output, program } = (this.blocks ??= this.source.runner(block));
      input.write(n === block ? frames : frames.subarray(t * inputSize, (t + block) * inputSize), "process: frames");
      program.run();
      result.set(output.view, t * outputSize);
    }
    for (; t < n; t++) {
      this.step(frames.subarray(t * inputSize, (t + 1) * inputSize));
      result.set(this.out, t * outputSize);
    }
    return result;
  }

  /** Zeroes the state, of all rows or of one. */
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
