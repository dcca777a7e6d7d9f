/** The kernel table in plain TypeScript: oracle, fallback and parity twin of the wasm builds. */
import type { Kernels } from "../generated/kernels.ts";
import { gemm } from "./gemm.ts";
import { pack } from "./pack.ts";
import { viewsOf, type Memory } from "./views.ts";

export function referenceKernels(memory: Memory): Kernels {
  const views = viewsOf(memory);
  return {
    ...gemm(views),
    ...pack(views),
  } as Kernels;
}
