/** From a model's last layer to a token. */
import { OptionError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { Random, randomSeed } from "../base/random.ts";

/** Options of `sample`. */
export interface SampleOptions {
  /** Below 1 likely tokens become likelier, above 1 all become more alike; 0 takes the likeliest. @default 1 */
  temperature?: number;
  /** Considers the k likeliest tokens only. */
  topK?: number;
  /** Considers the fewest likeliest tokens whose probabilities, after temperature and `topK`, reach p. */
  topP?: number;
  /** Where the draw comes from; hand the same one to every call. Default: one that nobody seeded. */
  random?: Random;
  /** In place of `random`: a generator for this one call, so the same logits give the same token. */
  seed?: number;
}

let unseeded: Random | undefined;

/** @throws ValueError naming the first logit that is not finite */
function likeliest(logits: ArrayLike<number>): number {
  if (!Array.isArray(logits) && !ArrayBuffer.isView(logits))
    throw new ValueError(`sample: expected logits as an array, got ${shown(logits)}`);
  if (logits.length === 0) throw new ValueError("sample: expected at least one logit, got none");
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i]))
      throw new ValueError(`sample: expected finite logits, got ${shown(logits[i])} at ${i}`);
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

function checkRanges({ temperature = 1, topK = 1, topP = 1, random, seed }: SampleOptions): void {
  const expect = (holds: boolean, what: string, got: unknown): void => {
    if (!holds || typeof got !== "number") throw new ValueError(`sample: expected ${what}, got ${shown(got)}`);
  };
  expect(Number.isFinite(temperature) && temperature >= 0, "a temperature of at least 0", temperature);
  expect(Number.isInteger(topK) && topK >= 1, "topK of at least 1", topK);
  expect(Number.isFinite(topP) && topP > 0 && topP <= 1, "topP above 0 and at most 1", topP);
  if (random !== undefined && seed !== undefined) throw new OptionError("sample: expected random or seed, got both");
}

function sum(weights: Float64Array): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i];
  return total;
}

/** The tokens to choose from, likeliest first, of equals the lower one first. */
function ranked(logits: ArrayLike<number>, count: number): Int32Array {
  const tokens = new Int32Array(logits.length);
  for (let i = 0; i < tokens.length; i++) tokens[i] = i;
  return tokens.sort((a, b) => logits[b] - logits[a] || a - b).subarray(0, count);
}

/** How many of the weights, largest first, reach a share p of all. */
function nucleus(weights: Float64Array, p: number): number {
  const wanted = p * sum(weights);
  let reached = 0;
  let count = 0;
  while (count < weights.length && reached < wanted) reached += weights[count++];
  return Math.max(1, count);
}

/**
 * Draws a token from the softmax of logits.
 *
 * @param logits  [vocabulary], a model's output without softmax
 * @returns the token, an index into the logits
 * @throws ValueError for a logit that is NaN or infinite, with its index, and for options out of range
 * @throws OptionError for an unknown option, or `random` and `seed` together
 * @example
 * const random = new Random(7);
 * const token = sample(stream.step(frame), { temperature: 0.8, topK: 40, random });
 */
export function sample(logits: ArrayLike<number>, options: SampleOptions = {}): number {
  checkOptions("sample", options, ["temperature", "topK", "topP", "random", "seed"]);
  checkRanges(options);
  const best = likeliest(logits);
  const { temperature = 1, topK = logits.length, topP = 1, seed } = options;
  if (temperature === 0) return best;

  const tokens = topK < logits.length || topP < 1 ? ranked(logits, topK) : undefined;
  let weights = new Float64Array(Math.min(topK, logits.length));
  for (let i = 0; i < weights.length; i++) {
    weights[i] = Math.exp((logits[tokens ? tokens[i] : i] - logits[best]) / temperature); // at most 1
  }
  if (topP < 1) weights = weights.subarray(0, nucleus(weights, topP));

  const random = seed !== undefined ? new Random(seed) : (options.random ?? (unseeded ??= new Random(randomSeed())));
  let left = random.uniform() * sum(weights);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i];
    if (left < 0) return tokens ? tokens[i] : i;
  }
  return best; // rounding left a rest beyond the last token
}
