/** No wasm: `gatewise/external` is given a WebAssembly.Module. */
import type { Carried, CompressedModules } from "./packed.ts";

export const wasm: Carried = {};

export const int8Wasm: Carried = {};

export const int8Text: CompressedModules | undefined = undefined;

export const kernelSet = "all";
