// Bundles build/js, which tsc makes of bindings/, into dist: each entry as ESM and as CJS.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { transform } from "esbuild";
import { ENTRIES } from "./scripts/entries.mjs";

const compiled = (name) => fileURLToPath(new URL(`build/js/${name}.js`, import.meta.url));

const FORWARD = {
  "runtime/wasm/inline": "runtime/wasm/inline_infer",
  "runtime/wasm/instantiate": "runtime/wasm/instantiate_plain",
  "runtime/threads/threads": "runtime/threads/threads_none",
};

const SMALL = {
  ...FORWARD,
  "base/when_training": "base/when_training_none",
  "models/module": "models/module_infer",
  "layers/initializers": "layers/without_training",
  "layers/regularizers": "layers/without_training",
  "layers/constraints": "layers/without_training",
};

const { infer, exported, ...complete } = ENTRIES;

/**
 * Groups of entries. Entries of a group share chunks. Groups differ in a few files that are swapped while resolving, so
 * that no source asks at run time where it runs:
 *
 *   runtime/wasm/inline       the wasm as text: all kernels, the forward ones, the forward ones without int8, or none
 *   runtime/threads/threads   workers over shared memory, or one thread
 *   runtime/wasm/instantiate  the AssemblyScript loader, or plain code where that cannot be imported or is too large
 *   runtime/wasm/reference    the kernels in plain TypeScript, or none
 *   base/when_training        what only training needs, such as gradients of ops and their twins, or nothing
 *   layers/initializers …     initial weights and what constrains weights in training, or nothing
 */
const GROUPS = [
  { entries: complete, swaps: {} },
  {
    entries: { external: complete.index },
    swaps: {
      "runtime/wasm/inline": "runtime/wasm/inline_external",
      "runtime/wasm/instantiate": "runtime/wasm/instantiate_plain",
      "runtime/threads/threads": "runtime/threads/threads_none",
    },
  },
  { entries: { infer }, swaps: SMALL },
  {
    entries: { exported },
    swaps: {
      ...FORWARD,
      "runtime/wasm/inline": "runtime/wasm/inline_exported",
      "runtime/wasm/reference": "runtime/wasm/reference_none",
    },
  },
  { entries: { worklet: infer }, swaps: SMALL }, // in one file, without chunks
];

/** What users install themselves, where they want it. */
const PEERS = ["papaparse"];

/** Replaces files of build/js by others of the same exports, whoever imports them. */
function swap(names) {
  const files = new Map(Object.entries(names).map(([name, other]) => [compiled(name), compiled(other)]));
  const missing = [...files].flat().find((file) => !existsSync(file));
  if (missing) throw new Error(`rollup: expected ${missing} to swap, got no such file`);
  return {
    name: "swap",
    async resolveId(source, importer, options) {
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      return resolved && files.has(resolved.id) ? files.get(resolved.id) : resolved;
    },
  };
}

/** Takes out comments and spaces. Names stay, so that stack traces can be read. */
const compact = {
  name: "compact",
  async renderChunk(code) {
    return (await transform(code, { minifyWhitespace: true, minifySyntax: true, lineLimit: 160, target: "es2022" }))
      .code;
  },
};

const output = (format, extension) => ({
  dir: "dist",
  format,
  entryFileNames: `[name].${extension}`,
  chunkFileNames: `shared/[name].${extension}`,
});

export default GROUPS.map(({ entries, swaps }) => ({
  input: Object.fromEntries(Object.entries(entries).map(([entry, name]) => [entry, compiled(name)])),
  external: PEERS,
  plugins: [swap(swaps), nodeResolve(), compact],
  output: [output("es", "js"), output("cjs", "cjs")],
}));
