/** Every build that this engine can run, each as a sandbox over its own memory, for kernel tests. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import type { Callback, Test } from "uvu";
import type { Kernels } from "../../bindings/generated/kernels.ts";
import { referenceKernels } from "../../bindings/reference/index.ts";
import { ARENA_BASE } from "../../bindings/abi/memory.ts";

export type BuildName = "simd" | "relaxed" | "check" | "reference";

const PAGES = 1024;
const GUARD = 64; // bytes on either side of each block
const CANARY = 0xa5;

/** A block of memory in a sandbox: its pointer and a fresh view of its elements. */
export interface Block<A> {
  readonly ptr: number;
  readonly data: A;
}

/** One backend with a bump allocator whose blocks stand between guard bytes. */
export class Sandbox {
  readonly name: BuildName;
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  private next = ARENA_BASE;
  private guards: [number, number][] = [];

  constructor(name: BuildName) {
    this.name = name;
    if (name === "reference") {
      this.buffer = new ArrayBuffer(PAGES * 65536);
      this.kernels = referenceKernels({ buffer: this.buffer });
    } else {
      const memory = new WebAssembly.Memory({ initial: PAGES });
      this.buffer = memory.buffer;
      const table = (build: string, others: WebAssembly.Exports): WebAssembly.Exports => {
        const bytes = readFileSync(new URL(`../../build/wasm/${build}.wasm`, import.meta.url));
        return new WebAssembly.Instance(new WebAssembly.Module(bytes), {
          env: { memory, abort: this.abort, ...others },
        }).exports;
      };
      const first = table(name, {});
      const second = name === "relaxed" && !hasDot ? "q8-simd" : `q8-${name}`;
      this.kernels = { ...table(second, first), ...first } as unknown as Kernels;
    }
  }

  /** Called by a failed assert of the `check` build; message and file are UTF-16 behind their length in bytes. */
  private abort = (message: number, file: number, line: number, column: number): never => {
    const text = (ptr: number): string => {
      const length = new Uint32Array(this.buffer, ptr - 4, 1)[0]! >> 1;
      return String.fromCharCode(...new Uint16Array(this.buffer, ptr, length));
    };
    throw new Error(`${text(message)} at ${text(file)}:${line}:${column}`);
  };

  /** Forgets every block. */
  reset(): void {
    this.next = ARENA_BASE;
    this.guards = [];
  }

  private reserve(bytes: number): number {
    const ptr = this.next + GUARD;
    const end = ptr + bytes;
    this.next = (end + GUARD + 15) & ~15;
    if (this.next > this.buffer.byteLength) throw new Error(`sandbox full: ${this.next} bytes`);
    const all = new Uint8Array(this.buffer);
    all.fill(CANARY, ptr - GUARD, ptr);
    all.fill(CANARY, end, end + GUARD);
    this.guards.push([ptr - GUARD, ptr], [end, end + GUARD]);
    return ptr;
  }

  /** Floats: the values given, or `n` NaNs (an output nobody may read). */
  f32(values: number | ArrayLike<number>): Block<Float32Array> {
    const n = typeof values === "number" ? values : values.length;
    const ptr = this.reserve(n * 4);
    const data = new Float32Array(this.buffer, ptr, n);
    if (typeof values === "number") data.fill(NaN);
    else data.set(values);
    return { ptr, data };
  }

  i32(values: number | ArrayLike<number>): Block<Int32Array> {
    const n = typeof values === "number" ? values : values.length;
    const ptr = this.reserve(n * 4);
    const data = new Int32Array(this.buffer, ptr, n);
    if (typeof values === "number") data.fill(-123456789);
    else data.set(values);
    return { ptr, data };
  }

  i8(values: ArrayLike<number>): Block<Int8Array> {
    const ptr = this.reserve(values.length);
    const data = new Int8Array(this.buffer, ptr, values.length);
    data.set(values);
    return { ptr, data };
  }

  /** So many bytes, all odd: an output nobody may read, or scratch. */
  bytes(n: number): number {
    const ptr = this.reserve(n);
    new Uint8Array(this.buffer, ptr, n).fill(0xb7);
    return ptr;
  }

  f64(values: number | ArrayLike<number>): Block<Float64Array> {
    const n = typeof values === "number" ? values : values.length;
    const ptr = this.reserve(n * 8);
    const data = new Float64Array(this.buffer, ptr, n);
    if (typeof values === "number") data.fill(NaN);
    else data.set(values);
    return { ptr, data };
  }

  /** Throws when a kernel wrote outside its blocks. */
  checkGuards(): void {
    const all = new Uint8Array(this.buffer);
    for (const [from, to] of this.guards) {
      for (let i = from; i < to; i++) {
        if (all[i] !== CANARY) throw new Error(`${this.name}: a kernel wrote outside its blocks, at byte ${i}`);
      }
    }
  }
}

/** Bytes of base64; not by Buffer, since browsers run this file too. */
const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const MADD_PROBE = bytesOf("AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==");

/** Whether this engine has the opcodes of the relaxed build. */
export const hasRelaxed = WebAssembly.validate(MADD_PROBE);

// the same with i32x4.relaxed_dot_i8x16_i7x16_add_s
const DOT_PROBE = bytesOf("AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/ZMCCw==");

/** Whether it has those of the relaxed build of int8 kernels. */
export const hasDot = hasRelaxed && WebAssembly.validate(DOT_PROBE);

/** The wasm builds this engine runs. */
export const wasmBuilds: BuildName[] = hasRelaxed ? ["simd", "relaxed", "check"] : ["simd", "check"];

/** Declares the same tests once per build (the reference included unless `wasm` is asked for) and runs them. */
export function eachBuild(
  name: string,
  declare: (test: Test, sandbox: Sandbox) => void,
  which: "all" | "wasm" = "all",
): void {
  for (const build of which === "all" ? [...wasmBuilds, "reference" as const] : wasmBuilds) {
    const test = suite(`${name} [${build}]`);
    const sandbox = new Sandbox(build);
    // not as a hook after each: uvu calls it again for a test that failed, and an error there ends the suite unreported
    const guarded = (name: string, run: Callback): void =>
      test(name, async (context) => {
        sandbox.reset();
        await run(context);
        sandbox.checkGuards();
      });
    declare(Object.assign(guarded, test), sandbox);
    test.run();
  }
}
