/** `gatewise/text`: from texts to tokens and back. */
export { characterTokenizer } from "./characters.ts";
export type { CharacterOptions, CharacterTokenizer, CharacterTokenizerJson } from "./characters.ts";
export { sample } from "./sampling.ts";
export type { SampleOptions } from "./sampling.ts";
export { Random } from "../random.ts";
