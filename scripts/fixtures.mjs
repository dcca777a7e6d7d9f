// node scripts/fixtures.mjs CHECKOUT NAME: writes test/fixtures/older_files/NAME by a built checkout of some version:
// files of models, exported files, and for each build all that this version computes with them. A version that computes
// the same writes the same folder. Needs an engine with relaxed SIMD, such as Node 24.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { tsImport } from "tsx/esm/api";
import { root } from "./files.mjs";

const BUILDS = ["simd", "relaxed", "reference"];

const [checkout, name] = process.argv.slice(2);
if (name === undefined) throw new Error("fixtures: expected the path of a built checkout and a name for the folder");
const support = (file) => tsImport(`../test/support/older_files/${file}.ts`, import.meta.url);
const entry = (file) => import(pathToFileURL(resolve(checkout, "dist", `${file}.js`)));

const [gatewise, exported] = [await entry("index"), await entry("exported")];
const { OLDER_MODELS } = await support("models");
const { EXPORTS, exportOlder, recordExport } = await support("exports");
const { recordModel, saveOlder } = await support("record");
const folder = join(root, "test/fixtures/older_files", name);

gatewise.initSync({ build: "simd" });
const models = OLDER_MODELS.map((older) => [older, saveOlder(gatewise, older)]);
const exports = EXPORTS.map((older) => [older, exportOlder(gatewise, older)]);

mkdirSync(folder, { recursive: true });
const write = (file, content) => writeFileSync(join(folder, file), content);
for (const [{ name }, bytes] of models) write(`${name}.safetensors`, bytes);
for (const [{ name }, bytes] of exports) write(`${name}.exported`, bytes);
for (const build of BUILDS) {
  gatewise.initSync({ build });
  const recordings = { models: {}, exports: {} };
  for (const [older, bytes] of models) recordings.models[older.name] = await recordModel(gatewise, older, bytes);
  for (const [older, bytes] of exports) {
    if (build !== "reference") recordings.exports[older.name] = recordExport(exported, older, bytes, build);
  }
  write(`${build}.json`, `${JSON.stringify(recordings, null, 1)}\n`);
}
