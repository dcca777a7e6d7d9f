/** The package as its users get it: packed, and installed into a folder of its own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a program; its output, and everything it said in the error when it fails. */
export function run(command: string, args: string[], cwd: string): string {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 2 ** 26,
      shell: process.platform === "win32" && command === "npm",
    });
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
    throw new Error(`${message}\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** A tool of this project, by the file that its package runs. */
export const tool = (path: string, args: string[], cwd = root): string =>
  run(process.execPath, [join(root, "node_modules", path), ...args], cwd);

/** A consumer's project: the packed package, installed, and nothing else. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), "gatewise-consumer-"));
  readonly tarball: string;

  constructor() {
    const packed = join(this.folder, "packed");
    mkdirSync(packed);
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", packed], root);
    this.tarball = join(packed, readdirSync(packed)[0]);
    writeFileSync(join(this.folder, "package.json"), '{ "private": true }');
    run("npm", ["install", "--silent", "--offline", "--no-save", "--ignore-scripts", this.tarball], this.folder);
  }

  /** Where the installed package is. */
  get installed(): string {
    return join(this.folder, "node_modules", "gatewise");
  }

  /** Gives the consumer a package that this project has, one without dependencies. */
  add(name: string): void {
    cpSync(join(root, "node_modules", name), join(this.folder, "node_modules", name), { recursive: true });
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** What a script of the consumer prints. */
  node(name: string, text: string): string {
    return run(process.execPath, [this.write(name, text)], this.folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
