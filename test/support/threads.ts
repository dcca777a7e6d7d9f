/** Backends of several threads, and whether their workers have had anything to do. */
import { init } from "../../bindings/index.ts";
import { currentBackend, state } from "../../bindings/runtime/context.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import type { WorkerPool } from "../../bindings/runtime/threads/worker_pool.ts";

const loaded = new Map<string, Backend>();

/** Makes models on this build with `threads` from now on; reuses the backend of earlier calls if its workers live. */
export async function useThreads(threads: number, build: "simd" | "relaxed" = "simd"): Promise<Backend> {
  const key = `${build} ${threads}`;
  if ((loaded.get(key)?.pool?.threads ?? 1) !== threads || !loaded.has(key)) {
    await init({ build, threads });
    loaded.set(key, currentBackend());
  }
  return (state.backends.all = loaded.get(key)!);
}

/** How often workers were started on a program while `run` ran. */
export async function startsDuring(pool: WorkerPool, run: () => unknown): Promise<number> {
  let starts = 0;
  const { start } = pool;
  pool.start = (worker, program) => {
    starts++;
    start.call(pool, worker, program);
  };
  try {
    await run();
  } finally {
    delete (pool as Partial<WorkerPool>).start;
  }
  return starts;
}

/** The workers themselves. */
export const handlesOf = (pool: WorkerPool): { end(): Promise<unknown> }[] =>
  (pool as unknown as { workers: { handles: { end(): Promise<unknown> }[] } }).workers.handles;
