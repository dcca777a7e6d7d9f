/**
 * What gives modules of Node's own, where the engine has them: Node, Deno, Bun. Bundlers for pages would follow an import,
 * and stumble.
 */
export const builtin = (): typeof process.getBuiltinModule | undefined => globalThis.process?.getBuiltinModule;
