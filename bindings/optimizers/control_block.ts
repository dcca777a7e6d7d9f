/** The scalars of an optimizer in the memory of kernels: what is written before a step, and what is read after it. */
import { placed, type Operand } from "../graph/ir.ts";
import { Port } from "../program/port.ts";
import type { Backend } from "../runtime/backend.ts";

/** Floats of one list of hyperparameters, at most. */
const HYPER_FLOATS = 16;

/**
 * Byte offsets:
 *
 *   0   finite        1 when loss and gradients are finite
 *   4   due           1 when this step makes an update
 *   8   open          1 when both hold
 *   16  sumOfSquares  of all gradients (f64)
 *   24  weightSum     of the gradient of one weight (f64)
 *   32  average       hyperparameters of the averages
 *   48  hyper         hyperparameters of the update, a list for each group of weights
 */
const OFFSETS = { finite: 0, due: 4, open: 8, sumOfSquares: 16, weightSum: 24, average: 32, hyper: 48 } as const;

/** How many bytes what kernels are given has. */
const BYTES = { finite: 4, due: 4, open: 4, sumOfSquares: 8, weightSum: 8, average: 16 } as const;

/** The upper word of a million as a double. */
const MILLION_HIGH = 0x412e8480;

export class ControlBlock {
  /** Whether loss and gradients of the last step were finite. */
  readonly finite: Port;
  /** Whether the next step makes an update. */
  readonly due: Port;
  /** The square of the norm of the last gradients, as two words of a double. */
  private readonly squares: Port;
  /** Hyperparameters of the averages. */
  readonly average: Port;
  /** Hyperparameters of the update, for each group of weights. */
  readonly hypers: readonly Port[];
  private readonly ptr: number;
  private readonly arena: Backend["arena"];

  /** @param groups  number of groups of weights with hyperparameters of their own */
  constructor(backend: Backend, groups: number) {
    const { arena } = backend;
    this.arena = arena;
    this.ptr = arena.alloc(OFFSETS.hyper + groups * HYPER_FLOATS * 4);
    const port = (offset: number, size: number, dtype: "f32" | "i32"): Port =>
      new Port(backend, this.ptr + offset, [size], dtype);
    this.finite = port(OFFSETS.finite, 1, "i32");
    this.due = port(OFFSETS.due, 1, "i32");
    this.squares = port(OFFSETS.sumOfSquares, 2, "i32");
    this.average = port(OFFSETS.average, 4, "f32");
    this.hypers = Array.from({ length: groups }, (_, i) =>
      port(OFFSETS.hyper + i * HYPER_FLOATS * 4, HYPER_FLOATS, "f32"),
    );
  }

  /** Whether the gradients of the last step, before they were clipped, had a norm of more than 1000. */
  get hadLargeGradients(): boolean {
    return !(this.squares.view[1] < MILLION_HIGH); // doubles that are positive have the order of their upper words
  }

  /** Where a kernel finds a scalar. */
  at(scalar: keyof typeof BYTES): Operand {
    return placed(this.ptr + OFFSETS[scalar], BYTES[scalar]);
  }

  /** Where a kernel finds the hyperparameters of a group. */
  hyperAt(group: number): Operand {
    return placed(this.ptr + OFFSETS.hyper + group * HYPER_FLOATS * 4, HYPER_FLOATS * 4);
  }

  dispose(): void {
    this.arena.free(this.ptr);
  }
}
