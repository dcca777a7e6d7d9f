import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { characterTokenizer } from "../../bindings/text/index.ts";
import { refused } from "../support/refused.ts";

const test = suite("characterTokenizer");

test("tokens are code points in order", () => {
  const tokenizer = characterTokenizer().fit("b😀aéb\n");
  assert.equal(tokenizer.vocabulary, ["\n", "a", "b", "é", "😀"]);
  assert.is(tokenizer.size, 5);
  assert.equal(tokenizer.encode("a😀b"), Int32Array.of(1, 4, 2));
  assert.is(tokenizer.decode([4, 1, 0]), "😀a\n");
  assert.equal(tokenizer.encode(""), new Int32Array(0));
  assert.is(tokenizer.decode(new Int32Array(0)), "");
  // by code point, not by UTF-16 unit: U+FF5E before U+1F600
  assert.equal(characterTokenizer().fit("😀～").vocabulary, ["～", "😀"]);
});

test("several texts, and fit again", () => {
  const tokenizer = characterTokenizer().fit(["ab", "", "bc"]);
  assert.equal(tokenizer.vocabulary, ["a", "b", "c"]);
  tokenizer.fit("xy");
  assert.equal(tokenizer.vocabulary, ["x", "y"]);
  refused(() => tokenizer.encode("a"), "ERR_VALUE", /got "a" at 0/);
});

test("unknown characters are errors, or one token", () => {
  refused(() => characterTokenizer().fit("ab").encode("ab😀c"), "ERR_VALUE", /got "😀" at 2/);
  const tokenizer = characterTokenizer({ unknown: "?" }).fit("ab");
  assert.equal(tokenizer.vocabulary, ["?", "a", "b"]);
  assert.is(tokenizer.decode(tokenizer.encode("a😀b")), "a?b");
});

test("token 0 for padding", () => {
  const tokenizer = characterTokenizer({ padding: true }).fit("ab");
  assert.equal(tokenizer.encode("ab"), Int32Array.of(1, 2));
  assert.is(tokenizer.size, 3);
  assert.is(tokenizer.decode([0, 1, 0, 2, 0]), "ab");
});

test("specials lie behind padding, and no text gives them", () => {
  const tokenizer = characterTokenizer({ padding: true, specials: ["<start>", "<end>"] }).fit("ab");
  assert.equal(tokenizer.vocabulary, ["", "<start>", "<end>", "a", "b"]);
  assert.equal([tokenizer.token("<end>"), tokenizer.token("b")], [2, 4]);
  assert.is(tokenizer.decode([1, 3, 4, 2, 0]), "ab");
  assert.equal(
    characterTokenizer({ specials: ["ab"] })
      .fit("ab")
      .encode("ab"),
    Int32Array.of(1, 2),
  );
  refused(() => tokenizer.token("<ned>"), "ERR_VALUE", /got "<ned>", did you mean "<end>"/);
});

test("errors", () => {
  const tokenizer = characterTokenizer().fit("ab");
  for (const bad of [2, -1, 0.5, NaN])
    refused(() => tokenizer.decode([0, bad]), "ERR_VALUE", /tokens from 0 to 1, got .* at 1/);
  refused(() => characterTokenizer().encode("a"), "ERR_STATE", /expected fit/);
  refused(() => characterTokenizer().decode([0]), "ERR_STATE", /expected fit/);
  refused(() => characterTokenizer().fit(""), "ERR_VALUE", /characters/);
  refused(() => characterTokenizer().token("a"), "ERR_STATE", /expected fit/);
  refused(() => characterTokenizer({ specials: ["a"] }), "ERR_OPTION", /specials longer than a character, got "a"/);
  refused(() => tokenizer.encode(["a"] as never), "ERR_VALUE", /expected a text, got object/);
  refused(() => characterTokenizer().fit([1] as never), "ERR_VALUE", /expected a text, got number/);
  refused(() => characterTokenizer().fit(null as never), "ERR_VALUE", /expected a text, got null/);
  refused(() => characterTokenizer({ unknown: "ab" }), "ERR_SHAPE", /one character/);
  refused(() => characterTokenizer({ unknwon: "a" } as object), "ERR_OPTION", /did you mean "unknown"/);
});

test("through JSON and back", () => {
  for (const options of [{}, { padding: true }, { unknown: "?" }, { padding: true, unknown: "�" }]) {
    const tokenizer = characterTokenizer(options).fit('a"\\😀\n');
    for (const same of [
      characterTokenizer.from(JSON.stringify(tokenizer)),
      characterTokenizer.from(tokenizer.toJSON()),
    ]) {
      assert.equal(same.vocabulary, tokenizer.vocabulary);
      assert.equal(same.encode("a😀"), tokenizer.encode("a😀"));
      assert.equal(same.toJSON(), tokenizer.toJSON());
    }
  }
  assert.is(characterTokenizer.from(characterTokenizer().toJSON()).fit("a").size, 1);
});

test("JSON that describes none", () => {
  const base = characterTokenizer({ padding: true }).fit("ab").toJSON();
  const rows: unknown[] = [
    "{",
    "null",
    null,
    undefined,
    {},
    { type: "words" },
    { ...base, vocabulary: undefined },
    { ...base, vocabulary: "ab" },
    { ...base, vocabulary: ["", "ab"] },
    { ...base, vocabulary: ["", "a", "a"] },
    { ...base, vocabulary: ["a", "b"] },
    { ...base, vocabulary: ["", 1] },
    { ...base, unknown: "?" },
    { ...base, padding: 1 },
    { ...base, padding: false },
  ];
  for (const row of rows) refused(() => characterTokenizer.from(row as string), "ERR_FORMAT", /expected/);
});

test("any text makes the round trip", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      const tokenizer = characterTokenizer().fit(text);
      assert.is(tokenizer.decode(tokenizer.encode(text)), text);
      assert.is(tokenizer.size, new Set(text).size);
    }),
    { seed: 20260101, numRuns: 500 },
  );
});

test.run();
