/**
 * All that a worker runs; scripts/wasm.mjs makes one text of it and what it imports. A worker replays programs that the
 * main thread has written into shared memory, and sleeps in between; it is never called by messages after its start.
 */
import { builtin } from "../../base/builtin.ts";
import { ORDER, SLOT, WORD, type WorkerSetup } from "./protocol.ts";
import { repeat, replay, type BoundCall } from "../replay.ts";
import { decodeCalls } from "../encoding.ts";

/** Milliseconds that a worker stays awake for the next order: longer than a training needs between two steps. */
const SPIN_MS = 2;
/** Looks at `go` before the clock is asked again. */
const SPINS = 100;

/** Returns when there is something to do. Waking up costs some 20 microseconds, being awake a core (measured). */
function waitForOrder(words: Int32Array, done: number): void {
  const end = performance.now() + SPIN_MS;
  while (performance.now() < end) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, WORD.go) !== done) return;
  }
  Atomics.wait(words, WORD.go, done);
}

/** Obeys for good. */
function serve({ control, slot, memory, module, names }: WorkerSetup, ready: () => void): never {
  const words = new Int32Array(control, slot * SLOT * 4, SLOT);
  const abort = (): never => {
    throw new Error("a kernel was aborted");
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  const kernels = names.map((name) => [name, exports[name] as BoundCall["fn"]] as const);
  const programs = new Map<number, BoundCall[][]>(); // a list for each call
  const countProgress = (): void => void words[WORD.progress]++;

  const executeOrder = (): void => {
    const program = words[WORD.program];
    if (words[WORD.order] === ORDER.load) {
      memory.grow(0); // this thread's buffer may still be that of before the memory grew
      const text = new Float64Array(memory.buffer, words[WORD.text] >>> 0, words[WORD.length]);
      const first = 1 + text[0];
      for (const gone of text.subarray(1, first)) programs.delete(gone);
      programs.set(
        program,
        decodeCalls(text.subarray(first), kernels).map((call) => [call]),
      );
    } else {
      for (const call of programs.get(program)!) {
        countProgress();
        if (call[0].loop) repeat(call[0].loop, countProgress);
        else replay(call);
      }
    }
  };

  const report = (error: unknown): void => {
    const message = String(error).slice(0, SLOT - WORD.message) || "an error without a message";
    for (let i = 0; i < message.length; i++) words[WORD.message + i] = message.charCodeAt(i);
    words[WORD.failed] = message.length;
  };

  ready();
  for (let done = 0; ;) {
    waitForOrder(words, done);
    done = Atomics.load(words, WORD.go);
    try {
      executeOrder();
    } catch (error) {
      report(error);
    }
    Atomics.store(words, WORD.done, done);
    Atomics.notify(words, WORD.done);
  }
}

/** What a worker of a page has as its global object. */
interface PageWorker {
  onmessage: ((event: { data: WorkerSetup }) => void) | null;
  postMessage(message: string): void;
}

const threads = builtin()?.("node:worker_threads");
if (threads?.parentPort) {
  serve(threads.workerData as WorkerSetup, () => threads.parentPort!.postMessage("ready"));
} else {
  const page = globalThis as unknown as PageWorker;
  page.onmessage = ({ data }) => serve(data, () => page.postMessage("ready"));
}
