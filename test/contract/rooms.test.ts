/** The rooms of bindings/: CONTRIBUTING lists them, and no folder is crowded. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ENTRIES } from "../../scripts/entries.mjs";
import { files } from "../../scripts/files.mjs";
import { ROOMS } from "../../scripts/rooms.mjs";
import { ROOT } from "../support/child.ts";

/** Most files directly in a folder. */
const CROWDED = 18;

const test = suite("rooms");
const contributing = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
const below = (folder: string): string[] => (files(folder) as string[]).map((file) => file.replaceAll("\\", "/"));

process.chdir(ROOT);

const sources = below("bindings");

/** The rooms with a file that imports one of `room`. */
const importersOf = (room: string): string[] =>
  ROOMS.map(([name]) => name)
    .filter((name) => name !== room)
    .filter((name) =>
      sources
        .filter((path) => path.startsWith(`bindings/${name}/`) && path.endsWith(".ts"))
        .some((path) => new RegExp(`from "(?:\\.\\./)+${room}/`).test(readFileSync(path, "utf8"))),
    )
    .sort();

test("CONTRIBUTING lists the rooms that lint reads, from the top down", () => {
  const listed = [...contributing.matchAll(/^\| (?:\[`|`)(\w+)\/(?:`\]\([^)]+\)|`) \| (.+) \|$/gm)];
  assert.equal(
    listed.map(([, name, holds]) => [name, holds]),
    ROOMS,
  );
});

const IMPORTED_BY = /^- \*\*Imported by\*\*((?:.|\n {2})*?)\./m;

for (const path of sources.filter((each) => /^bindings\/\w+\/README\.md$/.test(each))) {
  const [, named] = IMPORTED_BY.exec(readFileSync(path, "utf8")) ?? [];
  if (named === undefined || named === ": every room") continue;
  test(`${path} names the rooms that import it`, () => {
    assert.equal([...named.matchAll(/`(\w+)\/`/g)].map(([, name]) => name).sort(), importersOf(path.split("/")[1]));
  });
}

test("every folder of bindings/ is a room, every file beside them an entry", () => {
  const [folders, entries] = [true, false].map((isFolder) =>
    readdirSync("bindings", { withFileTypes: true })
      .filter((each) => each.isDirectory() === isFolder && !["generated", "README.md"].includes(each.name))
      .map(({ name }) => name),
  );
  assert.equal(folders, ROOMS.map(([name]) => name).sort());
  const own = Object.values(ENTRIES).filter((file) => !file.includes("/"));
  assert.equal(entries, [...new Set(own)].map((file) => `${file}.ts`).sort());
});

for (const folder of ["bench", "test"]) {
  test(`${folder}/: no folder has more than ${CROWDED} files directly in it`, () => {
    const counts = new Map<string, number>();
    for (const file of below(folder).filter((each) => !/node_modules|fixtures/.test(each))) {
      const parent = file.slice(0, file.lastIndexOf("/"));
      counts.set(parent, (counts.get(parent) ?? 0) + 1);
    }
    assert.equal(
      [...counts].filter(([, count]) => count > CROWDED),
      [],
    );
  });
}

test("CONTRIBUTING names files that exist", () => {
  const all = ["assembly", "bench", "bindings", "examples", "scripts", "test"].flatMap(below);
  const named = [...contributing.matchAll(/`((?:assembly|bench|bindings|examples|scripts|test)\/[\w./<>*{},-]*)`/g)];
  /** `<family>` and `*` stand for any name, `{a,b}` for each of its words. */
  const patternOf = (path: string): RegExp =>
    new RegExp(
      `^${path
        .replaceAll(".", "\\.")
        .replace(/<\w+>|\*/g, "[^/]+")
        .replace(/\{([^}]*)\}/g, (_, words: string) => `(${words.replaceAll(",", "|")})`)}`,
    );
  const missing = named.map(([, path]) => path).filter((path) => !all.some((file) => patternOf(path).test(file)));
  assert.ok(named.length > 30);
  assert.equal(missing, []);
});

test.run();
