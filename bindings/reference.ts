/**
 * The kernel table in plain TypeScript, over any memory: what every kernel computes, to read and to compare with.
 *
 * @module gatewise/reference
 */
export { referenceKernels } from "./reference/index.ts";
export type { Memory } from "./reference/views.ts";
export type { Kernels } from "./generated/kernels.ts";
