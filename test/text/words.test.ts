import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { wordTokenizer } from "../../bindings/text/index.ts";
import type { Tokenizer } from "../../bindings/text/index.ts";
import { refused } from "../support/refused.ts";

const test = suite("wordTokenizer");
const texts = ["The cat sat.", "The dog -- don't! -- sat: THE end."];

test("frequent words first, of equals the one seen first; padding is 0, unknown 1", () => {
  const tokenizer = wordTokenizer().fit(texts);
  assert.equal(tokenizer.vocabulary, ["", "[UNK]", "the", "sat", "cat", "dog", "don't", "end"]);
  assert.is(tokenizer.size, 8);
  assert.equal(tokenizer.encode("A cat, the Dog"), Int32Array.of(1, 4, 2, 5));
  assert.is(tokenizer.decode([2, 4, 1, 0, 0]), "the cat [UNK]");
  assert.equal(tokenizer.encode(" ... "), new Int32Array(0));
});

test("maxTokens counts padding, unknown and specials, as Keras counts them", () => {
  const tokenizer = wordTokenizer({ maxTokens: 4 }).fit(texts);
  assert.equal(tokenizer.vocabulary, ["", "[UNK]", "the", "sat"]);
  assert.equal(tokenizer.encode("the cat sat"), Int32Array.of(2, 1, 3));
  assert.equal(wordTokenizer({ maxTokens: 4, specials: ["[END]"] }).fit(texts).vocabulary, [
    "",
    "[END]",
    "[UNK]",
    "the",
  ]);
  assert.equal(wordTokenizer({ maxTokens: 2, padding: false, unknown: null }).fit(texts).vocabulary, ["the", "sat"]);
  assert.is(wordTokenizer({ maxTokens: 100 }).fit(texts).size, 8);
});

test("capitals, filters and patterns", () => {
  assert.equal(wordTokenizer({ lower: false }).fit("The the").vocabulary.slice(2), ["The", "the"]);
  assert.equal(wordTokenizer({ filters: "e]\\^-" }).fit("a-b^c]d\\eef.").vocabulary.slice(2), [
    "a",
    "b",
    "c",
    "d",
    "f.",
  ]);
  assert.equal(wordTokenizer({ filters: "" }).fit("a-b\tc\u00a0d").vocabulary.slice(2), ["a-b", "c", "d"]);
  const punctuated = wordTokenizer({ pattern: /\p{L}+|[^\p{L}\s]/u }).fit("Élan, vital!");
  assert.equal(punctuated.vocabulary.slice(2), ["élan", ",", "vital", "!"]);
  assert.equal(wordTokenizer({ pattern: /b*/y }).fit("abba b").vocabulary.slice(2), ["bb", "b"]);
});

test("without unknown a new word is an error with its place", () => {
  const tokenizer = wordTokenizer({ unknown: null }).fit(texts);
  refused(() => tokenizer.encode("the cow"), "ERR_VALUE", /expected words of the vocabulary, got "cow" at 1/);
});

test("words that look like padding, unknown or specials are none", () => {
  const tokenizer = wordTokenizer({ filters: "", lower: false, specials: ["[END]"] }).fit("[END] [UNK] a");
  assert.equal(tokenizer.vocabulary, ["", "[END]", "[UNK]", "a"]);
  assert.equal(tokenizer.encode("[END] [UNK] a"), Int32Array.of(2, 2, 3));
  assert.is(tokenizer.token("[END]"), 1);
  assert.is(tokenizer.decode([3, 1, 0]), "a");
});

test("words with the names of properties", () => {
  const tokenizer = wordTokenizer().fit("constructor toString");
  assert.equal(tokenizer.encode("constructor __proto__ tostring"), Int32Array.of(2, 1, 3));
});

test("errors", () => {
  const rows: [object, RegExp][] = [
    [{ maxTokens: 0 }, /maxTokens to be a positive integer, got 0/],
    [{ maxTokens: 2 }, /maxTokens of at least 3, .* got 2/],
    [{ maxTokens: 3, specials: ["a"] }, /at least 4/],
    [{ lower: 1 }, /lower true or false, got 1/],
    [{ filters: /a/ }, /filters as a text/],
    [{ pattern: "a" }, /pattern as a regular expression, got "a"/],
    [{ pattern: /a/, filters: "" }, /filters or pattern, got both/],
    [{ unknown: "" }, /unknown as a text, got ""/],
    [{ specials: "ab" }, /specials as a list/],
    [{ specials: ["a", "a"] }, /different names/],
    [{ specials: [""] }, /different names/],
    [{ specials: ["[UNK]"] }, /other than unknown/],
    [{ padding: 0 }, /padding true or false, got 0/],
    [{ maxtoken: 3 }, /did you mean "maxTokens"/],
  ];
  for (const [options, message] of rows) refused(() => wordTokenizer(options), "ERR_OPTION", message);
  refused(() => wordTokenizer().encode("a"), "ERR_STATE", /expected fit/);
  refused(() => wordTokenizer().fit(["", " . "]), "ERR_VALUE", /expected text with words, got none/);
  const tokenizer = wordTokenizer().fit("a");
  refused(() => tokenizer.fit("?"), "ERR_VALUE", /expected text with words/);
  assert.is(tokenizer.size, 3, "and the former vocabulary is still there");
  for (const bad of [3, -1, 0.5, NaN])
    refused(() => tokenizer.decode([0, bad]), "ERR_VALUE", /tokens from 0 to 2, got .* at 1/);
});

