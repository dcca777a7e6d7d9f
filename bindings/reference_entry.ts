/** `gatewise/reference`: the kernel table in plain TypeScript, over any memory. */
export { referenceKernels } from "./reference/index.ts";
export type { Memory } from "./reference/views.ts";
export type { Kernels } from "./generated/kernels.ts";
