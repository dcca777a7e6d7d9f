/**
 * From texts to tokens and back.
 *
 * @module gatewise/text
 */
export { byteTokenizer } from "./bytes.ts";
export { characterTokenizer } from "./characters.ts";
export type { CharacterOptions } from "./characters.ts";
export { sample } from "./sampling.ts";
export type { SampleOptions } from "./sampling.ts";
export type { Tokenizer, TokenizerJson, TokenizerOptions } from "./tokenizer.ts";
export { wordTokenizer } from "./words.ts";
export type { WordOptions } from "./words.ts";
export { Random } from "../base/random.ts";
