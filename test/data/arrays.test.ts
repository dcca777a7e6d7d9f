import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkFinite, isArrayInput, normalize, readArray } from "../../bindings/base/ndarray.ts";
import type { ArrayInput } from "../../bindings/base/ndarray.ts";
import { refused } from "../support/refused.ts";

const test = suite("arrays in");

test("every form has data and a shape, unrounded", () => {
  assert.equal(
    readArray(
      [
        [0.1, 2],
        [3, 4],
      ],
      "x",
    ),
    { data: Float64Array.of(0.1, 2, 3, 4), shape: [2, 2] },
  );
  assert.equal(readArray(0.1, "x"), { data: Float64Array.of(0.1), shape: [] });
  assert.equal(readArray([], "x"), { data: new Float64Array(0), shape: [0] });
  assert.equal(readArray({ data: [1, 2], shape: [1, 2] }, "x"), { data: Float64Array.of(1, 2), shape: [1, 2] });
  const typed = Int16Array.of(1, 2);
  assert.is(readArray(typed, "x").data, typed);
});

test("normalize rounds floats and widens integers, and copies nothing that fits", () => {
  assert.equal(normalize([0.1], "x"), { data: Float32Array.of(0.1), shape: [1], dtype: "f32" });
  assert.equal(normalize(Uint8Array.of(200), "x"), { data: Int32Array.of(200), shape: [1], dtype: "i32" });
  assert.equal(normalize({ data: Float64Array.of(0.1), shape: [1, 1] }, "x"), {
    data: Float32Array.of(0.1),
    shape: [1, 1],
    dtype: "f32",
  });
  for (const data of [Float32Array.of(1), Int32Array.of(1)]) assert.is(normalize(data, "x").data, data);
});

test("errors name the subject and the place", () => {
  refused(
    () => readArray([[1, 2], [3]], "fit: x"),
    "ERR_SHAPE",
    /^fit: x: expected nested arrays of shape \[2, 2\], as the first of each has it, got 1 in row 1; padSequences/,
  );
  refused(() => readArray([1, [2]] as ArrayInput, "x"), "ERR_SHAPE", /deeper level/);
  refused(() => readArray([[1], 2] as ArrayInput, "x"), "ERR_SHAPE", /got a number in row 1$/);
  refused(() => readArray({ data: [1, 2], shape: [3] }, "x"), "ERR_SHAPE", /3 elements for shape \[3\], got 2/);
  refused(() => readArray({ data: [1], shape: [0.5] }, "x"), "ERR_SHAPE", /whole numbers/);
  refused(() => readArray({ data: "ab", shape: [2] } as unknown as ArrayInput, "x"), "ERR_VALUE", /got string/);
  for (const value of [null, undefined, "1", {}, BigInt64Array.of(1n), new DataView(new ArrayBuffer(4))]) {
    refused(() => readArray(value as unknown as ArrayInput, "x"), "ERR_VALUE", /^x: expected numbers, nested arrays/);
  }
  refused(
    () =>
      checkFinite(
        readArray(
          [
            [0, 1],
            [2, NaN],
          ],
          "x",
        ),
        "fit: x",
      ),
    "ERR_VALUE",
    /fit: x: expected finite numbers, got NaN at \[1, 1\]/,
  );
});

test("one array, or several", () => {
  for (const one of [1, [1], [[1]], Float32Array.of(1), { data: [1], shape: [1] }]) assert.is(isArrayInput(one), true);
  for (const several of [[], [Float32Array.of(1)], { x: [1] }, null, "1", [[1], [Float32Array.of(1)]]])
    assert.is(isArrayInput(several), false);
});

test.run();
