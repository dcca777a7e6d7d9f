/** From options to a backend: choose a build, compile, instantiate, and check that it computes what it should. */
import { ARENA_BASE } from "../abi/memory.ts";
import { ABI_VERSION } from "../abi/version.ts";
import { OptionError, UnsupportedError } from "../base/errors.ts";
import type { Kernels } from "../generated/kernels.ts";
import { Arena } from "./arena.ts";
import type { Backend } from "./backend.ts";
import { chooseBuilds, type Build } from "./wasm/builds.ts";
import { detectFeatures } from "./wasm/features.ts";
import { Heap, type GrowableMemory } from "./heap.ts";
import { wasm } from "./wasm/inline.ts";
import { instantiate } from "./wasm/instantiate.ts";
import { warnOneThread } from "./threads/one_thread.ts";
import { reference, warnWithoutSimd } from "./wasm/reference.ts";
import { threadedBackend } from "./threads/threads.ts";
import type { WasmMemory, WasmModule } from "./wasm/types.ts";

/** Options of `initSync`. */
export interface InitOptions {
  /** Build of the kernels: "auto" is the fastest that this engine runs; others throw if it cannot. @default "auto" */
  build?: "auto" | Build;
  /** Same bits in every engine: no relaxed build. @default false */
  deterministic?: boolean;
  /** A compiled kernel module, for entries that carry none and places that forbid compiling. */
  module?: WasmModule;
  /** The same for the kernels of int8 models, which are a module of their own. */
  int8?: WasmModule;
}

function assemble(build: Build, kernels: Kernels, memory: GrowableMemory, int8Module?: WasmModule): Backend {
  const heap = new Heap(memory);
  heap.grow(ARENA_BASE);
  return { build, kernels: { ...kernels }, heap, arena: new Arena(heap), int8Module };
}

/** @throws UnsupportedError when the module is not one of this version's kernel tables */
function wasmBackend(
  module: WasmModule,
  { int8 }: InitOptions,
  memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 }),
): Backend {
  let kernels: Kernels;
  try {
    kernels = instantiate(module, memory) as unknown as Kernels;
  } catch (cause) {
    throw new UnsupportedError(
      `init: expected a kernel module of gatewise, got one that does not link: ${(cause as Error).message}`,
      { cause },
    );
  }
  const version = typeof kernels.abi_version === "function" ? kernels.abi_version() : "none";
  if (version !== ABI_VERSION) {
    throw new UnsupportedError(`init: expected a kernel module of version ${ABI_VERSION}, got ${version}`);
  }
  return assemble(kernels.abi_relaxed() ? "relaxed" : "simd", kernels, memory, int8);
}

/**
 * Whether multiply-add adds and multiplies. Some engines validate relaxed opcodes and compute them wrongly (measured:
 * Node 20 behind its flag), so a relaxed build is believed only after this.
 */
export function passesKnownAnswer({ kernels, heap, arena }: Backend): boolean {
  const n = 5;
  const ptr = arena.alloc(3 * 32);
  const [a, b, y] = [ptr, ptr + 32, ptr + 64];
  heap.f32(a, n).set([1, -2, 3, 0.5, 8]);
  heap.f32(b, n).set([2, 4, -1, 16, 0.25]);
  heap.f32(y, n).set([10, 20, 30, 40, 50]);
  kernels.f32_vmul_acc(n, a, b, y);
  const right = [12, 12, 27, 48, 52].every((value, i) => heap.f32(y, n)[i] === value);
  arena.free(ptr);
  return right;
}

/** The backend of no module at all. */
function plainBackend(): Backend {
  const { kernels, memory } = reference!();
  return assemble("reference", kernels, memory);
}

/** The backend of a module, or of none; undefined if its relaxed arithmetic is wrong and another build may be tried. */
function attempt(
  module: WasmModule | undefined,
  last: boolean,
  options: InitOptions,
  memory?: WasmMemory,
): Backend | undefined {
  const backend = module ? wasmBackend(module, options, memory) : plainBackend();
  if (backend.build !== "relaxed" || passesKnownAnswer(backend)) return backend;
  if (!last) return undefined;
  throw new UnsupportedError(
    'init: expected relaxed multiply-add to compute a·b + c, got something else from this engine; use build "simd"',
  );
}

