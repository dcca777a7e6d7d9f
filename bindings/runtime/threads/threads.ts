/** Backends with workers over a shared memory. Entries without threads swap this file for `threads_none.ts`. */
import { sharedMemory } from "../heap.ts";
import type { Backend } from "../backend.ts";
import { warnOneThread } from "./one_thread.ts";
import { startPool } from "./worker_pool.ts";
import { share } from "./shared_memory.ts";
import type { WasmMemory, WasmModule } from "../wasm/types.ts";

/** Whether a backend of this entry can have several threads. */
export const HAS_THREADS: boolean = true;

/**
 * The backend of a build on several threads; undefined, with a warning, where there cannot be one.
 *
 * @param bytes  of the build's module; absent when it has none
 * @param start  makes the backend of one thread; undefined when the module turns out to compute wrongly
 */
export async function threadedBackend(
  threads: number,
  bytes: (() => Uint8Array) | undefined,
  start: (module: WasmModule, memory: WasmMemory) => Backend | undefined,
): Promise<Backend | undefined> {
  if (!bytes) return warnOneThread(threads, "the reference build, whose memory is not shared");
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (typeof SharedArrayBuffer === "undefined" || crossOriginIsolated === false) {
    return warnOneThread(
      threads,
      "no SharedArrayBuffer, which a page has when it is served with COOP and COEP headers",
    );
  }
  try {
    const memory = sharedMemory();
    const module = await WebAssembly.compile(share(bytes()));
    const backend = start(module, memory);
    if (!backend) return undefined;
    return {
      ...backend,
      share,
      pool: await startPool(threads, { ...backend, memory, module, names: Object.keys(backend.kernels) }),
    };
  } catch (error) {
    return warnOneThread(threads, `no workers over shared memory: ${(error as Error).message}`);
  }
}
