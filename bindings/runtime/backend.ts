/** A build that was loaded, with the memory that it works on. */
import type { Kernels } from "../generated/kernels.ts";
import type { Arena } from "./arena.ts";
import type { Heap } from "./heap.ts";
import type { WorkerPool } from "./threads/worker_pool.ts";
import type { Build } from "./wasm/builds.ts";
import type { WasmModule } from "./wasm/types.ts";

/** A kernel table over a memory. */
export interface Backend {
  readonly build: Build;
  /** Those of int8 models are added when one is made (runtime/int8.ts). */
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly arena: Arena;
  /** Where those come from, when the caller gave it. */
  readonly int8Module?: WasmModule | undefined;
  /** Further threads over the same memory, where they were asked for and there are any. */
  readonly pool?: WorkerPool | undefined;
  /** Makes further modules link to its memory, where that is shared. */
  readonly share?: ((bytes: Uint8Array) => Uint8Array<ArrayBuffer>) | undefined;
}
