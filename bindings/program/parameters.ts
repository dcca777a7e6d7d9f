/** Parameters: flat blocks of weights with their gradients and optimizer slots beside them, and panels derived from them. */
import { DisposedError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Backend } from "../runtime/load.ts";
import type { Program } from "./program.ts";
import { replay, type Bound } from "./replay.ts";
import { Storage, sizeOf, type Shape, type Tensor } from "./tensor.ts";
import type { Call } from "./trace.ts";

/** Writes the initial values of a tensor of this shape. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** Gives a weight its values after an update. */
export type Constraint = (weight: Tensor) => Tensor;

/** A weight of a module: what it looks like, and, once its block is allocated, where it lies. */
export class Parameter {
  readonly shape: Shape;
  readonly initializer: Initializer;
  readonly trainable: boolean;
  readonly constraint: Constraint | undefined;
  readonly storage: Storage;
  readonly gradient: Storage;
  /** Packed forms of this weight, by what they are. */
  readonly derived = new Map<string, Derived>();
  block: ParameterBlock | undefined;
  /** Floats from the start of the block. */
  offset = 0;

  constructor(shape: Shape, initializer: Initializer, trainable: boolean, constraint?: Constraint) {
    this.shape = shape;
    this.initializer = initializer;
    this.trainable = trainable;
    this.constraint = constraint;
    this.storage = new Storage(sizeOf(shape) * 4);
    this.gradient = new Storage(sizeOf(shape) * 4);
  }

  get size(): number {
    return sizeOf(this.shape);
  }
}

/** Something computed from parameters alone, kept until they change: column panels, permuted biases. */
export class Derived {
  readonly storage: Storage;
  readonly calls: readonly Call[];
  readonly parameter: Parameter;
  private bound: Bound[] | undefined;
  private version = 0;

  constructor(parameter: Parameter, storage: Storage, calls: readonly Call[]) {
    this.parameter = parameter;
    this.storage = storage;
    this.calls = calls;
  }

  /** Takes over a block of memory that the arena gave for it. */
  place(ptr: number, bind: (calls: readonly Call[]) => Bound[]): void {
    this.storage.ptr = ptr;
    this.parameter.block!.derived.push(this);
    this.bound = bind(this.calls);
  }

  /** Computes it again when its parameter has changed since. */
  refresh(): void {
    const { version } = this.parameter.block!;
    if (this.version === version) return;
    replay(this.bound!);
    this.version = version;
  }

  free(backend: Backend): void {
    backend.arena.free(this.storage.ptr!);
  }
}

/** Neighbouring floats of a block that an optimizer treats alike. */
export interface FlatRange {
  readonly offset: number;
  readonly size: number;
}

const padded = (size: number): number => Math.ceil(size / 4) * 4; // bit operations would take the size for 32 bits

/** The weights of a module in one piece; gradients and optimizer slots are pieces of the same layout. */
export class ParameterBlock {
  readonly backend: Backend;
  readonly parameters: readonly Parameter[];
  readonly floats: number;
  readonly ptr: number;
  readonly derived: Derived[] = [];
  /** Raised whenever a weight changes, so that panels follow. */
  version = 1;
  disposed = false;
  /** Those that have its address in their calls. */
  readonly programs = new Set<Program>();
  private gradients: number | undefined;
  private readonly slots = new Map<object, number[]>();

  /** @throws MemoryError */
  constructor(backend: Backend, parameters: readonly Parameter[]) {
    this.backend = backend;
    this.parameters = parameters;
    let floats = 0;
    for (const parameter of parameters) {
      parameter.offset = floats;
      floats += padded(parameter.size);
    }
    this.floats = floats;
    this.ptr = backend.arena.alloc(floats * 4);
    for (const parameter of parameters) {
      parameter.block = this;
      parameter.storage.ptr = this.ptr + parameter.offset * 4;
    }
  }

  /** Runs of those of its parameters that are among these. */
  rangesOf(some: ReadonlySet<Parameter>): FlatRange[] {
    const ranges: { offset: number; size: number }[] = [];
    for (const parameter of this.parameters) {
      if (!some.has(parameter)) continue;
      const { offset, size } = parameter;
      const last = ranges.at(-1);
      if (last && last.offset + last.size === offset) last.size += padded(size);
      else ranges.push({ offset, size: padded(size) });
    }
    return ranges;
  }

  /** Where the gradients lie. */
  gradientPtr(): number {
    if (this.gradients === undefined) {
      this.gradients = this.backend.arena.alloc(this.floats * 4);
      for (const parameter of this.parameters) parameter.gradient.ptr = this.gradients + parameter.offset * 4;
    }
    return this.gradients;
  }

  /**
   * Where the slots of an optimizer lie.
   *
   * @param owner   only compared; it must not lead to a model
   * @param starts  what each is filled with when it is new
   */
  slotPtrs(owner: object, starts: readonly number[]): number[] {
    let ptrs = this.slots.get(owner);
    if (!ptrs) {
      ptrs = this.backend.arena.allocAll(starts.map(() => this.floats * 4));
      for (const [i, start] of starts.entries()) if (start !== 0) this.backend.heap.f32(ptrs[i], this.floats).fill(start);
      this.slots.set(owner, ptrs);
    }
    return ptrs;
  }

  /** Frees the slots of an optimizer that no program works on any more. */
  freeSlots(owner: object): void {
    if (this.disposed) return;
    for (const ptr of this.slots.get(owner) ?? []) this.backend.arena.free(ptr);
    this.slots.delete(owner);
  }

  /** @throws DisposedError for a block that was freed: layers may outlive the model that their weights lie in */
  throwIfDisposed(): void {
    if (this.disposed) throw new DisposedError("weights: expected those of a live model, got those of one that was disposed of");
  }

  /** The block's weights (or, at another base, gradients or slots) of one parameter. */
  view(parameter: Parameter, base = this.ptr): Float32Array {
    this.throwIfDisposed();
    return this.backend.heap.f32(base + parameter.offset * 4, parameter.size);
  }

  /** Frees it and lets its parameters be placed anew. */
  withdraw(): void {
    this.dispose();
    for (const parameter of this.parameters) {
      parameter.block = undefined;
      parameter.storage.ptr = undefined;
    }
  }

  /** Frees it, and every program that works on it, whoever made that. */
  dispose(): void {
    const { arena } = this.backend;
    this.disposed = true;
    for (const program of this.programs) program.dispose();
    arena.free(this.ptr);
    if (this.gradients !== undefined) arena.free(this.gradients);
    for (const ptrs of this.slots.values()) for (const ptr of ptrs) arena.free(ptr);
    for (const derived of this.derived) derived.free(this.backend);
  }
}
