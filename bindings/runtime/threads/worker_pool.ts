/** The threads of a backend: the calling one, and workers that replay programs over the same memory. */
import { WorkerError } from "../../base/errors.ts";
import type { Arena } from "../arena.ts";
import { WorkerGroup } from "./worker_group.ts";
import type { Heap } from "../heap.ts";
import { ORDER, SLOT, WORD, type WorkerSetup } from "./protocol.ts";
import type { BoundCall } from "../replay.ts";
import { encodeCalls } from "../encoding.ts";
import type { WasmMemory, WasmModule } from "../wasm/types.ts";

/** Looks at `done` before the clock is asked, which makes a number on the heap. */
const SPINS = 2000;
/** Milliseconds of looking before this thread sleeps, where it may: a page's main thread may not. */
const SPIN_MS = 2;
/** Milliseconds of sleep until it looks again. */
const SLEEP_MS = 5;

/** Whether a slot's worker has done what it was told, soon. */
function spinUntilDone(words: Int32Array, go: number): boolean {
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, WORD.done) === go) return true;
  return false;
}

/** Sleeps until the worker is done, or for a moment. */
function sleepUntilDone(words: Int32Array, done: number): void {
  try {
    Atomics.wait(words, WORD.done, done, SLEEP_MS);
  } catch {
    // looking it is
  }
}

export class WorkerPool {
  /** Milliseconds without a sign of life after which a worker counts as dead. A single kernel call may take long. */
  timeout = 10_000;
  private readonly workers: WorkerGroup;
  private readonly slots: readonly Int32Array[];
  private readonly heap: Heap;
  private readonly arena: Arena;
  private readonly numbers: ReadonlyMap<string, number>;
  private programs = 0;
  /** Programs that workers may forget. */
  private readonly dropped: number[][];
  private failed = false;
  /** When a worker was last told something. */
  private lastSent = 0;

  constructor(workers: WorkerGroup, slots: readonly Int32Array[], names: readonly string[], heap: Heap, arena: Arena) {
    this.workers = workers;
    this.slots = slots;
    this.heap = heap;
    this.arena = arena;
    this.dropped = slots.map(() => []);
    this.numbers = new Map(names.map((name, i) => [name, i]));
    workers.endWith(this);
  }

  /** Threads that work, the calling one included: 1 once a worker has been lost. */
  get threads(): number {
    return this.failed ? 1 : this.slots.length + 1;
  }

  /** Whether workers have a kernel: those that were loaded later, for int8, they have not. */
  hasKernel(kernel: string): boolean {
    return this.numbers.has(kernel);
  }

  /**
   * Hands a program to a worker.
   *
   * @param worker  from 0
   * @returns its number there
   * @throws MemoryError, WorkerError
   */
  loadProgram(worker: number, calls: readonly BoundCall[]): number {
    const dropped = this.dropped[worker];
    const text = [dropped.length, ...dropped].concat(encodeCalls(calls, this.numbers));
    const ptr = this.arena.alloc(text.length * 8);
    try {
      this.heap.f64(ptr, text.length).set(text);
      const words = this.slots[worker];
      words[WORD.text] = ptr;
      words[WORD.length] = text.length;
      this.send(worker, ORDER.load, ++this.programs);
      this.wait(worker);
      dropped.length = 0;
      return this.programs;
    } finally {
      this.arena.free(ptr);
    }
  }

  /** Makes a worker drop a program, when it is given the next one. */
  drop(worker: number, program: number): void {
    this.dropped[worker].push(program);
  }

  /** Makes a worker start on a program; {@link wait} has to follow, whatever happens in between. */
  start(worker: number, program: number): void {
    this.send(worker, ORDER.run, program);
  }

  private send(worker: number, order: number, program: number): void {
    if (this.workers.lost !== undefined) this.fail(this.workers.lost);
    const words = this.slots[worker];
    words[WORD.order] = order;
    words[WORD.program] = program;
    words[WORD.failed] = 0;
    this.lastSent = performance.now();
    Atomics.store(words, WORD.go, words[WORD.go] + 1);
    Atomics.notify(words, WORD.go);
  }

  /**
   * Returns when a worker has done what it was told.
   *
   * @throws WorkerError when it gives no sign of life, or reports an error
   */
  wait(worker: number): void {
    const words = this.slots[worker];
    const go = words[WORD.go];
    if (!spinUntilDone(words, go)) this.waitByClock(words, go);
    const length = words[WORD.failed];
    if (length > 0) this.fail(String.fromCharCode(...words.subarray(WORD.message, WORD.message + length)));
  }

  /** Waits by the clock. */
  private waitByClock(words: Int32Array, go: number): void {
    const begin = performance.now();
    const timeout = Math.max(this.timeout, 4 * (begin - this.lastSent)); // long work here may be long elsewhere
    let silent = 0;
    let before = begin;
    let progress = words[WORD.progress];
    while (!spinUntilDone(words, go)) {
      const now = performance.now();
      silent += Math.min(now - before, SLEEP_MS * 10); // a machine that was asleep is no silence
      before = now;
      if (words[WORD.progress] !== progress) {
        progress = words[WORD.progress];
        silent = 0;
      }
      if (silent > timeout) this.fail("it gave no sign of life");
      if (now - begin > SPIN_MS) sleepUntilDone(words, words[WORD.done]);
    }
  }

  /** Gives the workers up. Until they have ended nothing they might write to is used for anything else. */
  private fail(why: string): never {
    this.failed = true;
    const release = this.arena.hold();
    void this.workers.end().finally(release);
    throw new WorkerError(
      `threads: expected every worker to do its part, got one that failed: ${why}; ` +
        "nothing has changed, and everything runs on one thread from now on",
    );
  }

  /** Ends the workers; programs run on one thread from then on. */
  close(): void {
    this.failed = true;
    void this.workers.end();
  }
}

/** Where workers and main thread meet: the memory, and the module over it with its kernels' names. */
export interface PoolSetup {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  readonly names: readonly string[];
  readonly heap: Heap;
  readonly arena: Arena;
}

/** @throws whatever keeps workers from starting */
export async function startPool(
  threads: number,
  { memory, module, names, heap, arena }: PoolSetup,
): Promise<WorkerPool> {
  const control = new SharedArrayBuffer((threads - 1) * SLOT * 4);
  const setups = Array.from({ length: threads - 1 }, (_, slot): WorkerSetup => ({
    control,
    slot,
    memory,
    module,
    names,
  }));
  const workers = await WorkerGroup.start(setups);
  return new WorkerPool(
    workers,
    setups.map(({ slot }) => new Int32Array(control, slot * SLOT * 4, SLOT)),
    names,
    heap,
    arena,
  );
}
