/** What model code computes with while it is traced: shapes and places, never values. */
import { TraceError } from "../base/errors.ts";
import { sizeOf, type DType, type Shape } from "../base/shape.ts";
import type { Trace } from "./trace.ts";

/** The steps of calls that are recorded once and repeated. The run back over them, for the gradient, has the same steps. */
export interface Loop {
  readonly count: number;
  /** The loop that this one is a part of. */
  readonly outer: Loop | undefined;
  /** Loops around it. */
  readonly depth: number;
}

/** What moves from step to step of a loop: by so many bytes, or a number by so much. */
export interface Move {
  readonly loop: Loop;
  readonly by: number;
}

/** A number that counts through the steps of loops: `first` at the first of them. */
export interface Counter {
  readonly first: number;
  readonly moves: readonly Move[];
}

/**
 * Bytes that kernel calls name before they have an address. Temporaries get theirs when a program is laid out, and may
 * share it with others that live at another time; pinned ones (ports, constants) and placed ones (parameters, states)
 * keep theirs.
 *
 * What a step of a loop makes is one place for all steps as long as nothing but the step needs it. Anything else that names
 * it, the run back or what follows the loop, makes it as many places as there are steps, side by side.
 */
export class Storage {
  /** Of one step. */
  readonly bytes: number;
  readonly pinned: boolean;
  /** The loop whose steps make it. */
  readonly loop: Loop | undefined;
  /** Byte offset in the heap, once placed. */
  ptr: number | undefined;

  constructor(
    bytes: number,
    { pinned = false, ptr, loop }: { pinned?: boolean; ptr?: number; loop?: Loop | undefined } = {},
  ) {
    this.bytes = bytes;
    this.pinned = pinned;
    this.ptr = ptr;
    this.loop = loop;
  }
}

/** A pointer argument of a recorded call, and what the kernel does with the bytes behind it. */
export interface Operand {
  readonly storage: Storage;
  readonly offset: number;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Set for a step's part of a whole: otherwise the storage says whether there is one for each step. */
  readonly move?: Move | undefined;
}

/** Which steps of a [batch, time, …] tensor are valid: `lengths` [B] or `mask` [B, T] (nonzero = valid), never both. */
export interface Steps {
  /** Valid steps of each row [batch]. */
  readonly lengths?: Tensor;
  /** Nonzero where a step is valid [batch, time]. */
  readonly mask?: Tensor;
}

const unreadable = (what: string): never => {
  throw new TraceError(
    `tensor: expected an op, got an attempt to ${what} a traced tensor, which has a shape but no values yet; ` +
      "use ops.gather or ops.slice for a part, ops.where for a choice by value, or return it from the function and read the result",
  );
};

/** Marks the tensors of every copy of this code. */
const TENSOR = Symbol.for("gatewise/1/tensor");

/** Whether something is a tensor: the copies that ESM, CJS and sub-paths load may meet in one trace, where `instanceof` fails. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && TENSOR in value;

/** Where a tensor is besides its storage. */
export interface TensorPlace {
  readonly offset?: number;
  readonly loop?: Loop | undefined;
  readonly move?: Move | undefined;
}

/**
 * A dense row-major array inside a trace.
 *
 * @throws TraceError when its values are read: `+tensor`, `tensor.data`, `tensor[0]`, iteration
 */
export class Tensor {
  /** @internal */
  readonly trace: Trace;
  /** Extent of each axis; known while tracing, so JavaScript may go by it. */
  readonly shape: Shape;
  /** Floats or integers. */
  readonly dtype: DType;
  /** @internal */
  readonly storage: Storage;
  /** Bytes from the start of the storage. @internal */
  readonly offset: number;
  /** The loop of which a step made it; undefined for what is there for all steps alike. @internal */
  readonly loop: Loop | undefined;
  /** Set for a step's part of a whole that was there before the loop. @internal */
  readonly move: Move | undefined;
  /** Whether a gradient can reach something that wants one through this tensor. @internal */
  requiresGrad = false;
  /** Which steps count, when the tensor has a time axis and not all do. @internal */
  steps: Steps | undefined;
  /** Facts that let an op skip work, such as the packed form this tensor was unpacked from. @internal */
  readonly origin = new Map<string, unknown>();

  /** @internal */
  constructor(
    trace: Trace,
    shape: Shape,
    dtype: DType,
    storage: Storage,
    { offset = 0, loop, move }: TensorPlace = {},
  ) {
    this.trace = trace;
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.offset = offset;
    this.loop = loop;
    this.move = move;
  }

  /** @internal */
  get [TENSOR](): true {
    return true;
  }

  /** How many numbers it holds. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** How many axes it has. */
  get rank(): number {
    return this.shape.length;
  }

  /** Throws: a traced tensor has no values yet. */
  get data(): never {
    return unreadable("read the data of");
  }

  /** Throws: a traced tensor has no values yet. */
  [Symbol.toPrimitive](): never {
    return unreadable("take the value of");
  }

  /** Throws: a traced tensor has no values yet. */
  [Symbol.iterator](): never {
    return unreadable("iterate over");
  }

  /** Throws: a traced tensor has no values yet. */
  toJSON(): never {
    return unreadable("write down");
  }
}

/** `tensor[0]` is no property, and would be undefined without a word. */
Object.setPrototypeOf(
  Tensor.prototype,
  new Proxy(Object.prototype, {
    get: (target, key, tensor) =>
      typeof key === "string" && /^\d+$/.test(key)
        ? unreadable(`take element ${key} of`)
        : (Reflect.get(target, key, tensor) as unknown),
  }),
);

const operand = (tensor: Tensor, reads: boolean, writes: boolean): Operand => ({
  storage: tensor.storage,
  offset: tensor.offset,
  move: tensor.move,
  reads,
  writes,
});

/** A kernel argument that is only read; 0 where an optional tensor is absent. */
export const read = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, true, false) : 0);
/** A kernel argument that is overwritten. */
export const write = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, false, true) : 0);
/** A kernel argument that is read and written. */
export const update = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, true, true) : 0);
/** Bytes that have an address for good, for a kernel that reads and writes them: a run of gradients, a block of scalars. */
export const placed = (ptr: number): Operand => ({
  storage: new Storage(0, { ptr }),
  offset: 0,
  reads: true,
  writes: true,
});
