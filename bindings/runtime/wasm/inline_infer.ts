/** Forward kernels only: the wasm of `gatewise/infer` and `gatewise/worklet`. */
import { packed } from "../../generated/wasm_infer.ts";
import { packed as packedInt8 } from "../../generated/wasm_q8.ts";
import { carried } from "./packed.ts";

export const wasm = carried(packed);

export const int8Wasm = carried(packedInt8);

export const kernelSet = "forward";
