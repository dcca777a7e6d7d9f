/**
 * How bindings and kernel modules share one memory.
 *
 *   0 … constants of the kernels … INT8_DATA … constants of the int8 kernels … ARENA_BASE … blocks of the arena …
 */

/** Where the constants of the int8 module begin (scripts/wasm.mjs places them); those of the other module end below. */
export const INT8_DATA = 12288;

/** Constants of both modules end below this address. */
export const ARENA_BASE = 16384;

/** Bytes that a kernel may read past the end of a block; what it reads there has no effect. */
export const READ_PAST = 15;