/** The builds to try in order, of those that this entry carries. */
function plan(options: InitOptions): Build[] {
  const builds = chooseBuilds(options.build ?? "auto", options.deterministic ?? false, detectFeatures());
  const carried = builds.filter((build) => (build === "reference" ? reference : wasm[build]) !== undefined);
  if (carried.length === 0)
    throw new UnsupportedError(
      "init: expected an engine with WebAssembly SIMD, got one without; " +
        "gatewise/infer runs there too, many times slower",
    );
  const onlyReference = carried.every((build) => build === "reference");
  if (onlyReference && builds[0] !== "reference") {
    throw new OptionError(
      "init: expected a WebAssembly.Module in `module`, since this entry carries none, got nothing",
    );
  }
  return carried;
}

/** @throws OptionError for anything but a compiled module */
function checkModule(name: string, module: unknown): void {
  const kind = Object.prototype.toString.call(module).slice(8, -1); // a module of another realm is one too
  if (kind === "WebAssembly.Module") return;
  throw new OptionError(
    `init: expected a WebAssembly.Module in \`${name}\`, got ${kind}; compile bytes with WebAssembly.compile first`,
  );
}

/** The backend of a module that the caller gives; which build it is, it says itself. */
function given(module: WasmModule, options: InitOptions): Backend {
  const { build: wanted = "auto", deterministic = false } = options;
  checkModule("module", module);
  const backend = attempt(module, true, options)!;
  const { build } = backend;
  if (wanted !== "auto" && wanted !== build)
    throw new OptionError(`init: expected a module of build "${wanted}", got one of build "${build}"`);
  chooseBuilds(build, deterministic, detectFeatures());
  return backend;
}

/** A backend as it was asked for, or the only one there is. */
function chosen(backend: Backend, { build = "auto" }: InitOptions): Backend {
  if (backend.build === "reference" && build === "auto") warnWithoutSimd();
  return backend;
}

const NO_BUILD = "init: expected a build this engine runs, got none";

/** For what a page's Content-Security-Policy, or a platform such as Cloudflare Workers, forbids. */
function forbidden(cause: unknown): never {
  throw new UnsupportedError(
    `init: expected to compile WebAssembly, got a refusal (${(cause as Error).message}); allow 'wasm-unsafe-eval' in the ` +
      "Content-Security-Policy, or use gatewise/external and give it a compiled module: init({ module })",
    { cause },
  );
}

async function compile(bytes: () => Uint8Array<ArrayBuffer>): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(bytes());
  } catch (cause) {
    return forbidden(cause);
  }
}

function compileSync(bytes: () => Uint8Array<ArrayBuffer>): WasmModule {
  try {
    return new WebAssembly.Module(bytes());
  } catch (cause) {
    return forbidden(cause);
  }
}

/** Compiles off the main thread where the engine can, then as {@link loadSync}. */
export async function load(options: InitOptions, threads = 1): Promise<Backend> {
  if (options.int8 !== undefined) checkModule("int8", options.int8);
  if (threads > 1 && (options.module ?? options.int8))
    threads = warnOneThread(threads, "a compiled module, whose memory cannot be shared any more") ?? 1;
  if (options.module !== undefined) return given(options.module, options);
  const builds = plan(options);
  for (const [i, build] of builds.entries()) {
    const last = i === builds.length - 1;
    const threaded =
      threads > 1
        ? await threadedBackend(threads, build === "reference" ? undefined : wasm[build], (module, memory) =>
            attempt(module, last, options, memory),
          )
        : undefined;
    const backend = threaded ?? attempt(build === "reference" ? undefined : await compile(wasm[build]!), last, options);
    if (backend) return chosen(backend, options);
  }
  throw new UnsupportedError(NO_BUILD);
}

/**
 * Chooses and instantiates a backend.
 *
 * @throws OptionError, UnsupportedError as {@link chooseBuilds}
 */
export function loadSync(options: InitOptions): Backend {
  if (options.int8 !== undefined) checkModule("int8", options.int8);
  if (options.module !== undefined) return given(options.module, options);
  const builds = plan(options);
  for (const [i, build] of builds.entries()) {
    const module = build === "reference" ? undefined : compileSync(wasm[build]!);
    const backend = attempt(module, i === builds.length - 1, options);
    if (backend) return chosen(backend, options);
  }
  throw new UnsupportedError(NO_BUILD);
}
