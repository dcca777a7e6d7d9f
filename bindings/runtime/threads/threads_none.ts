/** For entries on one thread: those that only run models, and those without the wasm to make a shared module from. */
import type { Backend } from "../backend.ts";
import { warnOneThread } from "./one_thread.ts";

export const HAS_THREADS: boolean = false;

export async function threadedBackend(threads: number): Promise<Backend | undefined> {
  return warnOneThread(threads, "an entry of the package without threads; gatewise itself has them");
}
