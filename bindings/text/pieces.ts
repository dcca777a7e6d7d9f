/** Tokenizers that have a vocabulary of pieces: characters or words. */
import { StateError, ValueError } from "../base/errors.ts";
import {
  checkText,
  checkToken,
  listTexts,
  tokenOf,
  type Common,
  type Tokenizer,
  type TokenizerJson,
} from "./tokenizer.ts";

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

/** The tokens of a text. @param find  the token of a piece, if it has one @throws ValueError for a piece that has none */
function encodeText(kind: Kind, text: string, find: (piece: string) => number | undefined): Int32Array {
  const { type, subject, unknown } = kind;
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
}

/** The token of each entry. */
const index = (entries: readonly string[]): Map<string, number> =>
  new Map(entries.map((entry, token) => [entry, token]));

/** The tokenizer over a vocabulary, which is empty before `fit`. */
export function overVocabulary(kind: Kind, initial: readonly string[]): Tokenizer {
  const { type, subject, padding, specials, unknown, glue } = kind;
  const reserved = [...(padding ? [""] : []), ...specials];
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
      return encodeText(kind, text, find);
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
