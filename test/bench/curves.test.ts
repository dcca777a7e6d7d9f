/** The pictures of bench/README.md are those of the measured points. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { svgOf, type Picture } from "../../bench/scaling/picture.ts";

const FOLDER = new URL("../../bench/scaling/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, FOLDER), "utf8");
const pictures = JSON.parse(read("curves.json")) as Picture[];

const test = suite("pictures");

const NUMBER = /-?\d+(?:\.\d+)?/g;

/** Whether two pictures are the same but for a pixel: engines differ in logarithms, and grids are rounded. */
function sameBut1px(a: string, b: string): boolean {
  const [x, y] = [a, b].map((svg) => (svg.match(NUMBER) ?? []).map(Number));
  return (
    a.replace(NUMBER, "") === b.replace(NUMBER, "") &&
    x.length === y.length &&
    x.every((value, i) => Math.abs(value - y[i]) <= 1)
  );
}

for (const picture of pictures) {
  const file = `curves-${picture.name}.svg`;
  test(`${file} is current`, async () => {
    const isCurrent = sameBut1px(read(file), await svgOf(picture));
    assert.ok(isCurrent, `draw it: node --import tsx bench/scaling/curves.ts --draw`);
  });
}

test("all pictures are shown in bench/README.md", () => {
  const shown = [...read("../README.md").matchAll(/\]\(scaling\/curves-(\w+)\.svg\)/g)].map(([, name]) => name);
  assert.equal(
    shown,
    pictures.map(({ name }) => name),
  );
});

test.run();
