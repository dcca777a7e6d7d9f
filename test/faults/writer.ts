// Replaces a file again and again, as a checkpoint does, until it is killed: a child of files.test.ts.
import * as fs from "node:fs";
import { replaceFile } from "../../bindings/training/callbacks/replace_file.ts";

const [path, size] = process.argv.slice(2);
const content = new Uint8Array(Number(size));
process.stdout.write("ready\n");
for (let round = 0; ; round++) replaceFile(fs, "test", path, content.fill(round));
