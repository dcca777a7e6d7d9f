/** Instantiation without the AssemblyScript loader, which needs TextDecoder, which an AudioWorklet does not have. */
import type { WasmMemory, WasmModule } from "./types.ts";

/** @param others  functions that the module takes from another */
export function instantiate(
  module: WasmModule,
  memory: WasmMemory,
  others: WebAssembly.ModuleImports = {},
): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { ...others, memory } }).exports;
}
