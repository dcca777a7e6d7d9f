import { readFileSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { powerPrices } from "../../scripts/prices.mjs";
import { reviews } from "../../scripts/reviews.mjs";

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
  const files = readdirSync(new URL("../../examples/data/names/", import.meta.url)).filter((file) =>
    file.endsWith(".txt"),
  );
  assert.is(files.length, 7);
  for (const file of files) {
    const names = read(`names/${file}`).trimEnd().split("\n");
    assert.ok(names.length >= 300, `${file}: ${names.length}`);
    assert.is(new Set(names).size, names.length, file);
    assert.is(
      names.find((name) => !/^[\p{L} '-]{2,}$/u.test(name)),
      undefined,
      file,
    );
  }
});

test("invented data are what their programs invent", () => {
  assert.is(read("power_prices.csv"), powerPrices());
  assert.is(read("reviews.txt"), reviews());
});

test("prices go day by day", () => {
  const rows = read("power_prices.csv")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  assert.is(rows.length, 1461);
  rows.forEach(([date, price], day) => {
    assert.is(Date.parse(date), Date.UTC(2020, 0, 1 + day));
    assert.ok(Number(price) > 0, price);
  });
});

test("reviews have a label, and none is there twice", () => {
  const lines = read("reviews.txt").trimEnd().split("\n");
  assert.is(new Set(lines).size, 2400);
  assert.is(
    lines.find((line) => !/^[A-Z][ -~]+[.!]\t[01]$/.test(line)),
    undefined,
  );
  const praise = lines.filter((line) => line.endsWith("1")).length / lines.length;
  assert.ok(praise > 0.5 && praise < 0.6, String(praise));
});

test.run();
