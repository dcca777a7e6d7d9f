/** What model code computes with while it is traced: shapes and places, never values. */
import { PACKAGE_VERSION } from "../abi/version.ts";
import { TraceError } from "../base/errors.ts";
import { sizeOf, type DType, type Shape } from "../base/shape.ts";
import type { Loop, Stride, Operand, Storage } from "./ir.ts";

/** Which steps of a [batch, time, …] tensor are valid: `lengths` [B] or `mask` [B, T] (nonzero = valid), never both. */
export interface ValidSteps {
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
const TENSOR = Symbol.for(`gatewise/${PACKAGE_VERSION}/tensor`);

/** Whether something is a tensor: the copies that ESM, CJS and sub-paths load may meet in one trace, where `instanceof` fails. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && TENSOR in value;

/** Where a tensor is besides its storage. */
export interface TensorPlace {
  readonly offset?: number;
  readonly loop?: Loop | undefined;
  readonly stride?: Stride | undefined;
}

/**
 * A dense row-major array inside a trace.
 *
 * @throws TraceError when its values are read: `+tensor`, `tensor.data`, `tensor[0]`, iteration
 */
export class Tensor {
  /** The trace that it was made in: only compared. @internal */
  readonly trace: object;
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
  readonly stride: Stride | undefined;
  /** Whether a gradient can reach something that wants one through this tensor. @internal */
  requiresGrad = false;
  /** Which steps count, when the tensor has a time axis and not all do. @internal */
  steps: ValidSteps | undefined;
  /** Facts that let an op skip work, such as the packed form this tensor was unpacked from. @internal */
  readonly origin = new Map<string, unknown>();

  /** @internal */
  constructor(
    trace: object,
    shape: Shape,
    dtype: DType,
    storage: Storage,
    { offset = 0, loop, stride }: TensorPlace = {},
  ) {
    this.trace = trace;
    this.shape = shape;
    this.dtype = dtype;
    this.storage = storage;
    this.offset = offset;
    this.loop = loop;
    this.stride = stride;
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
  stride: tensor.stride,
  reads,
  writes,
});

/** A kernel argument that is only read; 0 where an optional tensor is absent. */
export const read = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, true, false) : 0);
/** A kernel argument that is overwritten. */
export const write = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, false, true) : 0);
/** A kernel argument that is read and written. */
export const update = (tensor: Tensor | undefined): Operand | 0 => (tensor ? operand(tensor, true, true) : 0);
