// The engines that figures are made for. Those that can come out of the registry are installed into build/runtimes when asked for;
// they are 50 to 200 MB each, so nothing of them is among the dependencies.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const { platform, arch } = process;
const node = (version) => ({
  name: `Node ${version}`,
  package: `node-${platform === "win32" ? "win" : platform}-${arch}@${version}`,
  binary: join(
    `node-${platform === "win32" ? "win" : platform}-${arch}`,
    "bin",
    platform === "win32" ? "node.exe" : "node",
  ),
  command: (path) => [path],
});

const RUNTIMES = [
  node(20),
  node(22),
  node(24),
  node(26),
  {
    name: "Bun",
    package: `@oven/bun-${platform}-${arch}`,
    binary: `@oven/bun-${platform}-${arch}/bin/bun`,
    command: (path) => [path, "run"],
  },
  {
    name: "Deno",
    package: `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`,
    binary: `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/deno`,
    command: (path) => [path, "run", "--allow-read", "--allow-env"],
  },
];

const folder = (name) => join("build", "runtimes", name.toLowerCase().replaceAll(" ", ""));

/** `{ name, version, command }` of every runtime that is there, after installing those that are not when `install` is set. */
export function runtimes({ install = false } = {}) {
  return RUNTIMES.flatMap(({ name, package: wanted, binary, command }) => {
    const path = join(folder(name), "node_modules", binary);
    if (!existsSync(path) && install) {
      console.error(`installing ${wanted} …`);
      mkdirSync(folder(name), { recursive: true });
      try {
        execFileSync(
          "npm",
          ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder(name), wanted],
          { stdio: ["ignore", "ignore", "inherit"] },
        );
      } catch {
        console.error(`${name}: not to be had for this machine`);
      }
    }
    if (!existsSync(path)) return [];
    const version = execFileSync(path, ["--version"], { encoding: "utf8" }).match(/\d+\.\d+\.\d+/)[0];
    return [{ name, version, command: command(path) }];
  });
}

/** The first of these programs that is installed. */
export function findProgram(...names) {
  for (const name of names) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // the next name
    }
  }
  return undefined;
}

export const findChromium = () => findProgram("chromium", "chromium-browser", "google-chrome");
export const findFirefox = () => findProgram("firefox-esr", "firefox");
