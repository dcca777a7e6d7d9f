/** Every case of PyTorch and Keras is tested or left out by name, and what is left out is still missing. */
import { readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WRITTEN } from "../cases/keras/written.ts";
import { KERAS, TORCH } from "../cases/runners.ts";
import { listCases, oracleJson, oraclePath, oracleTest } from "../support/oracles.ts";
import { LEFT_OUT, LEFT_OUT_GROUPS } from "./left_out.ts";

/** Names of the cases of a group: those of a folder, or those in a file. */
const casesOf = (group: string): string[] =>
  group.endsWith(".json") ? (oracleJson(group).cases as { name: string }[]).map(({ name }) => name) : listCases(group);

const test = suite("no case is forgotten");

oracleTest(test, "every group is run, or left out as a whole", () => {
  const folders = ["torch", "keras"].flatMap((producer) =>
    readdirSync(oraclePath(producer), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${producer}/${name}`),
  );
  const files = readdirSync(oraclePath(".")).filter((file) => /^keras.*\.json$/.test(file));
  assert.equal(
    [...folders, ...files].sort(),
    [...Object.keys({ ...TORCH, ...KERAS, ...WRITTEN }), ...Object.keys(LEFT_OUT_GROUPS)].sort(),
  );
});

oracleTest(test, "every name that is left out is a case, once", () => {
  const names = LEFT_OUT.flatMap(({ group, cases }) => cases.map((name) => `${group}/${name}`));
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  assert.equal(twice, []);
  const groups = new Set(LEFT_OUT.map(({ group }) => group));
  const known = new Set([...groups].flatMap((group) => casesOf(group).map((name) => `${group}/${name}`)));
  assert.equal(
    names.filter((name) => !known.has(name)),
    [],
  );
});

for (const { group, cases, reason, missing } of LEFT_OUT) {
  test(`${group} waits for ${reason}`, () =>
    assert.ok(missing(), `it is there now: take ${cases.join(", ")} out of left_out.ts`));
}

for (const [group, { reason, missing }] of Object.entries(LEFT_OUT_GROUPS)) {
  test(`${group} waits for ${reason}`, () => assert.ok(missing(), `it is there now: write tests of ${group}`));
}

test.run();
