/**
 * Gets built-in modules of Node in Node, Deno and Bun; undefined elsewhere. An import would break bundlers for pages.
 */
export const builtin = (): typeof process.getBuiltinModule | undefined => globalThis.process?.getBuiltinModule;
