/** Texts as sequences of words, the most frequent first. */
import { FormatError, OptionError } from "../base/errors.ts";
import { checkCount, checkOptions } from "../base/options.ts";
import { quoted } from "../base/formatting.ts";
import { isLinear } from "./linear_pattern.ts";
import { overVocabulary, type Kind } from "./pieces.ts";
import { fromSaved, readJson, readVocabulary } from "./saved.ts";
import { checkCommon, type Tokenizer, type TokenizerJson, type TokenizerOptions } from "./tokenizer.ts";

export interface WordOptions extends TokenizerOptions {
  /** How many tokens at most, padding, unknown and specials among them: the most frequent words stay. Default: all. */
  maxTokens?: number;
  /** What stands for words outside the vocabulary. Default "[UNK]"; with null they are errors. */
  unknown?: string | null;
  /** Whether capitals become small letters first. @default true */
  lower?: boolean;
  /** Characters that separate words, besides white space. Default: as in Keras, the punctuation of ASCII except '. */
  filters?: string;
  /** In place of `filters`: what a word is. `/\p{L}+|[^\p{L}\s]/u` makes punctuation words of their own. */
  pattern?: RegExp;
}

const SUBJECT = "wordTokenizer";
const FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n';

/** Parts text at white space and at filtered characters. */
function parter(filters: string): (text: string) => string[] {
  const escaped = Array.from(filters, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).join("");
  const between = new RegExp(`[\\s${escaped}]+`, "u");
  return (text) => text.split(between).filter((word) => word !== "");
}

/** Finds words by their pattern, all of them whatever its flags. */
function finder(pattern: RegExp): (text: string) => string[] {
  const all = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, "")}g`);
  return (text) => (text.match(all) ?? []).filter((word) => word !== "");
}

/** @throws OptionError for what is no option of that kind */
function checkKinds({ lower, filters, pattern, unknown }: WordOptions): void {
  const expect = (holds: boolean, what: string, got: unknown): void => {
    if (!holds) throw new OptionError(`${SUBJECT}: expected ${what}, got ${quoted(got)}`);
  };
  expect(lower === undefined || typeof lower === "boolean", "lower true or false", lower);
  expect(filters === undefined || typeof filters === "string", "filters as a text of characters", filters);
  expect(pattern === undefined || pattern instanceof RegExp, "pattern as a regular expression", pattern);
  expect(unknown == null || (typeof unknown === "string" && unknown !== ""), "unknown as a text", unknown);
  if (filters !== undefined && pattern !== undefined)
    throw new OptionError(`${SUBJECT}: expected filters or pattern, got both`);
}

function words(options: WordOptions): Kind {
  checkOptions(SUBJECT, options, ["padding", "specials", "maxTokens", "unknown", "lower", "filters", "pattern"]);
  checkKinds(options);
  const { padding = true, specials = [], maxTokens = Infinity, unknown = "[UNK]", lower = true, pattern } = options;
  checkCommon(SUBJECT, { padding, specials });
  const filters = options.filters ?? FILTERS;
  const first = unknown === null ? [] : [unknown];
  if (unknown !== null && specials.includes(unknown))
    throw new OptionError(`${SUBJECT}: expected specials other than unknown, got ${JSON.stringify(unknown)} twice`);
  if (options.maxTokens !== undefined) checkCount(SUBJECT, "maxTokens", maxTokens);
  const places = maxTokens - specials.length - (padding ? 1 : 0);
  if (maxTokens < Infinity) {
    const least = maxTokens - places + first.length + 1;
    if (maxTokens < least)
      throw new OptionError(
        `${SUBJECT}: expected maxTokens of at least ${least}, which leaves room for a word, got ${maxTokens}`,
      );
  }
  const cut = pattern === undefined ? parter(filters) : finder(pattern);
  return {
    type: "words",
    subject: SUBJECT,
    padding,
    specials,
    unknown: unknown ?? undefined,
    glue: " ",
    pieces: (text) => cut(lower ? text.toLowerCase() : text),
    choose(counts) {
      // the sort is stable: of two words as frequent, the one seen first comes first
      const seen = [...counts].filter(([word]) => word !== unknown).sort(([, a], [, b]) => b - a);
      return [...first, ...seen.map(([word]) => word)].slice(0, places);
    },
    misfit: (entry) => (entry === "" ? "words" : undefined),
    saved: {
      lower,
      ...(pattern === undefined ? { filters } : { pattern: { source: pattern.source, flags: pattern.flags } }),
      ...(maxTokens < Infinity ? { maxTokens } : {}),
    },
  };
}

/**
 * A tokenizer with a token for every word of the texts it was fitted to: 0 for padding, then specials, one for unknown
 * words, then words by falling frequency, the order of Keras' Tokenizer and TextVectorization.
 *
 * @throws OptionError for an unknown option, one of another kind, `filters` and `pattern` together, and for `maxTokens`
 *         without room for words
 * @example
 * const tokenizer = wordTokenizer({ maxTokens: 10_000 }).fit(reviews);
 * const { data, shape } = padSequences(reviews.map((review) => tokenizer.encode(review)), { padding: "post" });
 * tokenizer.decode(data.subarray(0, shape[1]));   // "good case excellent value"
 */
export function wordTokenizer(options: WordOptions = {}): Tokenizer {
  return overVocabulary(words(options), []);
}

/** The pattern of a file. @throws FormatError for one that might take forever */
function savedPattern({ source, flags }: { source: string; flags: string }): RegExp {
  if (!isLinear(source, flags))
    throw new FormatError(
      `${SUBJECT}: expected a pattern of characters and classes of which the last may repeat, as one out of a file is not ` +
        `trusted to come to an end, got ${quoted(source)}; give it to from(json, { pattern }) if you know it`,
    );
  return new RegExp(source, flags);
}

/**
 * The tokenizer that `toJSON` described, from the object or its text. What is missing has its default, so
 * `{ type: "words", vocabulary: ["", "[UNK]", "the", …] }` takes over a vocabulary from elsewhere.
 *
 * @param given  `pattern`: the one that it was made with, when it is more than characters and classes
 * @throws FormatError when it describes none, and for a saved pattern that might take forever on some text
 */
wordTokenizer.from = (json: Partial<TokenizerJson> | string, given: Pick<WordOptions, "pattern"> = {}): Tokenizer => {
  checkOptions(`${SUBJECT}.from`, given, ["pattern"]);
  const { type: _, vocabulary, pattern, ...options } = readJson(SUBJECT, "words", json);
  const kind = fromSaved(SUBJECT, () =>
    words({ ...options, pattern: given.pattern ?? (pattern && savedPattern(pattern)) }),
  );
  return overVocabulary(kind, readVocabulary(kind, vocabulary));
};
