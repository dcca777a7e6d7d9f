/** Twin of assembly/kernels/abi.ts. */
import { ABI_VERSION } from "../abi/version.ts";
import type { Kernels } from "../generated/kernels.ts";

export const abi = () =>
  ({
    abi_version: () => ABI_VERSION,
    abi_relaxed: () => 0,
  }) satisfies Partial<Kernels>;
