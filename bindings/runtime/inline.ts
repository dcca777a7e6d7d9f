/** The wasm this entry carries. The bundles of `infer`, `worklet` and `external` swap this file for a sibling. */
export { wasm } from "../generated/wasm.ts";
