/** How the main thread and its workers communicate: by words of shared memory, since both block their event loops. */
import type { WasmMemory, WasmModule } from "../wasm/types.ts";

/** Words of one worker's slot in the control block; no two workers share a cache line. */
export const SLOT = 256;

/** Where things stand in a slot. */
export const WORD = {
  /** Raised by the main thread: there is something to do. */
  go: 0,
  /** Set to `go` by the worker when that is done. */
  done: 1,
  /** Counted up by a worker that is at work. */
  progress: 2,
  /** What to do: one of {@link ORDER}. */
  order: 3,
  /** Number of the program. */
  program: 4,
  /** Where its text lies in the heap, and how many floats of 64 bits it has. */
  text: 5,
  length: 6,
  /** Length of the message of an error, whose characters follow; 0 when all went well. */
  failed: 7,
  message: 8,
} as const;

export const ORDER = { run: 0, load: 1 } as const;

/** What a worker is given when it starts. */
export interface WorkerSetup {
  /** Slots of all workers. */
  readonly control: SharedArrayBuffer;
  /** Which of them is its own. */
  readonly slot: number;
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  /** Names of the kernels, by the numbers that the texts of programs have for them. */
  readonly names: readonly string[];
}
