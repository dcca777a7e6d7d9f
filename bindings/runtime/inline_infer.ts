/** Forward kernels only: the wasm of `gatewise/infer` and `gatewise/worklet`. */
export { wasm } from "../generated/wasm_infer.ts";

export const kernelSet = "forward";
