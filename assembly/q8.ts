/**
 * The kernels of int8 models: a module of its own over the same memory, which takes the elementwise steps from the
 * other.
 */
export { abi_relaxed, abi_version } from "./kernels/abi";
export * from "./kernels/int8/q8_gemm";
export * from "./kernels/int8/q8_sequences";
