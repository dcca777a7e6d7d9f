/** No wasm: `gatewise/external` is given a WebAssembly.Module. */
export const wasm: { simd?: string; relaxed?: string } = {};

export const kernelSet = "all";
