// node scripts/sizes.mjs: the bytes that a page downloads, minified and compressed, by the parts that it uses.
import { brotliCompressSync, gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

export const ENTRIES = [
  "index",
  "infer",
  "exported",
  "worklet",
  "external",
  "data",
  "text",
  "csv",
  "worker",
  "reference",
];

/** Sets of entries that a page may use together. */
const SETS = {
  "inference only, exported": ["exported"],
  "inference only, any saved model": ["infer"],
  "models and training": ["index"],
  everything: ["index", "data", "text"],
};

/** Bytes of these entries in dist and all they import, minified, and what compression makes of them. */
function sizes(entries) {
  const contents = entries.map((entry) => `export * from "./dist/${entry}.js";`).join("\n");
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
  });
  const bytes = outputFiles[0].contents;
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
}

/** Bytes of an entry in dist and all it imports, minified and compressed by gzip. */
export const downloadSize = (entry) => sizes([entry]).gzip;

if (process.argv[1]?.endsWith("sizes.mjs")) {
  const kB = (bytes) => (bytes / 1000).toFixed(1);
  console.log("| kB | raw | gzip | brotli |\n|---|---|---|---|");
  const rows = { ...SETS, ...Object.fromEntries(ENTRIES.map((entry) => [`\`${entry}\``, [entry]])) };
  for (const [name, entries] of Object.entries(rows)) {
    const { raw, gzip, brotli } = sizes(entries);
    console.log(`| ${name} | ${kB(raw)} | ${kB(gzip)} | ${kB(brotli)} |`);
  }
}
