/** What all tokenizers have in common, and how one works that has a vocabulary of pieces: characters or words. */
import { FormatError, GatewiseError, OptionError, StateError, ValueError, nearest } from "../base/errors.ts";
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

/** What tells one kind of pieces from another. */
export interface Kind extends Common {
  readonly type: "characters" | "words";
  /** Who speaks in messages: `wordTokenizer`. */
  readonly subject: string;
  /** The piece that stands for those outside the vocabulary. */
  readonly unknown: string | undefined;
  /** What goes between two pieces. */
  readonly glue: string;
  pieces(text: string): Iterable<string>;
  /** The vocabulary behind padding and specials, from how often each piece was seen. */
  choose(counts: ReadonlyMap<string, number>): string[];
  /** Why an entry cannot be a piece: "single characters"; undefined when it can. */
  misfit(entry: string): string | undefined;
  /** What else is saved. */
  readonly saved?: Partial<TokenizerJson>;
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

/** The tokenizer over a vocabulary, which is empty before `fit`. */
export function overVocabulary(kind: Kind, initial: readonly string[]): Tokenizer {
  const { type, subject, padding, specials, unknown, glue } = kind;
  const reserved = [...(padding ? [""] : []), ...specials];
  const index = (entries: readonly string[]): Map<string, number> =>
    new Map(entries.map((entry, token) => [entry, token]));
  let vocabulary = initial;
  let tokens = index(vocabulary);

  function ready(): void {
    if (vocabulary.length === 0) throw new StateError(`${subject}: expected fit before use, got none`);
  }
  /** The token of a piece of text: padding and specials are none, however a text may look. */
  function find(piece: string): number | undefined {
    const token = tokens.get(piece);
    return token === undefined || token < reserved.length ? undefined : token;
  }

  const tokenizer: Tokenizer = {
    get vocabulary() {
      return vocabulary;
    },
    get size() {
      return vocabulary.length;
    },
    fit(texts) {
      const counts = new Map<string, number>();
      for (const text of listTexts(subject, texts))
        for (const piece of kind.pieces(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
      for (const name of reserved) counts.delete(name);
      if (counts.size === 0) throw new ValueError(`${subject}: expected text with ${type}, got none`);
      vocabulary = [...reserved, ...kind.choose(counts)];
      tokens = index(vocabulary);
      return tokenizer;
    },
    encode(text) {
      ready();
      checkText(subject, text);
      const instead = unknown === undefined ? undefined : find(unknown);
      const found: number[] = [];
      for (const piece of kind.pieces(text)) {
        const token = find(piece) ?? instead;
        if (token === undefined)
          throw new ValueError(
            `${subject}: expected ${type} of the vocabulary, got ${JSON.stringify(piece)} at ${found.length}`,
          );
        found.push(token);
      }
      return Int32Array.from(found);
    },
    decode(sequence) {
      ready();
      const pieces: string[] = [];
      for (let i = 0; i < sequence.length; i++) {
        checkToken(subject, sequence[i], vocabulary.length, i);
        if (sequence[i] >= reserved.length) pieces.push(vocabulary[sequence[i]]);
      }
      return pieces.join(glue);
    },
    token(entry) {
      ready();
      return tokenOf(subject, tokens, entry);
    },
    toJSON: () => ({
      type,
      vocabulary: [...vocabulary],
      padding,
      unknown: unknown ?? null,
      specials: [...specials],
      ...kind.saved,
    }),
  };
  return tokenizer;
}

/**
 * What `toJSON` gave, from the object or its text.
 *
 * @throws FormatError for another text, and for the JSON of another thing
 */
export function readJson(
  subject: string,
  type: TokenizerJson["type"],
  json: Partial<TokenizerJson> | string,
): Partial<TokenizerJson> {
  let value: Partial<TokenizerJson> | null;
  try {
    value = typeof json === "string" ? (JSON.parse(json) as Partial<TokenizerJson> | null) : json;
  } catch (cause) {
    throw new FormatError(`${subject}: expected JSON, got another text`, { cause });
  }
  if (value?.type !== type)
    throw new FormatError(`${subject}: expected type "${type}", got ${JSON.stringify(value?.type) ?? "none"}`);
  return value;
}

/** Makes something of saved options. @throws FormatError where making it by hand would be an error of another class */
export function fromSaved<T>(subject: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const { message } = cause as Error;
    throw new FormatError(
      cause instanceof GatewiseError ? message : `${subject}: expected what toJSON gave, got ${message}`,
      { cause },
    );
  }
}

/** The vocabulary of saved JSON. @throws FormatError unless it is one of this kind */
export function readVocabulary(kind: Kind, vocabulary: unknown): string[] {
  const { subject, padding, specials, unknown } = kind;
  const reject = (expected: string): never => {
    throw new FormatError(`${subject}: expected ${expected}`);
  };
  if (!Array.isArray(vocabulary)) return reject("a list as vocabulary, got none");
  if (vocabulary.length === 0) return [];
  const entries: unknown[] = vocabulary;
  const reserved = [...(padding ? [""] : []), ...specials];
  reserved.forEach((name, token) => {
    if (entries[token] !== name)
      reject(`${JSON.stringify(name)} as token ${token}, got ${JSON.stringify(entries[token]) ?? "none"}`);
  });
  const pieces = entries.slice(reserved.length);
  for (const piece of pieces) {
    const expected = typeof piece === "string" ? kind.misfit(piece) : "texts";
    if (expected !== undefined) reject(`${expected} as vocabulary, got ${JSON.stringify(piece) ?? "none"}`);
  }
  if (new Set(entries).size !== entries.length) reject("every entry of the vocabulary once, got one twice");
  if (unknown !== undefined && !pieces.includes(unknown))
    reject(`unknown to be of the vocabulary, got ${JSON.stringify(unknown)}`);
  return entries as string[];
}
