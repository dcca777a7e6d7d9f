/** Texts as sequences of bytes: 256 tokens for every language there is. */
import { OptionError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { fromSaved, readJson } from "./saved.ts";
import { checkCommon, checkText, checkToken, listTexts, tokenOf } from "./tokenizer.ts";
import type { Tokenizer, TokenizerJson, TokenizerOptions } from "./tokenizer.ts";

const SUBJECT = "byteTokenizer";
/** How a byte is written in the vocabulary: `<0x0A>`. */
const nameOf = (_: unknown, byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/**
 * A tokenizer whose tokens are the bytes of UTF-8, 0 to 255, or 1 to 256 behind padding; specials follow. Nothing is
 * unknown to it, and any well-formed text comes back as it was. Half a character, as a model may write it, decodes to
 * U+FFFD; so does half a surrogate pair.
 *
 * @throws OptionError for an unknown option, and for specials that are no list of different names
 * @example
 * const tokenizer = byteTokenizer({ specials: ["<end>"] });
 * const tokens = [...tokenizer.encode("naïve"), tokenizer.token("<end>")];   // 110 97 195 175 118 101 256
 */
export function byteTokenizer(options: TokenizerOptions = {}): Tokenizer {
  checkOptions(SUBJECT, options, ["padding", "specials"]);
  const { padding = false, specials = [] } = options;
  checkCommon(SUBJECT, { padding, specials });
  const first = padding ? 1 : 0;
  const vocabulary = [...(padding ? [""] : []), ...Array.from({ length: 256 }, nameOf), ...specials];
  if (new Set(vocabulary).size < vocabulary.length)
    throw new OptionError(
      `${SUBJECT}: expected specials other than the names of bytes, got ${JSON.stringify(specials)}`,
    );
  const tokens = new Map(vocabulary.map((entry, token) => [entry, token]));
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a byte order mark is part of the text

  const tokenizer: Tokenizer = {
    vocabulary,
    size: vocabulary.length,
    fit(texts) {
      for (const _ of listTexts(SUBJECT, texts)); // refuses what are no texts, as other tokenizers do
      return tokenizer;
    },
    encode(text) {
      checkText(SUBJECT, text);
      return Int32Array.from(new TextEncoder().encode(text), (byte) => byte + first);
    },
    decode(sequence) {
      const bytes: number[] = [];
      for (let i = 0; i < sequence.length; i++) {
        checkToken(SUBJECT, sequence[i], vocabulary.length, i);
        const byte = sequence[i] - first;
        if (byte >= 0 && byte < 256) bytes.push(byte);
      }
      return decoder.decode(Uint8Array.from(bytes));
    },
    token: (entry) => tokenOf(SUBJECT, tokens, entry),
    toJSON: () => ({ type: "bytes", padding, specials: [...specials] }),
  };
  return tokenizer;
}

/**
 * The tokenizer that `toJSON` described, from the object or its text.
 *
 * @throws FormatError when it describes none
 */
byteTokenizer.from = (json: Partial<TokenizerJson> | string): Tokenizer => {
  const { padding, specials } = readJson(SUBJECT, "bytes", json);
  return fromSaved(SUBJECT, () => byteTokenizer({ padding, specials }));
};
