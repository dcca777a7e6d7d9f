/**
 * The kernels of int8 models: a second module over the memory of the first, loaded when the first int8 model is made,
 * so that other programs only pay for its bytes.
 *
 * It has two builds that give the same bits. The one with the relaxed dot is two to three times as fast if that is one
 * instruction of the machine; if it is several, the other build is faster (measured). A term beyond 127, which no
 * kernel uses, tells which it is: one instruction adds four such products exactly, several saturate on the way.
 */
import { OptionError, UnsupportedError } from "../../base/errors.ts";
import type { Kernels } from "../../generated/kernels.ts";
import { detectFeatures } from "./features.ts";
import { int8Wasm } from "./inline.ts";
import { instantiate } from "./instantiate.ts";
import type { Backend } from "../backend.ts";
import type { Carried } from "./packed.ts";
import type { WasmMemory, WasmModule } from "./types.ts";

/** Whether a kernel is one of this module. */
export const isInt8Kernel = (name: string): boolean => name.startsWith("q8_");

/** 5 + two sums that were cut to 16 bits. */
const SATURATED = 5 + 2 * 32767;

/** Whether the opcode computes what it should (measured: not in Node 20 behind its flag). */
const isRight = (dot: Kernels["abi_dot"]): boolean => dot(-127, 127) === 5 - 4 * 127 * 127;

/** Whether it is one instruction. */
const isFast = (dot: Kernels["abi_dot"]): boolean => dot(127, 255) !== SATURATED;

/** The modules to try, best first, each compiled when it is its turn. */
function modules({ build, int8Module, share }: Backend, carried: Carried): (() => WasmModule)[] {
  if (int8Module) return [() => int8Module];
  const names = build === "relaxed" && detectFeatures().dot ? (["relaxed", "simd"] as const) : (["simd"] as const);
  return names.flatMap((name) => {
    const unpack = carried[name];
    if (!unpack) return [];
    return [
      () => {
        const bytes = unpack();
        return new WebAssembly.Module(share?.(bytes) ?? bytes);
      },
    ];
  });
}

/**
 * Completes the kernel table of a backend, once.
 *
 * @param carried  where they come from; what this entry carries when absent
 * @throws OptionError when this entry carries no wasm and none was given to `init`
 * @throws UnsupportedError when what was given is no module of int8 kernels
 */
export function loadInt8(backend: Backend, carried: Carried = int8Wasm): void {
  const { kernels, heap } = backend;
  if ((kernels as Partial<Kernels>).q8_gemm_nn) return;
  const candidates = modules(backend, carried);
  if (candidates.length === 0) {
    throw new OptionError(
      "quantize: expected a WebAssembly.Module in `int8` of init, since this entry carries none, got nothing",
    );
  }
  for (const [i, compile] of candidates.entries()) {
    const module = compile();
    let table: Partial<Kernels>;
    try {
      table = instantiate(
        module,
        heap.memory as WasmMemory,
        kernels as unknown as WebAssembly.ModuleImports,
      ) as unknown as Partial<Kernels>;
    } catch (cause) {
      throw new UnsupportedError(
        "quantize: expected a module of gatewise's int8 kernels, " +
          `got one that does not link: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (!table.q8_gemm_nn || table.abi_version?.() !== kernels.abi_version()) {
      throw new UnsupportedError("quantize: expected a module of int8 kernels of this version, got another");
    }
    const last = i === candidates.length - 1;
    if (table.abi_relaxed!() && !(isRight(table.abi_dot!) && (last || isFast(table.abi_dot!)))) continue;
    Object.assign(kernels, { ...table, ...kernels });
    return;
  }
  throw new UnsupportedError(
    "quantize: expected the relaxed dot to add four products, got something else from this engine; " +
      "give init the other module of int8 kernels",
  );
}
