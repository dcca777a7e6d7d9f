/** Instantiation without the AssemblyScript loader, which needs TextDecoder, which an AudioWorklet does not have. */

/** @param others  functions that the module takes from another */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  others: WebAssembly.ModuleImports = {},
): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { ...others, memory } }).exports;
}
