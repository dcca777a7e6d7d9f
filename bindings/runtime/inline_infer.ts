/** Forward kernels only: the wasm of `gatewise/infer` and `gatewise/worklet`. */
import { packed } from "../generated/wasm_infer.ts";
import { carried } from "./packed.ts";

export const wasm = carried(packed);

export const kernelSet = "forward";
