/**
 * The number that bindings and kernel modules agree on; raised with assembly/kernels/abi.ts when a kernel's arguments
 * change.
 */
export const ABI_VERSION = 3;
