/** The golden cases of PyTorch and Keras: every group, within 1 MB, made by the versions that the scripts name. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KERAS, TORCH } from "../cases/runners.ts";
import { GOLDENS, goldensOf } from "../support/goldens.ts";

const test = suite("carried cases");
const groups = Object.keys({ ...KERAS, ...TORCH }).sort();

/** Names of packages with their versions, as the scripts require them. */
const required = readFileSync(new URL("../../scripts/goldens/requirements.txt", import.meta.url), "utf8");
const versionOf = (name: string): string => new RegExp(`^${name}==(.+)$`, "m").exec(required)![1];
const PRODUCERS: Record<string, string> = {
  torch: `PyTorch ${versionOf("torch")}`,
  keras: `Keras ${versionOf("keras")} on PyTorch ${versionOf("torch")}`,
};

test("each group is two files, and nothing else lies there", () => {
  const files = ["keras", "torch"].flatMap((producer) =>
    readdirSync(new URL(producer, GOLDENS)).map((file) => `${producer}/${file}`),
  );
  assert.equal(files.sort(), groups.flatMap((group) => [`${group}.json`, `${group}.safetensors`]).sort());
});

test("all of them take at most 1 MB", () => {
  const bytes = groups
    .flatMap((group) => [`${group}.json`, `${group}.safetensors`])
    .map((file) => statSync(new URL(file, GOLDENS)).size);
  const total = bytes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 1e6, `${total} bytes`);
});

for (const group of groups) {
  test(`${group}: each case has its producer, results, and the error of single precision for each result`, () => {
    for (const { name, json, tensors } of goldensOf(group)) {
      assert.is(json.producer, PRODUCERS[group.split("/")[0]]);
      const results = Object.keys(tensors).filter((array) => /^(output|grad)\.|^loss$/.test(array));
      assert.ok(
        results.some((array) => array.startsWith("output.")),
        name,
      );
      assert.equal(Object.keys(json.f32_max_abs_err).sort(), results.sort(), name);
    }
  });
}

test.run();
