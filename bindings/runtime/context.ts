/**
 * The one module state of gatewise. It sits under a registered symbol, so that the ESM, CJS and sub-path copies of this
 * code that may meet in a program share it.
 */
import { PACKAGE_VERSION } from "../abi/version.ts";
import { OptionError } from "../base/errors.ts";
import { checkCount, checkFlags, checkOptions } from "../base/options.ts";
import { kernelSet } from "./wasm/inline.ts";
import type { Backend } from "./backend.ts";
import { load, loadSync, type InitOptions } from "./load.ts";

interface State {
  /** By which kernels they have: what `gatewise/infer` loads cannot train. */
  backends: { all?: Backend; forward?: Backend };
  /** The trace that ops record into, while one is open; only the room of traces knows what it is. */
  trace?: object;
}

const KEY = Symbol.for(`gatewise/${PACKAGE_VERSION}`);
const holder = globalThis as { [KEY]?: State };

export const state: State = (holder[KEY] ??= { backends: {} });

/** The backend of models made from now on; chosen here when nobody has called `init`. */
export function currentBackend(): Backend {
  const { backends } = state;
  return backends[kernelSet] ?? backends.all ?? (backends[kernelSet] = loadSync({}));
}

/** Options of `init`. */
export interface ThreadOptions extends InitOptions {
  /**
   * Threads that `fit`, `evaluate` and `predict` split batches over, the calling one included; 1 when absent. Where the
   * engine has no shared memory or starts no workers it says so once, and runs on one.
   */
  threads?: number;
}

const MOST_THREADS = 256;
const OPTIONS = ["build", "deterministic", "module", "int8"];

/**
 * Chooses the backend of the models made from now on; earlier models keep theirs.
 *
 * @throws OptionError for unknown options or build names
 * @throws UnsupportedError when a named build does not run on this engine
 * @example
 * await init({ build: "auto" });
 */
export async function init(options: ThreadOptions = {}): Promise<void> {
  checkOptions("init", options, [...OPTIONS, "threads"]);
  checkFlags("init", options, ["deterministic"]);
  const { threads = 1 } = options;
  checkCount("init", "threads", threads);
  if (threads > MOST_THREADS) throw new OptionError(`init: expected at most ${MOST_THREADS} threads, got ${threads}`);
  replace(await load(options, threads));
}

/** {@link init} without waiting: everything but threads. The first model calls it when nobody has. */
export function initSync(options: InitOptions = {}): void {
  checkOptions("initSync", options, OPTIONS);
  checkFlags("initSync", options, ["deterministic"]);
  replace(loadSync(options));
}

/** Workers of a backend that holds nothing end with it; others go on for the models there are. */
function replace(backend: Backend): void {
  const former = state.backends[kernelSet];
  if (former?.arena.bytes === 0) former.pool?.close();
  state.backends[kernelSet] = backend;
}

/** What `backendInfo` tells. */
export interface BackendInfo {
  /** Which kernel table runs: "simd", "relaxed" or "reference". */
  build: string;
  /** Whether WebAssembly SIMD is in use. */
  simd: boolean;
  /** Whether fused multiply-add is. */
  relaxed: boolean;
  /** Threads that batches are split over. */
  threads: number;
  /** Bytes that models, programs and streams of this backend occupy now. */
  memoryBytes: number;
}

/** What runs the models made from now on. */
export function backendInfo(): BackendInfo {
  const { build, arena, pool } = currentBackend();
  return {
    build,
    simd: build !== "reference",
    relaxed: build === "relaxed",
    threads: pool?.threads ?? 1,
    memoryBytes: arena.bytes,
  };
}
