/** The loops of assembly/ceiling.ts, compiled: no module that ships holds them. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const compiled = new Map<string, Buffer>();

/** The bytes of a build, compiled once in a process. */
export function ceilingBytes(build: "simd" | "relaxed"): Buffer {
  const known = compiled.get(build);
  if (known) return known;
  const file = root(`build/wasm/ceiling-${build}.wasm`);
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      root("node_modules/assemblyscript/bin/asc.js"),
      "assembly/ceiling.ts",
      "--config",
      "asconfig.json",
      "--target",
      build,
      "--outFile",
      file,
    ],
    { cwd: root("."), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`asc: expected assembly/ceiling.ts to compile, got\n${stderr}`);
  const bytes = readFileSync(file);
  compiled.set(build, bytes);
  return bytes;
}

export const ceilingModule = (build: "simd" | "relaxed"): WebAssembly.Module =>
  new WebAssembly.Module(new Uint8Array(ceilingBytes(build)));
