/** Every case of PyTorch and Keras is tested or left out by name, and what is left out is still missing. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { listCases, oracleJson, oraclePath, oracleTest } from "../support/oracles.ts";
import { ELSEWHERE, LEFT_OUT, LEFT_OUT_GROUPS } from "./left_out.ts";

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** Files of tests beside this one, with what they say. */
const tests = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => source(`test/oracles/${file}`));

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
  for (const group of [...folders, "keras-cases.json", "keras2-cases.json"]) {
    const run = tests.some((text) => text.includes(`(test, "${group}"`) || text.includes(`>(test, "${group}"`));
    assert.is(run, !(group in LEFT_OUT_GROUPS), `${group}: run by a test of its own: ${run}`);
  }
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

test("cases of another file are named there", () => {
  for (const [path, file] of Object.entries(ELSEWHERE)) {
    assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file);
    const name = path.split("/").at(-1)!;
    assert.ok(source(file).includes(name), `${name} in ${file}`);
  }
});

test.run();
