/** What the engine calls WebAssembly.Module and WebAssembly.Memory, also for TypeScript without the DOM's types. */

/** A compiled module. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;

/** The memory of a module. */
export type WasmMemory = typeof globalThis extends { WebAssembly: { Memory: { prototype: infer M } } } ? M : object;
