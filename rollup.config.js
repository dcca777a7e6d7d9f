// Bundles build/js, which tsc makes of bindings/, into dist: each entry as ESM and as CJS.
import { existsSync, readFileSync } from "node:fs";
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
 *   base/when_training        what only training needs, such as gradients of ops, or nothing
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
  { entries: { infer }, swaps: SMALL, forwardOnly: true },
  {
    entries: { exported },
    swaps: {
      ...FORWARD,
      "runtime/wasm/inline": "runtime/wasm/inline_exported",
      "runtime/wasm/reference": "runtime/wasm/reference_none",
    },
  },
  { entries: { worklet: infer }, swaps: SMALL, forwardOnly: true }, // in one file, without chunks
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

const inferKernels = () =>
  new Set(
    WebAssembly.Module.exports(new WebAssembly.Module(readFileSync("build/wasm/simd-infer.wasm"))).map(
      ({ name }) => name,
    ),
  );

/**
 * Removes from object literals what only training needs, so that its imports are dropped, too: the reference kernels
 * that the forward module does not have.
 */
function forwardOnly() {
  const kernels = inferKernels();
  const drops = [
    [compiled("reference/").slice(0, -".js".length), (name) => /^(f32|i32)_/.test(name) && !kernels.has(name)],
  ];
  return {
    name: "forward-only",
    transform(code, id) {
      const drop = drops.find(([folder]) => id.startsWith(folder))?.[1];
      if (!drop) return null;
      const cuts = [];
      const visit = (node) => {
        if (Array.isArray(node)) node.forEach(visit);
        else if (node?.type === "Property" && drop(node.key.name))
          cuts.push([node.start, node.end + /^\s*,?/.exec(code.slice(node.end))[0].length]);
        else if (typeof node?.type === "string") Object.values(node).forEach(visit);
      };
      visit(this.parse(code));
      return cuts.reverse().reduce((text, [from, to]) => text.slice(0, from) + text.slice(to), code);
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

export default GROUPS.map(({ entries, swaps, forwardOnly: forward = false }) => ({
  input: Object.fromEntries(Object.entries(entries).map(([entry, name]) => [entry, compiled(name)])),
  external: PEERS,
  plugins: [swap(swaps), nodeResolve(), ...(forward ? [forwardOnly()] : []), compact],
  output: [output("es", "js"), output("cjs", "cjs")],
}));
