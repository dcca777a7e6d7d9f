// Installs and builds what is missing or stale in this clone. Silent if there is nothing to do.
import { existsSync } from "node:fs";
import { isStale, must, npm, root } from "./files.mjs";

const SOURCES = [
  "assembly",
  "bindings",
  "scripts/build.mjs",
  "scripts/wasm.mjs",
  "scripts/worker.mjs",
  "rollup.config.js",
  "asconfig.json",
  "tsconfig.json",
  "package.json",
];
const OUTPUTS = ["build", "dist"];

export function install() {
  process.chdir(root);
  if (existsSync("node_modules")) return;
  console.error("installing what the build needs …");
  npm(["ci"]);
}

export function prepare() {
  install();
  if (isStale(SOURCES, OUTPUTS)) {
    console.error("building …");
    must(process.execPath, ["scripts/build.mjs"]);
  }
}
