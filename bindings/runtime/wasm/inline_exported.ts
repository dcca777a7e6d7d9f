/** Forward kernels for `gatewise/exported`; a file of an int8 model brings those that it needs besides. */
import { packed } from "../../generated/wasm_infer.ts";
import { carried, type Carried } from "./packed.ts";

export const wasm = carried(packed);

export const int8Wasm: Carried = {};

export const kernelSet = "forward";
