/** Twin of assembly/kernels/abi.ts. */
import type { Kernels } from "../generated/kernels.ts";

export const abi = () =>
  ({
    abi_version: () => 3,
    abi_relaxed: () => 0,
  }) satisfies Partial<Kernels>;
