/** What all tokenizers have in common. */
import { OptionError, ValueError, nearest } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";

/** Texts to tokens and back. */
export interface Tokenizer {
  /**
   * Takes the vocabulary from texts. A former one is forgotten. A byte tokenizer has its vocabulary from the start and
   * learns nothing.
   *
   * @throws ValueError when the texts hold nothing to learn
   */
  fit(texts: string | Iterable<string>): Tokenizer;
  /**
   * The tokens of a text, [tokens]. Padding and specials are never among them.
   *
   * @throws ValueError for what is outside the vocabulary, with its place, when nothing stands for the unknown
   * @throws StateError before `fit`
   */
  encode(text: string): Int32Array;
  /**
   * The text of tokens. Padding and specials give nothing.
   *
   * @throws ValueError for a token outside the vocabulary, with its place
   * @throws StateError before `fit`
   */
  decode(tokens: ArrayLike<number>): string;
  /**
   * The token of one entry of the vocabulary: a special, a character, a word.
   *
   * @throws ValueError when there is none
   * @throws StateError before `fit`
   */
  token(entry: string): number;
  /** What each token stands for; the padding's is empty. */
  readonly vocabulary: readonly string[];
  /** How many tokens there are: `inputDim` of an embedding, `units` of the last layer. */
  readonly size: number;
  /** Everything, as plain JSON: `JSON.stringify(tokenizer)` saves, `from` of the function that made it loads. */
  toJSON(): TokenizerJson;
}

/** Options of every tokenizer. */
export interface TokenizerOptions {
  /** Keeps token 0 free for padding. Default false; true for words. */
  padding?: boolean;
  /** Names of special tokens, such as "start" and "end". No text contains them: insert them yourself, by `token`. */
  specials?: readonly string[];
}

/** What a tokenizer saves: plain JSON. */
export interface TokenizerJson {
  /** Which tokenizer. */
  type: "characters" | "words" | "bytes";
  /** Whether token 0 is padding. */
  padding: boolean;
  /** Names of tokens that no text gives. */
  specials: string[];
  /** What each token stands for; bytes need none. */
  vocabulary?: string[];
  /** What stands for the unknown; null when nothing does. */
  unknown?: string | null;
  /** Words only: whether capitals become small letters. */
  lower?: boolean;
  /** Words only: characters that are left out. */
  filters?: string;
  /** Words only: what a word is, as a regular expression. */
  pattern?: {
    /** Its text. */
    source: string;
    /** Its flags. */
    flags: string;
  };
  /** Words only: how many tokens there may be. */
  maxTokens?: number;
}

/** What all kinds hold of their options. */
export interface Common {
  readonly padding: boolean;
  readonly specials: readonly string[];
}

/** @throws OptionError for specials that are no list of different names, or a padding that is no boolean */
export function checkCommon(subject: string, { padding, specials }: Common): void {
  if (typeof padding !== "boolean")
    throw new OptionError(`${subject}: expected padding true or false, got ${shown(padding)}`);
  const names: unknown = specials;
  if (
    !Array.isArray(names) ||
    !names.every((name) => typeof name === "string" && name !== "") ||
    new Set(names).size < names.length
  ) {
    throw new OptionError(`${subject}: expected specials as a list of different names, got ${quoted(names)}`);
  }
}

/** @throws ValueError unless it is a text */
export function checkText(subject: string, text: unknown): asserts text is string {
  if (typeof text !== "string")
    throw new ValueError(`${subject}: expected a text, got ${text === null ? "null" : typeof text}`);
}

/** One text or several, as several. */
export function* listTexts(subject: string, texts: string | Iterable<string>): Generator<string> {
  if (typeof texts === "string") {
    yield texts;
    return;
  }
  if (typeof (texts as Iterable<string> | null)?.[Symbol.iterator] !== "function") checkText(subject, texts);
  for (const text of texts) {
    checkText(subject, text);
    yield text;
  }
}

/** The place of an entry in a vocabulary. @throws ValueError when it has none */
export function tokenOf(subject: string, tokens: ReadonlyMap<string, number>, entry: string): number {
  const token = tokens.get(entry);
  if (token === undefined)
    throw new ValueError(
      `${subject} token: expected an entry of the vocabulary, ` +
        `got ${JSON.stringify(entry)}${nearest(shown(entry), tokens.keys())}`,
    );
  return token;
}

/** @throws ValueError for what is no token, with its place */
export function checkToken(subject: string, token: number, size: number, at: number): void {
  if (!(Number.isInteger(token) && token >= 0 && token < size)) {
    throw new ValueError(`${subject}: expected tokens from 0 to ${size - 1}, got ${token} at ${at}`);
  }
}
