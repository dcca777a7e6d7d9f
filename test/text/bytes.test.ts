import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { byteTokenizer } from "../../bindings/text/index.ts";
import { refused } from "../support/refused.ts";

const test = suite("byteTokenizer");

test("tokens are the bytes of UTF-8", () => {
  const tokenizer = byteTokenizer();
  assert.equal(tokenizer.encode("aé😀"), Int32Array.of(0x61, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80));
  assert.is(tokenizer.size, 256);
  assert.is(tokenizer.vocabulary[10], "<0x0A>");
  assert.is(tokenizer.token("<0xFF>"), 255);
  assert.is(tokenizer.fit(["anything", ""]), tokenizer);
});

test("padding comes first, specials last, and decode to nothing", () => {
  const tokenizer = byteTokenizer({ padding: true, specials: ["<start>", "<end>"] });
  assert.equal(tokenizer.encode("a"), Int32Array.of(98));
  assert.is(tokenizer.size, 259);
  assert.equal([tokenizer.token("<start>"), tokenizer.token("<end>")], [257, 258]);
  assert.is(tokenizer.decode([257, 98, 258, 0, 0]), "a");
  assert.equal(byteTokenizer({ specials: ["<end>"] }).encode("<end>").length, 5);
});

test("halves of characters become U+FFFD", () => {
  const tokenizer = byteTokenizer();
  assert.is(tokenizer.decode([0x61, 0xc3]), "a\ufffd");
  assert.is(tokenizer.decode([0xa9, 0x61]), "\ufffda");
  assert.is(tokenizer.decode(tokenizer.encode("\ud83d!")), "\ufffd!");
});

test("any well-formed text makes the round trip", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, padding) => {
      const tokenizer = byteTokenizer({ padding, specials: ["<end>"] });
      assert.is(tokenizer.decode(tokenizer.encode(text)), text);
    }),
    { seed: 20260101, numRuns: 500 },
  );
  assert.is(byteTokenizer().decode(byteTokenizer().encode("\ufeffa\u0000")), "\ufeffa\u0000");
});

test("through JSON and back, and JSON that describes none", () => {
  const tokenizer = byteTokenizer({ padding: true, specials: ["<end>"] });
  for (const same of [byteTokenizer.from(JSON.stringify(tokenizer)), byteTokenizer.from(tokenizer.toJSON())]) {
    assert.equal(same.toJSON(), tokenizer.toJSON());
    assert.equal(same.vocabulary, tokenizer.vocabulary);
  }
  const rows: unknown[] = [
    "{",
    null,
    {},
    { type: "words" },
    { type: "bytes", padding: 1 },
    { type: "bytes", specials: ["<0x0A>"] },
  ];
  for (const row of rows) refused(() => byteTokenizer.from(row as string), "ERR_FORMAT", /byteTokenizer: expected/);
});

test("errors", () => {
  for (const bad of [256, -1, 0.5, NaN])
    refused(() => byteTokenizer().decode([0, bad]), "ERR_VALUE", /tokens from 0 to 255, got .* at 1/);
  refused(() => byteTokenizer({ specials: ["<0x0A>"] }), "ERR_OPTION", /other than the names of bytes/);
  refused(() => byteTokenizer({ unknown: "?" } as object), "ERR_OPTION", /got "unknown"/);
  refused(() => byteTokenizer().encode(5 as never), "ERR_VALUE", /expected a text, got number/);
  refused(() => byteTokenizer().fit([undefined] as never), "ERR_VALUE", /expected a text, got undefined/);
  refused(() => byteTokenizer().token("a"), "ERR_VALUE", /got "a"/);
});

test.run();
