import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Random, sample } from "../../bindings/text/index.ts";
import type { SampleOptions } from "../../bindings/text/index.ts";
import { refused } from "../support/refused.ts";

const test = suite("sample");
const logits = Float32Array.of(1, 3, -2, 3, 0.5);

/** How often each token is drawn. */
function shares(options: SampleOptions, values: ArrayLike<number> = logits, draws = 20000): number[] {
  const random = new Random(5);
  const counts = new Array<number>(values.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sample(values, { random, ...options })]++;
  return counts.map((count) => count / draws);
}

function softmax(values: ArrayLike<number>, temperature = 1): number[] {
  const weights = Array.from(values, (value) => Math.exp(value / temperature));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

const near = (got: number[], expected: number[]): void =>
  got.forEach((share, i) =>
    assert.ok(Math.abs(share - expected[i]) < 0.012, `token ${i}: ${share}, expected ${expected[i]}`),
  );

test("draws from the softmax, sharpened or flattened by temperature", () => {
  near(shares({}), softmax(logits));
  near(shares({ temperature: 0.5 }), softmax(logits, 0.5));
  near(shares({ temperature: 3 }), softmax(logits, 3));
});

test("temperature 0 is greedy and takes the first of equals", () => {
  for (let i = 0; i < 20; i++) assert.is(sample(logits, { temperature: 0 }), 1);
  assert.is(sample([7]), 0);
});

test("stable for huge logits and tiny temperatures", () => {
  near(shares({}, Float32Array.of(3e38, 3e38, -3e38), 2000).slice(2), [0]);
  near(shares({}, [-1e4, -1e4 - Math.log(3)]), [0.75, 0.25]);
  assert.is(sample([1, 1.0001], { temperature: 1e-300, seed: 1 }), 1);
});

test("topK keeps k, of equals those with the lower index", () => {
  const both = softmax([3, 3, 1]);
  near(shares({ topK: 3 }), [both[2], both[0], 0, both[1], 0]);
  assert.equal(shares({ topK: 1 }, logits, 200), [0, 1, 0, 0, 0]);
  near(shares({ topK: 100 }), softmax(logits));
});

test("topP keeps the fewest that reach p", () => {
  const values = [0.5, 0.3, 0.15, 0.05].map(Math.log);
  near(shares({ topP: 0.4 }, values, 500), [1, 0, 0, 0]);
  near(shares({ topP: 0.6 }, values), [0.625, 0.375, 0, 0]);
  near(shares({ topP: 0.94 }, values), [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0]);
  near(shares({ topP: 1 }, values), [0.5, 0.3, 0.15, 0.05]);
  near(shares({ topP: 1e-9 }, values, 500), [1, 0, 0, 0]);
  // after topK: of 0.5 and 0.3 the first alone is 0.625
  near(shares({ topP: 0.6, topK: 2 }, values, 500), [1, 0, 0, 0]);
});

test("seeded", () => {
  const draw = (random: Random): number[] =>
    Array.from({ length: 50 }, () => sample(logits, { random, temperature: 2 }));
  assert.equal(draw(new Random(3)), draw(new Random(3)));
  assert.is.not(draw(new Random(3)).join(), draw(new Random(4)).join());
  for (let i = 0; i < 5; i++) assert.is(sample(logits, { seed: 9 }), sample(logits, { seed: 9 }));
  const free = Array.from({ length: 60 }, () => sample(logits, { temperature: 3 }));
  assert.ok(new Set(free).size > 1);
});

test("errors name what is wrong", () => {
  const wrong = (values: ArrayLike<number>, options: object, code: string, message: RegExp): void =>
    refused(() => sample(values, options as SampleOptions), code, message);
  for (const bad of [NaN, Infinity, -Infinity]) wrong([0, 0, bad], {}, "ERR_VALUE", /finite logits, got .* at 2/);
  wrong([], {}, "ERR_VALUE", /at least one logit/);
  for (const temperature of [-1, NaN, Infinity]) wrong([0], { temperature }, "ERR_VALUE", /temperature/);
  for (const topK of [0, 1.5, -1, NaN]) wrong([0], { topK }, "ERR_VALUE", /topK/);
  for (const topP of [0, 1.1, NaN]) wrong([0], { topP }, "ERR_VALUE", /topP/);
  wrong([0], { random: new Random(1), seed: 1 }, "ERR_OPTION", /both/);
  wrong([0], { temprature: 1 }, "ERR_OPTION", /did you mean "temperature"/);
  wrong([0], { seed: 0.5 }, "ERR_VALUE", /seed/);
  assert.is(sample([0], { temperature: undefined, topK: undefined, topP: undefined, seed: undefined }), 0);
});

test.run();
