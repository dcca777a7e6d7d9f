import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { FormatError } from "../../bindings/base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../bindings/base/utf8.ts";

const test = suite("utf8");
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const options = { seed: 20260101, numRuns: 2000 };

test("encodes as TextEncoder does, half pairs included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(encodeUtf8(text), new TextEncoder().encode(text));
    }),
    options,
  );
  for (const text of [
    "",
    "\ud800",
    "a\udc00b",
    "\ud800\ud800\udc00",
    "\u07ff\u0800\uffff\u{10000}\u{10ffff}",
    "\ufeff",
  ]) {
    assert.equal(encodeUtf8(text), new TextEncoder().encode(text), text);
  }
});

/** TextDecoder's answer, undefined for malformed bytes. */
function expected(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    assert.ok(error instanceof FormatError);
    return undefined;
  }
}

test("decodes as a strict TextDecoder does, whatever the bytes", () => {
  // bytes around the edges of the ranges, so that valid sequences are common
  const byte = fc.constantFrom(
    0x00,
    0x41,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xf8,
    0xff,
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 6 }), (list) => {
      const bytes = Uint8Array.from(list);
      assert.is(decoded(bytes), expected(bytes), list.join());
    }),
    { ...options, numRuns: 20000 },
  );
  for (let first = 0xc0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const rest of [[], [0x80], [0xbf, 0xbf], [0x80, 0x80]]) {
        const bytes = Uint8Array.of(first, second, ...rest);
        assert.is(decoded(bytes), expected(bytes), bytes.join());
      }
    }
  }
});

test("texts longer than a piece", () => {
  const text = "aé€😀".repeat(5000);
  assert.is(decodeUtf8(encodeUtf8(text)), text);
});

test.run();
