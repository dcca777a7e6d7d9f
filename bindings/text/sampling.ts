/** From a model's last layer to a token. */
import { OptionError, ValueError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { Random, randomSeed } from "../random.ts";

export interface SampleOptions {
  /** Below 1 likely tokens become likelier, above 1 all become more alike; 0 takes the likeliest. Default 1. */
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

function likeliest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

function check(logits: ArrayLike<number>, { temperature = 1, topK = 1, topP = 1, random, seed }: SampleOptions): void {
  const expect = (holds: boolean, what: string, got: number): void => {
    if (!holds) throw new ValueError(`sample: expected ${what}, got ${got}`);
  };
  expect(logits.length > 0, "at least one logit", logits.length);
  for (let i = 0; i < logits.length; i++) expect(Number.isFinite(logits[i]), `finite logits, at ${i}`, logits[i]);
  expect(temperature >= 0 && temperature < Infinity, "a temperature of at least 0", temperature);
  expect(Number.isInteger(topK) && topK >= 1, "topK of at least 1", topK);
  expect(topP > 0 && topP <= 1, "topP above 0 and at most 1", topP);
  if (random !== undefined && seed !== undefined) throw new OptionError("sample: expected random or seed, got both");
}

/** How many of the weights, largest first, reach a share p of all. */
function nucleus(weights: Float64Array, p: number): number {
  const wanted = p * weights.reduce((sum, weight) => sum + weight, 0);
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
  check(logits, options);
  const { temperature = 1, topK = logits.length, topP = 1, seed } = options;
  const best = likeliest(logits);
  if (temperature === 0) return best;

  const weightOf = (token: number): number => Math.exp((logits[token] - logits[best]) / temperature); // at most 1
  let tokens = Int32Array.from({ length: logits.length }, (_, token) => token);
  if (topK < logits.length || topP < 1) {
    tokens = tokens.sort((a, b) => logits[b] - logits[a] || a - b).subarray(0, topK);
  }
  let weights = Float64Array.from(tokens, weightOf);
  if (topP < 1) weights = weights.subarray(0, nucleus(weights, topP));

  const random = seed !== undefined ? new Random(seed) : (options.random ?? (unseeded ??= new Random(randomSeed())));
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i];
    if (left < 0) return tokens[i];
  }
  return best; // rounding left a rest beyond the last token
}
