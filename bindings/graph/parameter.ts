/** Parameters: flat blocks of weights with their gradients and optimizer slots beside them, and panels derived from them. */
import { PACKAGE_VERSION } from "../abi/version.ts";
import { DisposedError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { sizeOf, type Shape } from "../base/shape.ts";
import type { Backend } from "../runtime/backend.ts";
import { replay, type BoundCall } from "../runtime/replay.ts";
import { dequantizeWeight, type Int8Format, type Int8Role, type Int8Weight } from "./int8_weight.ts";
import { Storage, type Call } from "./ir.ts";
import type { Tensor } from "./tensor.ts";

/** Writes the initial values of a tensor of this shape. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** Gives a weight its values after an update. */
export type Constraint = (weight: Tensor) => Tensor;

export interface ParameterUse {
  /** Training never changes it, whatever its module says. */
  readonly fixed?: boolean;
  readonly role?: Int8Role | undefined;
  readonly int8?: Int8Format | undefined;
}

let made = 0;

/** Marks the weights of every copy of this code. */
const PARAMETER = Symbol.for(`gatewise/${PACKAGE_VERSION}/parameter`);

/** Whether something is a weight, whichever of the copies that ESM, CJS and sub-paths load made it. */
export const isParameter = (value: unknown): value is Parameter =>
  typeof value === "object" && value !== null && PARAMETER in value;

/** A weight of a module: what it looks like, and, once its block is allocated, where it lies. */
export class Parameter {
  /** Tells it from all others, in the names of what is derived from several. */
  readonly serial = made++;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** Whether training changes it; its module says so. */
  trainable: boolean;
  readonly fixed: boolean;
  readonly constraint: Constraint | undefined;
  /** What it is used for, when it is worth keeping in 8 bits. */
  readonly role: Int8Role | undefined;
  /** How it is kept, when that is in 8 bits: [size] integers, and behind them the scales. */
  readonly int8: Int8Format | undefined;
  readonly storage: Storage;
  /** Packed forms of this weight, by what they are. */
  readonly packed = new Map<string, PackedWeight>();
  block: ParameterBlock | undefined;
  /** Floats from the start of the block. */
  offset = 0;

  constructor(
    shape: Shape,
    initializer: Initializer,
    trainable: boolean,
    constraint?: Constraint,
    { role, int8, fixed = false }: ParameterUse = {},
  ) {
    this.shape = shape;
    this.initializer = initializer;
    this.trainable = trainable;
    this.fixed = fixed;
    this.constraint = constraint;
    this.role = role;
    this.int8 = int8;
    this.storage = new Storage(this.floats * 4);
  }

  get [PARAMETER](): true {
    return true;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Floats from its integers to its scales, in 8 bits. */
  get scaleOffset(): number {
    return padded(this.size / 4);
  }

  /** Floats that it takes up. */
  get floats(): number {
    return this.int8 ? this.scaleOffset + this.shape[this.int8.axis] : this.size;
  }
}

/** Something computed from parameters alone, kept until they change: column panels, permuted biases, products of a table. */
export class PackedWeight {
  readonly storage: Storage;
  readonly calls: readonly Call[];
  /** The first owns the memory. */
  readonly parameters: readonly Parameter[];
  private bound: readonly BoundCall[] | undefined;
  private version = 0;

  constructor(parameters: readonly Parameter[], storage: Storage, calls: readonly Call[]) {
    this.parameters = parameters;
    this.storage = storage;
    this.calls = calls;
  }

  /** Takes over a block of memory that the arena gave for it. @param bind  gives its calls the addresses of what they name */
  place(ptr: number, bind: (calls: readonly Call[]) => readonly BoundCall[]): void {
    this.storage.ptr = ptr;
    this.bound = bind(this.calls);
    this.parameters[0].block!.packedWeights.push(this);
  }

  /** Computes it again when one of its parameters has changed since. */
  refresh(): void {
    let version = 0; // versions only grow, and so does their sum
    for (let i = 0; i < this.parameters.length; i++) version += this.parameters[i].block!.version;
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
  readonly packedWeights: PackedWeight[] = [];
  /** Counts changes of weights: packed weights are computed again when it has grown. Only {@link assign} and {@link changed} raise it. */
  version = 1;
  /** Raised whenever one of its weights is frozen or unfrozen, so that programs which train are recorded anew. */
  trainableVersion = 0;
  disposed = false;
  /** Those that have its address in their calls. */
  readonly programs = new Set<{ readonly lasting: boolean; dispose(): void }>();
  private readonly gradients: number[] = [];
  private readonly slots = new Map<object, number[]>();

  /** @throws MemoryError */
  constructor(backend: Backend, parameters: readonly Parameter[]) {
    this.backend = backend;
    this.parameters = parameters;
    let floats = 0;
    for (const parameter of parameters) {
      parameter.offset = floats;
      floats += padded(parameter.floats);
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

  /** Where the gradients lie; those of a part of a batch are added to the first's in the end. */
  gradientPtr(shard = 0): number {
    return (this.gradients[shard] ??= this.backend.arena.alloc(this.floats * 4));
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
      for (const [i, start] of starts.entries())
        if (start !== 0) this.backend.heap.f32(ptrs[i], this.floats).fill(start);
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
    if (this.disposed)
      throw new DisposedError("weights: expected those of a live model, got those of one that was disposed of");
  }

  /** The block's weights (or, at another base, gradients or slots) of one parameter. */
  view(parameter: Parameter, base = this.ptr): Float32Array {
    this.throwIfDisposed();
    return this.backend.heap.f32(base + parameter.offset * 4, parameter.size);
  }

  /** All floats of the block: its weights or, at another base, their gradients or slots. */
  floatsAt(base = this.ptr): Float32Array {
    return this.backend.heap.f32(base, this.floats);
  }

  /** An int8 weight, to read or to write. */
  int8(parameter: Parameter): Int8Weight {
    this.throwIfDisposed();
    const { heap } = this.backend;
    const ptr = this.ptr + parameter.offset * 4;
    return {
      data: heap.i8(ptr, parameter.size),
      scales: heap.f32(ptr + parameter.scaleOffset * 4, parameter.shape[parameter.int8!.axis]),
    };
  }

  /** Writes a weight. @param scales  of a weight that is kept in 8 bits, whose `data` are the integers */
  assign(parameter: Parameter, data: ArrayLike<number>, scales: ArrayLike<number> = []): void {
    if (parameter.int8) {
      const weight = this.int8(parameter);
      weight.data.set(data);
      weight.scales.set(scales);
    } else this.view(parameter).set(data);
    this.changed();
  }

  /** Has to be called when kernels have written weights. */
  changed(): void {
    this.version++;
  }

  /** A copy of a weight as floats. */
  floatsOf(parameter: Parameter): Float32Array {
    const { int8, shape } = parameter;
    return int8 ? dequantizeWeight(this.int8(parameter), shape, int8) : this.view(parameter).slice();
  }

  /** Drops the programs that train some of its weights and not others: the next step records anew. Streams stay. */
  retrain(): void {
    this.trainableVersion++;
    for (const program of [...this.programs]) if (!program.lasting) program.dispose();
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
    for (const ptr of this.gradients) if (ptr !== undefined) arena.free(ptr);
    for (const ptrs of this.slots.values()) for (const ptr of ptrs) arena.free(ptr);
    for (const packed of this.packedWeights) packed.free(this.backend);
  }
}
