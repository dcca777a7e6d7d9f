// What the scripts share: where the project is, how old its files are, and commands that must succeed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Every file below a path, generated sources left out. */
export function files(path) {
  if (!existsSync(path) || path === join("bindings", "generated")) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => files(join(path, name)));
}

/** When the newest file below a path was written; 0 when there is none. */
const newest = (path) => Math.max(0, ...files(path).map((file) => statSync(file).mtimeMs));

/** Whether a source is newer than the newest file of some output: a build that broke off leaves one of them old. */
export const isStale = (sources, outputs) => Math.max(...sources.map(newest)) > Math.min(...outputs.map(newest));

/** Runs a command that says something only when it fails; ends the script then. */
export function must(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    ...options,
  });
  if (status === 0) return stdout;
  console.error(`${command} ${args.join(" ")} failed\n${error?.message ?? `${stdout ?? ""}${stderr ?? ""}`}`);
  process.exit(1);
}

/** npm without a shell, by the npm that runs this script where there is one. */
export function npm(args) {
  const path = process.env.npm_execpath;
  if (path !== undefined) return must(process.execPath, [path, ...args]);
  return must("npm", args, { shell: process.platform === "win32" });
}
