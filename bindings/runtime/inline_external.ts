/** No wasm: `gatewise/external` is given a WebAssembly.Module. */
import type { Carried } from "./packed.ts";

export const wasm: Carried = {};

export const int8Wasm: Carried = {};

export const kernelSet = "all";
