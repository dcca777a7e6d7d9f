/** The kernels in plain TypeScript, for engines without SIMD. The bundle of `exported` swaps this file for `reference_none.ts`. */
import type { Kernels } from "../generated/kernels.ts";
import { referenceKernels as kernels } from "../reference/index.ts";
import type { GrowableMemory } from "./heap.ts";

export const referenceKernels: ((memory: GrowableMemory) => Kernels) | undefined = kernels;
