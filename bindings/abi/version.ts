/**
 * The number that bindings and kernel modules agree on; raised with assembly/kernels/abi.ts when a kernel's arguments
 * change.
 */
export const ABI_VERSION = 3;

/**
 * The version of package.json. Copies of one version in a program, such as ESM, CJS and sub-paths, know each other's
 * modules and tensors by it and share their kernels; copies of other versions stay apart.
 */
export const PACKAGE_VERSION = "0.1.0";
