import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeBase64, decodeBase64Plain } from "../../bindings/base/base64.ts";
import { FormatError } from "../../bindings/base/errors.ts";
import { Random } from "../../bindings/base/random.ts";

const test = suite("base64");

for (const [name, decode] of [
  ["decodeBase64", decodeBase64],
  ["decodeBase64Plain", decodeBase64Plain],
] as const) {
  test(`${name}: bytes of every length and value`, () => {
    const random = new Random(1);
    for (let length = 0; length < 100; length++) {
      const bytes = Uint8Array.from({ length }, () => random.below(256));
      assert.equal(decode(Buffer.from(bytes).toString("base64")), bytes);
    }
  });

  test(`${name}: what is not base64 is a FormatError`, () => {
    for (const text of ["A", "AAAAA", "A===", "AA-A", "AAé=", "=AAA", "AA=A"]) {
      assert.throws(
        () => decode(text),
        (e: unknown) => e instanceof FormatError,
        text,
      );
    }
  });
}

test.run();
