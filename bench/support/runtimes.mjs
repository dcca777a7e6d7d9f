// The engines that benchmarks run in. `install` fetches those that npm has into build/runtimes: they take 50 to 200 MB
// each, so they are no dependencies.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const { platform, arch } = process;
const isWindows = platform === "win32";

function node(version) {
  const name = `node-${isWindows ? "win" : platform}-${arch}`;
  return {
    name: `Node ${version}`,
    package: `${name}@${version}`,
    binary: join(name, "bin", isWindows ? "node.exe" : "node"),
    command: (path) => [path],
  };
}

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

/** `{ name, version, command }` of every runtime found. With `install`, missing ones are installed first. */
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
        console.error(`${name}: not available for this machine`);
      }
    }
    if (!existsSync(path)) return [];
    const version = execFileSync(path, ["--version"], { encoding: "utf8" }).match(/\d+\.\d+\.\d+/)[0];
    return [{ name, version, command: command(path) }];
  });
}

/** The path of the first of these programs that is installed. */
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
