/** The wasm this entry carries. The bundles of `infer`, `worklet` and `external` swap this file for a sibling. */
export { wasm } from "../generated/wasm.ts";

/** Which kernels this entry needs of a backend that another copy of this code has loaded. */
export const kernelSet: "all" | "forward" = "all";
