// npm run build: assembly → build/wasm → bindings/generated; bindings → build/js → dist (ESM, CJS, types, wasm files).
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ENTRIES } from "./entries.mjs";
import { isStale, must } from "./files.mjs";
import { install } from "./prepare.mjs";

const COMPILED = "build/js";
const TYPES = "dist/types";

const tool = (path, ...args) => must(process.execPath, [join("node_modules", path), ...args]);

/** asc takes longer than everything else together, so it runs only when what it reads has changed. */
async function compileKernels() {
  if (!isStale(["assembly", "asconfig.json", "scripts/wasm.mjs"], ["build/wasm", "bindings/generated/wasm.ts"])) return;
  const { buildWasm } = await import("./wasm.mjs");
  await buildWasm();
}

const IMPORT = /((?:from |import\()")(\.[^"]+)\.ts"/g;

/**
 * Copies the declarations that the public ones reach. tsc leaves `./x.ts` in them, which consumers cannot resolve, and
 * CJS consumers need files of their own, since a `.d.ts` here describes an ES module.
 */
function copyTypes() {
  const queue = Object.values(ENTRIES);
  const seen = new Set(queue);
  for (const name of queue) {
    const source = readFileSync(join(COMPILED, `${name}.d.ts`), "utf8");
    const to = join(TYPES, name);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(`${to}.d.ts`, source.replace(IMPORT, '$1$2.js"'));
    writeFileSync(`${to}.d.cts`, source.replace(IMPORT, '$1$2.cjs"'));
    for (const [, , path] of source.matchAll(IMPORT)) {
      const next = join(dirname(name), path).replaceAll("\\", "/");
      if (!seen.has(next)) queue.push(next);
      seen.add(next);
    }
  }
}

install();
const { buildWorker } = await import("./worker.mjs"); // what it imports is there once things are installed
rmSync(COMPILED, { recursive: true, force: true });
await compileKernels();
buildWorker();
tool("typescript/bin/tsc", "-p", ".", "--stripInternal"); // what is internal is no part of the published types
rmSync("dist", { recursive: true, force: true });
tool("rollup/dist/bin/rollup", "-c", "--silent");
copyTypes();
for (const build of ["simd", "relaxed"]) {
  copyFileSync(`build/wasm/${build}.wasm`, `dist/${build}.wasm`);
  copyFileSync(`build/wasm/q8-${build}.wasm`, `dist/int8-${build}.wasm`);
}
