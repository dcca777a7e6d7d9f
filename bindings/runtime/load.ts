/** From options to a backend: choose a build, compile, instantiate, and check that it computes what it should. */
import { decodeBase64 } from "../base64.ts";
import { OptionError, UnsupportedError } from "../errors.ts";
import type { Kernels } from "../generated/kernels.ts";
import { referenceKernels } from "../reference/index.ts";
import { Arena, ARENA_BASE } from "./arena.ts";
import { chooseBuilds, type Build } from "./builds.ts";
import { detectFeatures } from "./features.ts";
import { Heap, PlainMemory, type GrowableMemory } from "./heap.ts";
import { wasm } from "./inline.ts";
import { instantiate } from "./instantiate.ts";

/** The number that bindings and kernels agree on; raised when a kernel's arguments change. */
export const ABI_VERSION = 1;

/** A kernel table over a memory. */
export interface Backend {
  readonly build: Build;
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly arena: Arena;
}

export interface InitOptions {
  /** Which kernel table: "auto" takes the fastest this engine has; a named one throws when the engine lacks it. */
  build?: "auto" | Build;
  /** Same bits in every engine: no relaxed build. */
  deterministic?: boolean;
  /** A compiled kernel module, for entries that carry none and places that forbid compiling. */
  module?: WebAssembly.Module;
}

function assemble(build: Build, kernels: Kernels, memory: GrowableMemory): Backend {
  const heap = new Heap(memory);
  heap.grow(ARENA_BASE);
  return { build, kernels, heap, arena: new Arena(heap) };
}

function referenceBackend(): Backend {
  const memory = new PlainMemory();
  return assemble("reference", referenceKernels(memory), memory);
}

/** @throws UnsupportedError when the module is not one of this version's kernel tables */
function wasmBackend(build: Build, module: WebAssembly.Module): Backend {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const kernels = instantiate(module, memory) as unknown as Kernels;
  const version = typeof kernels.abi_version === "function" ? kernels.abi_version() : "none";
  if (version !== ABI_VERSION) {
    throw new UnsupportedError(`init: expected a kernel module of version ${ABI_VERSION}, got ${version}`);
  }
  return assemble(build, kernels, memory);
}

/**
 * Whether multiply-add adds and multiplies. Some engines validate relaxed opcodes and compute them wrongly (measured:
 * Node 20 behind its flag), so a relaxed build is believed only after this.
 */
export function answersRight({ kernels, heap, arena }: Backend): boolean {
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

/** A backend that was asked for, or undefined when its relaxed arithmetic turns out wrong and something else may be tried. */
function attempt(build: Build, module: WebAssembly.Module | undefined, last: boolean): Backend | undefined {
  const backend = module ? wasmBackend(build, module) : referenceBackend();
  if (build !== "relaxed" || answersRight(backend)) return backend;
  if (!last) return undefined;
  throw new UnsupportedError('init: expected relaxed multiply-add to compute a·b + c, got something else from this engine; use build "simd"');
}

let warned = false;

function warnWithoutSimd(build: Build, wanted: string): void {
  if (build !== "reference" || wanted !== "auto" || warned) return;
  warned = true;
  console.warn("gatewise: this engine has no WebAssembly SIMD; running on the plain TypeScript reference, which is many times slower");
}

/** The builds to try in order, each with the base64 of its module; none for the reference and where a module was given. */
function plan(options: InitOptions): Build[] {
  const builds = chooseBuilds(options.build ?? "auto", options.deterministic ?? false, detectFeatures());
  if (options.module) return builds.slice(0, 1);
  const carried = builds.filter((build) => build === "reference" || wasm[build] !== undefined);
  const onlyReference = carried.every((build) => build === "reference");
  if (onlyReference && builds[0] !== "reference") {
    throw new OptionError("init: expected a WebAssembly.Module in `module`, since this entry carries none, got nothing");
  }
  return carried;
}

/** What a module given by the caller is, by its own word. */
function given(module: WebAssembly.Module, options: InitOptions): Backend {
  const backend = wasmBackend("simd", module);
  const build = backend.kernels.abi_relaxed() ? "relaxed" : "simd";
  if (options.build && options.build !== "auto" && options.build !== build) {
    throw new OptionError(`init: expected a module of build "${options.build}", got one of build "${build}"`);
  }
  return { ...backend, build };
}

function bytesOf(build: "simd" | "relaxed"): Uint8Array<ArrayBuffer> {
  return decodeBase64(wasm[build]!);
}

/** Compiles off the main thread where the engine can, then as {@link loadSync}. */
export async function load(options: InitOptions): Promise<Backend> {
  const builds = plan(options);
  if (options.module) return given(options.module, options);
  for (const [i, build] of builds.entries()) {
    const module = build === "reference" ? undefined : await WebAssembly.compile(bytesOf(build));
    const backend = attempt(build, module, i === builds.length - 1);
    if (backend) return (warnWithoutSimd(backend.build, options.build ?? "auto"), backend);
  }
  throw new UnsupportedError("init: expected a build this engine runs, got none");
}

/**
 * Chooses and instantiates a backend.
 *
 * @throws OptionError, UnsupportedError as {@link chooseBuilds}
 */
export function loadSync(options: InitOptions): Backend {
  const builds = plan(options);
  if (options.module) return given(options.module, options);
  for (const [i, build] of builds.entries()) {
    const module = build === "reference" ? undefined : new WebAssembly.Module(bytesOf(build));
    const backend = attempt(build, module, i === builds.length - 1);
    if (backend) return (warnWithoutSimd(backend.build, options.build ?? "auto"), backend);
  }
  throw new UnsupportedError("init: expected a build this engine runs, got none");
}
