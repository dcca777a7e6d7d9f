/** For the smallest entry, which runs on WebAssembly only. */
export const referenceKernels = undefined;
