/**
 * Files that older versions wrote: they load, and all results have the bits that the older version computed.
 * `scripts/fixtures.mjs` writes the folders of `test/fixtures/older_files`.
 */
import { readFileSync, readdirSync } from "node:fs";
import { suite, type Test } from "uvu";
import * as assert from "uvu/assert";
import * as exported from "../../bindings/exported.ts";
import * as gatewise from "../../bindings/index.ts";
import * as infer from "../../bindings/infer.ts";
import { builds, eachBackend, type Build } from "../support/backends.ts";
import { hasRelaxed } from "../support/builds.ts";
import { EXPORTS, recordExport, type OlderExport } from "../support/older_files/exports.ts";
import type { OlderModel } from "../support/older_files/model.ts";
import { OLDER_MODELS } from "../support/older_files/models.ts";
import { describeOutputs, recordModel, type Recording } from "../support/older_files/record.ts";

const BUILDS: readonly Build[] = ["simd", "relaxed", "reference"];
const ROOT = new URL("../fixtures/older_files/", import.meta.url);

const bytesOf = (version: string, file: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`${version}/${file}`, ROOT)));

/** What the older version computed, by the name of the file. Exported files do not run on the reference build. */
interface Recordings {
  readonly models: Record<string, Recording>;
  readonly exports: Record<string, Recording>;
}

/** What the older version recorded on a build. */
const recordingsOf = (version: string, build: Build): Recordings =>
  JSON.parse(new TextDecoder().decode(bytesOf(version, `${build}.json`)));

/** The entry of this name. A file without one would be a file that no test reads. */
function named<T extends { readonly name: string }>(list: readonly T[], name: string): T {
  const found = list.find((each) => each.name === name);
  if (!found) throw new Error(`older_files: expected ${name} among ${list.map((each) => each.name).join(", ")}`);
  return found;
}

function same(actual: Recording, expected: Recording): void {
  assert.equal(Object.keys(actual), Object.keys(expected));
  const different = Object.keys(expected).filter((item) => actual[item] !== expected[item]);
  const lines = different.map((item) => `${item}\n  expected ${expected[item]}\n  got      ${actual[item]}`);
  const count = `${lines.length} of ${Object.keys(expected).length} results differ`;
  assert.ok(lines.length === 0, `${count}\n${lines.join("\n")}`);
}

function declareModel(test: Test, version: string, older: OlderModel, expected: Recording): void {
  const bytes = bytesOf(version, `${older.name}.safetensors`);
  test(older.name, async () => same(await recordModel(gatewise, older, bytes), expected));
  if (older.subclass) return;
  test(`${older.name} in gatewise/infer`, () => {
    const model = infer.loadModel(bytes);
    assert.is(describeOutputs(model.predict(older.x)), expected.predict);
    model.dispose();
  });
}

/** An exported file is for the kernels of one version: it runs, or the error names both versions. */
function declareExport(test: Test, version: string, build: Build, older: OlderExport, expected: Recording): void {
  const bytes = bytesOf(version, `${older.name}.exported`);
  test(`exported ${older.name}`, () => {
    try {
      same(recordExport(exported, older, bytes, build), expected);
    } catch (error) {
      if (!(error instanceof gatewise.FormatError)) throw error;
      const versions = /for (version \d+ and kernels \d+),.* got (version \d+ and kernels \d+);/.exec(error.message);
      assert.ok(versions && versions[1] !== versions[2], error.message);
    }
  });
}

for (const version of readdirSync(ROOT)) {
  eachBackend(`files of ${version}`, (test, build) => {
    const { models, exports } = recordingsOf(version, build);
    for (const name of Object.keys(models)) declareModel(test, version, named(OLDER_MODELS, name), models[name]);
    for (const name of Object.keys(exports)) declareExport(test, version, build, named(EXPORTS, name), exports[name]);
  });
}

const test = suite("builds of older files");
for (const build of BUILDS) {
  const declare = build === "relaxed" && !hasRelaxed ? test.skip : test;
  declare(`${build} has run them`, () => assert.ok(builds.includes(build)));
}
test.run();
