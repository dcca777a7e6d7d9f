/** For the smallest entry, which runs on WebAssembly only. */
export const reference = undefined;

export const warnWithoutSimd = (): void => {};
