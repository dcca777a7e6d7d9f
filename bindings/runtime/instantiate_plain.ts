/** Instantiation without the AssemblyScript loader, which cannot be imported in an AudioWorklet (it needs TextDecoder). */

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}
