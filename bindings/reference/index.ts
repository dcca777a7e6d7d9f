/** The kernel table in plain TypeScript: oracle, fallback and parity twin of the wasm builds. */
import type { Kernels } from "../generated/kernels.ts";
import { dropout } from "./dropout.ts";
import { gather } from "./gather.ts";
import { gemm } from "./gemm.ts";
import { loss } from "./loss.ts";
import { pack } from "./pack.ts";
import { rows } from "./rows.ts";
import { softmax } from "./softmax.ts";
import { softmaxXent } from "./softmax_xent.ts";
import { viewsOf, type Memory } from "./views.ts";

export function referenceKernels(memory: Memory): Kernels {
  const views = viewsOf(memory);
  return {
    ...dropout(views),
    ...gather(views),
    ...gemm(views),
    ...loss(views),
    ...pack(views),
    ...rows(views),
    ...softmax(views),
    ...softmaxXent(views),
  } as unknown as Kernels;
}
