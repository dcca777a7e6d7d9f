/** Files that are replaced whole: after a crash at any time there is the former one or the new one. */
import { GatewiseError } from "../../base/errors.ts";

/** What it needs of node:fs. */
export interface FileSystem {
  existsSync(path: string): boolean;
  readFileSync(path: string, encoding: "utf8"): string;
  openSync(path: string, flags: string): number;
  writeFileSync(file: number, content: Uint8Array | string): void;
  fsyncSync(file: number): void;
  closeSync(file: number): void;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: boolean }): void;
}

let files = 0;

/** Opens a file or a folder, and closes it whatever happens. */
function withFile(fs: FileSystem, path: string, flags: string, use: (file: number) => void): void {
  const file = fs.openSync(path, flags);
  try {
    use(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Writes the name of a file to the disk, where folders can be opened: not on Windows. */
function syncFolder(fs: FileSystem, path: string): void {
  try {
    withFile(fs, path.replace(/[^/\\]*$/, "") || ".", "r", (folder) => fs.fsyncSync(folder));
  } catch {
    // the file itself is written and in its place
  }
}

/**
 * Writes beside the file, and puts what is written in its place once it is on the disk.
 *
 * @param subject  who writes, for errors: "callbacks.csvLogger"
 * @throws GatewiseError with the path and the cause; the former file is as it was then
 */
export function replaceFile(fs: FileSystem, subject: string, path: string, content: Uint8Array | string): void {
  const beside = `${path}.${process.pid}-${files++}.tmp`;
  try {
    withFile(fs, beside, "wx", (file) => {
      fs.writeFileSync(file, content);
      fs.fsyncSync(file);
    });
    fs.renameSync(beside, path);
  } catch (cause) {
    fs.rmSync(beside, { force: true });
    throw new GatewiseError(
      `${subject}: expected to write "${path}", got ${(cause as Error).message}; a former file of this name is as it was`,
      { cause },
    );
  }
  syncFolder(fs, path);
}
