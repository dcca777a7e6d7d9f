// The loops of assembly/ceiling.ts, compiled on demand: no module of the package contains them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { must, root } from "../../scripts/files.mjs";

const compiled = new Map();

/**
 * The bytes of a build, compiled once per process.
 *
 * @param {"simd" | "relaxed"} build
 * @returns {Buffer}
 */
export function ceilingBytes(build) {
  if (!compiled.has(build)) {
    const file = join(root, `build/wasm/ceiling-${build}.wasm`);
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    const options = ["--config", "asconfig.json", "--target", build, "--outFile", file];
    must(process.execPath, [asc, "assembly/ceiling.ts", ...options], { cwd: root });
    compiled.set(build, readFileSync(file));
  }
  return compiled.get(build);
}

/** @param {"simd" | "relaxed"} build */
export const ceilingModule = (build) => new WebAssembly.Module(new Uint8Array(ceilingBytes(build)));