test("through JSON and back", () => {
  const same = (tokenizer: Tokenizer): void => {
    for (const other of [wordTokenizer.from(JSON.stringify(tokenizer)), wordTokenizer.from(tokenizer.toJSON())]) {
      assert.equal(other.toJSON(), tokenizer.toJSON());
      assert.equal(other.encode("The cat, ate."), tokenizer.encode("The cat, ate."));
      assert.equal(other.fit(texts).vocabulary, tokenizer.fit(texts).vocabulary);
    }
  };
  for (const options of [
    {},
    { maxTokens: 5 },
    { lower: false, filters: "." },
    { pattern: /\w+|[.,]/i, specials: ["[END]"] },
    { padding: false },
  ]) {
    same(wordTokenizer(options).fit(texts));
  }
  assert.equal(
    wordTokenizer.from({ type: "words", vocabulary: ["", "[UNK]", "a"] }).encode("b a"),
    Int32Array.of(1, 2),
  );
});

test("JSON that describes none", () => {
  const base = wordTokenizer({ specials: ["[END]"] })
    .fit("a b")
    .toJSON();
  const rows: unknown[] = [
    "{",
    "null",
    null,
    undefined,
    {},
    { ...base, type: "characters" },
    { ...base, vocabulary: undefined },
    { ...base, vocabulary: ["a", "b"] },
    { ...base, vocabulary: ["", "[END]", "[UNK]", "a", "a"] },
    { ...base, vocabulary: ["", "[END]", "[UNK]", 1] },
    { ...base, vocabulary: ["", "[END]", "a"] },
    { ...base, vocabulary: ["", "[END]", "[UNK]", "a", ""] },
    { ...base, padding: false },
    { ...base, maxTokens: -1 },
    { ...base, lower: "yes" },
    { ...base, filters: undefined, pattern: { source: "(", flags: "" } },
    { ...base, more: 1 },
  ];
  for (const row of rows) refused(() => wordTokenizer.from(row as string), "ERR_FORMAT", /wordTokenizer: expected/);
});

test("words come back, and tokens stay in their range", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcxyzé'😀ß"), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 3, max: 9 }), (list, maxTokens) => {
      const text = list.join(" ");
      const all = wordTokenizer().fit(text);
      assert.is(all.decode(all.encode(text)), text);
      const few = wordTokenizer({ maxTokens }).fit(text);
      assert.ok(few.size <= maxTokens);
      few
        .encode(text)
        .forEach((token, i) =>
          assert.is(token, Math.min(all.encode(text)[i], maxTokens) === maxTokens ? 1 : all.encode(text)[i]),
        );
    }),
    { seed: 20260101, numRuns: 200 },
  );
});

test("a pattern out of a file takes time in proportion to the text, or is refused", () => {
  const saved = (pattern: RegExp): string => JSON.stringify(wordTokenizer({ pattern }).fit("aab ab, 7! -"));
  for (const pattern of [/\w+/, /\p{L}+|[^\p{L}\s]/u, /[a-z]+|\d|[.,]/i, /./s, /\u{61}+|\u0062/u, /[\]\\^]+|-/])
    assert.equal(
      wordTokenizer.from(saved(pattern)).encode("aab 7").length,
      wordTokenizer({ pattern }).fit("aab ab, 7! -").encode("aab 7").length,
      pattern.source,
    );
  const slow = [/(\w+)+!/, /\w*\w*b/, /a+b/, /(?:a|a)+/, /(?=a)a/, /(a)\1/, /a{1,9}/, /^a/, /\w+(?:'\w+)?/];
  for (const pattern of slow) {
    refused(() => wordTokenizer.from(saved(pattern)), "ERR_FORMAT", /not trusted to come to an end, got .*from\(json/);
    assert.ok(wordTokenizer.from(saved(pattern), { pattern }).size > 0);
  }
  const start = performance.now();
  wordTokenizer.from(saved(/[a-z]+|\d/)).encode(`${"a".repeat(2e5)}!${"7".repeat(2e5)}`);
  assert.ok(performance.now() - start < 2000);
});

test.run();
