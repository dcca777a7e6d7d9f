// A text to learn from, and the simplest model of it.
import { readFileSync } from "node:fs";
import { fail } from "./options.mjs";

export const MOBY_DICK = new URL("../data/moby_dick.txt", import.meta.url);

/** Reads UTF-8 of at least so many characters; anything else ends the program with a sentence. */
export function readText(file, least) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file)).replaceAll("\r\n", "\n");
  } catch (error) {
    fail(`--data: expected a text in UTF-8, got ${file}: ${error.message}`);
  }
  const { length } = [...text];
  if (length < least) fail(`--data: expected a text of at least ${least} characters, got ${length} in ${file}`);
  return text;
}

/** How the first whole line of a text begins, to write on from. */
export function beginningOf(tokens, tokenizer, length) {
  const line = tokens.indexOf(tokenizer.vocabulary.indexOf("\n")) + 1; // 0 in a text of one line
  return tokenizer.decode(tokens.subarray(line, line + length)).trimStart();
}

/**
 * Nats per token of a bigram model: how surprised one is who knows only the token before.
 *
 *   p(b | a) = (pairs(a, b) + PRIOR · p(b)) / (count(a) + PRIOR),   p(b) = (count(b) + 1) / (tokens + size)
 */
export function bigramLoss(training, heldOut, size) {
  const PRIOR = 10; // pairs never seen get the share of PRIOR made-up ones
  const count = new Float64Array(size);
  const pairs = new Float64Array(size * size);
  training.forEach((b, i) => {
    count[b]++;
    if (i > 0) pairs[training[i - 1] * size + b]++;
  });
  const p = count.map((n) => (n + 1) / (training.length + size));
  let surprise = 0;
  for (let i = 1; i < heldOut.length; i++) {
    const [a, b] = [heldOut[i - 1], heldOut[i]];
    surprise -= Math.log((pairs[a * size + b] + PRIOR * p[b]) / (count[a] + PRIOR));
  }
  return surprise / (heldOut.length - 1);
}
