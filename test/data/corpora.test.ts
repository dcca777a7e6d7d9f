import { readFileSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("data of the examples");
const read = (path: string): string => readFileSync(new URL(`../../examples/data/${path}`, import.meta.url), "utf8");

test("the novel is prose in ASCII", () => {
  const text = read("moby_dick.txt");
  assert.ok(text.length > 500_000 && text.length < 700_000, String(text.length));
  assert.is(text.search(/[^\n -~]/), -1);
  assert.ok(text.includes("\nCall me Ishmael. "));
  assert.is(text.match(/^CHAPTER /gm)?.length, 60);
});

test("names of each language are many and different", () => {
  const files = readdirSync(new URL("../../examples/data/names/", import.meta.url)).filter((file) => file.endsWith(".txt"));
  assert.is(files.length, 7);
  for (const file of files) {
    const names = read(`names/${file}`).trimEnd().split("\n");
    assert.ok(names.length >= 300, `${file}: ${names.length}`);
    assert.is(new Set(names).size, names.length, file);
    assert.is(names.find((name) => !/^[\p{L} '-]{2,}$/u.test(name)), undefined, file);
  }
});

test.run();
