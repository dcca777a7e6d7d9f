/** The wasm this entry carries. The bundles of `infer`, `worklet` and `external` swap this file for a sibling. */
import { packed } from "../../generated/wasm.ts";
import { packed as packedInt8 } from "../../generated/wasm_q8.ts";
import { carried, type Carried, type CompressedModules } from "./packed.ts";

export const wasm: Carried = carried(packed);

/** The kernels of int8 models, which work beside those. */
export const int8Wasm: Carried = carried(packedInt8);

/** The same as text, for files that bring them. */
export const int8Text: CompressedModules | undefined = packedInt8;

/** Which kernels this entry needs of a backend that another copy of this code has loaded. */
export const kernelSet: "all" | "forward" = "all";
