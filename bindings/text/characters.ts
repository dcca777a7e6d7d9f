/** Texts as sequences of characters: every code point is a token. */
import { FormatError, ShapeError, StateError, ValueError } from "../errors.ts";
import { checkOptions } from "../options.ts";

export interface CharacterOptions {
  /** Keeps token 0 free for padding; it decodes to nothing. */
  padding?: boolean;
  /** A character that stands for those outside the vocabulary. Without it they are errors. */
  unknown?: string;
}

/** What a tokenizer saves: plain JSON. */
export interface CharacterTokenizerJson {
  type: "characters";
  /** The character of each token; the padding's is empty. */
  vocabulary: string[];
  padding: boolean;
  unknown: string | null;
}

export interface CharacterTokenizer {
  /**
   * Takes the vocabulary from texts: their characters in the order of their code points. A former one is forgotten.
   *
   * @throws ValueError when there are no characters
   */
  fit(text: string | readonly string[]): CharacterTokenizer;
  /**
   * The tokens of a text, [characters].
   *
   * @throws ValueError for a character outside the vocabulary, with its place, when no `unknown` was chosen
   * @throws StateError before `fit`
   */
  encode(text: string): Int32Array;
  /**
   * The text of tokens.
   *
   * @throws ValueError for a token outside the vocabulary, with its place
   * @throws StateError before `fit`
   */
  decode(tokens: ArrayLike<number>): string;
  /** The character of each token. */
  readonly vocabulary: readonly string[];
  /** How many tokens there are: `inputDim` of an embedding, `units` of the last layer. */
  readonly size: number;
  toJSON(): CharacterTokenizerJson;
}

const isCharacter = (text: unknown): text is string => typeof text === "string" && [...text].length === 1;
const byCodePoint = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;

/** The tokenizer over a vocabulary, which is empty before `fit`. */
function overVocabulary(initial: readonly string[], padding: boolean, unknown: string | undefined): CharacterTokenizer {
  let vocabulary = initial;
  let tokens = new Map(vocabulary.map((character, token) => [character, token]));

  function ready(): void {
    if (vocabulary.length === 0) throw new StateError("characterTokenizer: expected fit before use, got none");
  }

  const tokenizer: CharacterTokenizer = {
    get vocabulary() {
      return vocabulary;
    },
    get size() {
      return vocabulary.length;
    },
    fit(text) {
      const characters = new Set<string>();
      for (const piece of typeof text === "string" ? [text] : text) for (const character of piece) characters.add(character);
      if (characters.size === 0) throw new ValueError("characterTokenizer: expected text with characters, got none");
      if (unknown !== undefined) characters.add(unknown);
      vocabulary = [...(padding ? [""] : []), ...[...characters].sort(byCodePoint)];
      tokens = new Map(vocabulary.map((character, token) => [character, token]));
      return tokenizer;
    },
    encode(text) {
      ready();
      const found: number[] = [];
      for (const character of text) {
        const token = tokens.get(character) ?? (unknown === undefined ? undefined : tokens.get(unknown));
        if (token === undefined) {
          throw new ValueError(`characterTokenizer: expected characters of the vocabulary, got ${JSON.stringify(character)} at ${found.length}`);
        }
        found.push(token);
      }
      return Int32Array.from(found);
    },
    decode(sequence) {
      ready();
      let text = "";
      for (let i = 0; i < sequence.length; i++) {
        const character = vocabulary[sequence[i]];
        if (character === undefined) {
          throw new ValueError(`characterTokenizer: expected tokens from 0 to ${vocabulary.length - 1}, got ${sequence[i]} at ${i}`);
        }
        text += character;
      }
      return text;
    },
    toJSON: () => ({ type: "characters", vocabulary: [...vocabulary], padding, unknown: unknown ?? null }),
  };
  return tokenizer;
}

/**
 * A tokenizer that has a token for every character of the texts it was fitted to. Characters are code points, so an
 * emoji is one token.
 *
 * @throws ShapeError when `unknown` is not one character
 * @throws OptionError for an unknown option
 * @example
 * const tokenizer = characterTokenizer().fit("to be or not to be");
 * tokenizer.decode(tokenizer.encode("robe"));   // "robe"
 */
export function characterTokenizer(options: CharacterOptions = {}): CharacterTokenizer {
  checkOptions("characterTokenizer", options, ["padding", "unknown"]);
  const { padding = false, unknown } = options;
  if (unknown !== undefined && !isCharacter(unknown)) {
    throw new ShapeError(`characterTokenizer: expected one character for unknown, got ${JSON.stringify(unknown)}`);
  }
  return overVocabulary([], padding, unknown);
}

/**
 * The tokenizer that `toJSON` described, from the object or its text.
 *
 * @throws FormatError when it describes none
 */
characterTokenizer.from = (json: CharacterTokenizerJson | string): CharacterTokenizer => {
  const reject = (expected: string): never => {
    throw new FormatError(`characterTokenizer: expected ${expected}`);
  };
  let value: Partial<CharacterTokenizerJson> | null;
  try {
    value = typeof json === "string" ? (JSON.parse(json) as CharacterTokenizerJson) : json;
  } catch (cause) {
    throw new FormatError("characterTokenizer: expected JSON, got another text", { cause });
  }
  if (value?.type !== "characters") return reject(`type "characters", got ${JSON.stringify(value?.type) ?? "none"}`);
  const { vocabulary, padding = false, unknown } = value;
  if (!Array.isArray(vocabulary)) return reject("a list as vocabulary, got none");
  if (typeof padding !== "boolean") return reject("true or false for padding, got another value");
  const ordinary = padding ? vocabulary.slice(1) : vocabulary;
  if (padding && vocabulary.length > 0 && vocabulary[0] !== "") return reject('"" as first token with padding, got another');
  if (!ordinary.every(isCharacter)) return reject("single characters as vocabulary, got others");
  if (new Set(ordinary).size !== ordinary.length) return reject("every character once, got one twice");
  if (unknown != null && vocabulary.length > 0 && !ordinary.includes(unknown)) return reject("unknown to be of the vocabulary, got another");
  return overVocabulary([...vocabulary], padding, unknown ?? undefined);
};
