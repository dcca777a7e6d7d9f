/** Texts as sequences of characters: every code point is a token. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { quoted } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { overVocabulary, type Kind } from "./pieces.ts";
import { fromSaved, readJson, readVocabulary } from "./saved.ts";
import { checkCommon, type Tokenizer, type TokenizerJson, type TokenizerOptions } from "./tokenizer.ts";

export interface CharacterOptions extends TokenizerOptions {
  /** A character that stands for those outside the vocabulary. Without it they are errors. */
  unknown?: string | null;
}

const SUBJECT = "characterTokenizer";
const isCharacter = (text: unknown): boolean => typeof text === "string" && [...text].length === 1;
const byCodePoint = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;

function characters(options: CharacterOptions): Kind {
  checkOptions(SUBJECT, options, ["padding", "specials", "unknown"]);
  const { padding = false, specials = [], unknown } = options;
  checkCommon(SUBJECT, { padding, specials });
  const single = specials.find(isCharacter);
  if (single !== undefined)
    throw new OptionError(`${SUBJECT}: expected specials longer than a character, got ${JSON.stringify(single)}`);
  if (unknown != null && !isCharacter(unknown)) {
    throw new ShapeError(`${SUBJECT}: expected one character for unknown, got ${quoted(unknown)}`);
  }
  return {
    type: "characters",
    subject: SUBJECT,
    padding,
    specials,
    unknown: unknown ?? undefined,
    glue: "",
    pieces: (text) => text, // a text's iterator goes by code points
    choose: (counts) => [...new Set([...counts.keys(), ...(unknown != null ? [unknown] : [])])].sort(byCodePoint),
    misfit: (entry) => (isCharacter(entry) ? undefined : "single characters"),
  };
}

/**
 * A tokenizer that has a token for every character of the texts it was fitted to, in the order of their code points.
 * Characters are code points, so an emoji is one token.
 *
 * @throws ShapeError when `unknown` is not one character
 * @throws OptionError for an unknown option
 * @example
 * const tokenizer = characterTokenizer().fit("to be or not to be");
 * tokenizer.decode(tokenizer.encode("robe"));   // "robe"
 */
export function characterTokenizer(options: CharacterOptions = {}): Tokenizer {
  return overVocabulary(characters(options), []);
}

/**
 * The tokenizer that `toJSON` described, from the object or its text.
 *
 * @throws FormatError when it describes none
 */
characterTokenizer.from = (json: Partial<TokenizerJson> | string): Tokenizer => {
  const { vocabulary, padding, specials, unknown } = readJson(SUBJECT, "characters", json);
  const kind = fromSaved(SUBJECT, () => characters({ padding, specials, unknown }));
  return overVocabulary(kind, readVocabulary(kind, vocabulary));
};
