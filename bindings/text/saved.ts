/** Tokenizers out of the JSON that they save. */
import { FormatError, GatewiseError } from "../base/errors.ts";
import type { Kind } from "./pieces.ts";
import type { TokenizerJson } from "./tokenizer.ts";

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
