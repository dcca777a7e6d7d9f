/** Files that callbacks write: whatever fails, whenever the process dies, a file is the former one or the new one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { GatewiseError } from "../../bindings/index.ts";
import { replaceFile, type FileSystem } from "../../bindings/training/callbacks/replace_file.ts";

const KILLS = Number(process.env.GATEWISE_KILLS ?? 12);
const SIZE = 2_000_000;
const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));

const test = suite("files");
let folder: string;

test.before.each(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "gatewise-files-"));
});
test.after.each(() => fs.rmSync(folder, { recursive: true }));

/** node:fs whose n-th call of one function fails; of writes half is written. */
function failing(name: keyof FileSystem, nth: number): FileSystem {
  let calls = 0;
  const failed = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  return {
    ...fs,
    [name]: (...args: unknown[]) => {
      if (++calls !== nth) return (fs[name] as (...args: unknown[]) => unknown)(...args);
      if (name === "writeFileSync") fs.writeFileSync(args[0] as number, (args[1] as string).slice(0, 3));
      throw failed;
    },
  };
}

for (const name of ["openSync", "writeFileSync", "fsyncSync", "closeSync", "renameSync"] as const) {
  test(`${name} fails: the error names the path, the former file is whole, nothing lies beside it`, () => {
    const path = join(folder, "file");
    fs.writeFileSync(path, "former");
    let error: unknown;
    try {
      replaceFile(failing(name, 1), "callbacks.csvLogger", path, "latter");
    } catch (thrown) {
      error = thrown;
    }
    assert.instance(error, GatewiseError);
    assert.match((error as Error).message, /^callbacks\.csvLogger: expected to write ".*file", got ENOSPC/);
    assert.is(((error as Error).cause as { code: string }).code, "ENOSPC");
    assert.is(fs.readFileSync(path, "utf8"), "former");
    assert.equal(fs.readdirSync(folder), ["file"]);
    replaceFile(fs, "callbacks.csvLogger", path, "latter");
    assert.is(fs.readFileSync(path, "utf8"), "latter");
  });
}

test("a folder that cannot be written to the disk does not matter", () => {
  const path = join(folder, "file");
  replaceFile(failing("fsyncSync", 2), "test", path, "new");
  assert.is(fs.readFileSync(path, "utf8"), "new");
});

test(`${KILLS} processes are killed while they write: every file is whole`, async () => {
  for (let kill = 0; kill < KILLS; kill++) {
    const path = join(folder, `file${kill}`);
    fs.writeFileSync(path, new Uint8Array(SIZE));
    const child = spawn(process.execPath, ["--import", "tsx", WRITER, path, String(SIZE)]);
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 3 + ((kill * 7919) % 40)));
    child.kill("SIGKILL");
    await once(child, "exit");
    const bytes = fs.readFileSync(path);
    assert.is(bytes.length, SIZE, `kill ${kill}`);
    assert.ok(
      bytes.every((byte) => byte === bytes[0]),
      `kill ${kill}: parts of two files`,
    );
  }
});

test.run();
