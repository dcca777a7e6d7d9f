// node scripts/sizes.mjs: what a page downloads, by entry, after its bundler has minified and its server has compressed it.
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

export const ENTRIES = ["index", "infer", "worklet", "external", "data", "text", "csv", "worker", "reference"];

/** Bytes of an entry in dist and all it imports, minified and compressed. */
export function downloadSize(entry) {
  const { outputFiles } = buildSync({ entryPoints: [`dist/${entry}.js`], bundle: true, format: "esm", minify: true, write: false });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

if (process.argv[1]?.endsWith("sizes.mjs")) {
  for (const entry of ENTRIES) console.log(`${entry.padEnd(10)} ${(downloadSize(entry) / 1000).toFixed(1).padStart(6)} kB`);
}
