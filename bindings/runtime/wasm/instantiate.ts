/** Instantiation by the AssemblyScript loader. Entries for worklets replace this file by `instantiate_plain.ts`. */
import { instantiateSync } from "@assemblyscript/loader";
import type { WasmMemory, WasmModule } from "./types.ts";

/**
 * The raw exports: the loader's own wrappers cost 10–17 ns a call instead of 3 (measured).
 *
 * @param others  functions that the module takes from another
 */
export function instantiate(
  module: WasmModule,
  memory: WasmMemory,
  others: WebAssembly.ModuleImports = {},
): WebAssembly.Exports {
  return instantiateSync(module, { env: { ...others, memory } }).instance.exports;
}
