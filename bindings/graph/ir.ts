/** What is recorded: kernel calls over bytes that have no address yet, and loops of such calls. */
import type { Kernels } from "../generated/kernels.ts";

export type KernelName = keyof Kernels;

/** A kernel call before its pointers are known. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: readonly Argument[];
  /** Path of the module whose `call` recorded it; empty outside of modules. */
  readonly scope: string;
}

export type Argument = number | Operand | Counter;

/** Calls that are repeated for every step of a loop, from its first or from its last. */
export interface Repeat {
  readonly loop: Loop;
  readonly reversed: boolean;
  readonly calls: readonly Instruction[];
}

export type Instruction = Call | Repeat;

export const isRepeat = (entry: Instruction): entry is Repeat => "loop" in entry;

export const isOperand = (arg: Argument): arg is Operand => typeof arg === "object" && "storage" in arg;

/** The steps of calls that are recorded once and repeated. The run back over them, for the gradient, has the same steps. */
export interface Loop {
  readonly count: number;
  /** The loop that this one is a part of. */
  readonly outer: Loop | undefined;
  /** Loops around it. */
  readonly depth: number;
}

/** What moves from step to step of a loop: by so many bytes, or a number by so much. */
export interface Stride {
  readonly loop: Loop;
  readonly by: number;
}

/** A number that counts through the steps of loops: `first` at the first of them. */
export interface Counter {
  readonly first: number;
  readonly strides: readonly Stride[];
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
  readonly stride?: Stride | undefined;
}

/** Values that must hold for an input array because a kernel trusts them: 0 ≤ value < below (or ≤ most). */
export interface ValueRange {
  readonly below: number;
  /** A value that is allowed besides: that of labels to ignore. */
  readonly except?: number | undefined;
  readonly what: string;
}

/** Bytes that have an address for good, for a kernel that reads and writes them: a run of gradients, a block of scalars. */
export const placed = (ptr: number, bytes: number): Operand => ({
  storage: new Storage(bytes, { ptr }),
  offset: 0,
  reads: true,
  writes: true,
});
