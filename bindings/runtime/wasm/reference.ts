/** The kernels in plain TypeScript, for engines without SIMD. `exported` replaces this file by `reference_none.ts`. */
import type { Kernels } from "../../generated/kernels.ts";
import { referenceKernels } from "../../reference/index.ts";
import { PlainMemory, type GrowableMemory } from "../heap.ts";

interface Reference {
  readonly memory: GrowableMemory;
  readonly kernels: Kernels;
}

/** The kernels over a memory of their own; undefined in a bundle without them. */
export const reference: (() => Reference) | undefined = () => {
  const memory = new PlainMemory();
  return { memory, kernels: referenceKernels(memory) };
};

let warned = false;

/** Says once that nobody asked for the slow way, and why it is taken. */
export function warnWithoutSimd(): void {
  if (warned) return;
  warned = true;
  console.warn(
    "gatewise: this engine has no WebAssembly SIMD; " +
      "running on the plain TypeScript reference, which is many times slower",
  );
}
