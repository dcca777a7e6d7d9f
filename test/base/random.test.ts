import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ValueError } from "../../bindings/base/errors.ts";
import { Random, randomSeed } from "../../bindings/base/random.ts";

const test = suite("random");
const take = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

test("the first numbers of a seed never change", () => {
  const random = new Random(42);
  assert.equal(
    take(4, () => random.next()),
    [656401615, 478193053, 3278332503, 1360198844],
  );
  assert.equal(
    take(3, () => random.uniform()),
    [0.3520738482475281, 0.6252355575561523, 0.7656229734420776],
  );
  assert.equal(
    take(4, () => random.normal()),
    [0.8454297865709963, 0.16038995833471412, 1.1238004940230044, 0.761953720910109],
  );
  assert.equal(
    take(8, () => random.below(100)),
    [2, 25, 46, 95, 33, 43, 61, 70],
  );
  assert.equal(random.fork("kernel").next(), 986420587);
});

test("seeds differ, and both halves of a seed count", () => {
  const firsts = [0, 1, 2, -1, 2 ** 32, 2 ** 33, -(2 ** 40)].map((seed) => new Random(seed).next());
  assert.is(new Set(firsts).size, firsts.length);
  for (const seed of [0.5, NaN, Infinity, 2 ** 53])
    assert.throws(
      () => new Random(seed),
      (e: unknown) => e instanceof ValueError,
    );
});

test("u32, [0, 1) and [0, n)", () => {
  const random = new Random(1);
  for (let i = 0; i < 10000; i++) {
    const bits = random.next();
    assert.ok(bits === bits >>> 0);
    const x = random.uniform();
    assert.ok(x >= 0 && Math.fround(x) < 1 && Math.fround(x) === x);
    const k = random.below(7);
    assert.ok(Number.isInteger(k) && k >= 0 && k < 7);
  }
  assert.is(random.below(1), 0);
  assert.ok(random.below(2 ** 32) < 2 ** 32);
  for (const n of [0, -1, 1.5, NaN, 2 ** 33])
    assert.throws(
      () => random.below(n),
      (e: unknown) => e instanceof ValueError,
    );
});

test("below is even where the modulus would not be", () => {
  const random = new Random(3);
  const n = 3 * 2 ** 30; // a plain remainder would hit the first third twice as often
  let low = 0;
  for (let i = 0; i < 30000; i++) if (random.below(n) < 2 ** 30) low++;
  assert.ok(Math.abs(low - 10000) < 500, `${low} of 30000 in the first third`);
});

test("moments and tails of the distributions", () => {
  const random = new Random(7);
  const n = 200000;
  let sum = 0,
    squares = 0,
    fourths = 0,
    beyond = 0,
    mean = 0;
  for (let i = 0; i < n; i++) {
    const x = random.normal();
    sum += x;
    squares += x * x;
    fourths += x ** 4;
    if (Math.abs(x) > 1.959964) beyond++;
    mean += random.uniform();
  }
  assert.ok(Math.abs(sum / n) < 0.01);
  assert.ok(Math.abs(squares / n - 1) < 0.015);
  assert.ok(Math.abs(fourths / n - 3) < 0.12);
  assert.ok(Math.abs(beyond / n - 0.05) < 0.002);
  assert.ok(Math.abs(mean / n - 0.5) < 0.003);
});

test("bits are balanced and neighbours do not correlate", () => {
  const random = new Random(0);
  const ones = new Array<number>(32).fill(0);
  let former = random.uniform(),
    correlation = 0;
  const n = 50000;
  for (let i = 0; i < n; i++) {
    const bits = random.next();
    for (let k = 0; k < 32; k++) ones[k] += (bits >>> k) & 1;
    const x = random.uniform();
    correlation += (x - 0.5) * (former - 0.5);
    former = x;
  }
  for (const count of ones) assert.ok(Math.abs(count / n - 0.5) < 0.012);
  assert.ok(Math.abs((12 * correlation) / n) < 0.02);
});

test("no function that engines round differently", () => {
  const names = ["exp", "log", "sin", "cos", "tan", "pow", "log1p", "expm1", "tanh", "hypot"] as const;
  const kept = names.map((name) => Math[name]);
  const forbidden = (): never => {
    throw new Error("not portable");
  };
  try {
    for (const name of names) (Math as unknown as Record<string, unknown>)[name] = forbidden;
    const random = new Random(5);
    for (let i = 0; i < 100; i++) random.normal();
    random.shuffle(new Int32Array(50));
    random.fork("x").below(9);
  } finally {
    names.forEach((name, i) => ((Math as unknown as Record<string, unknown>)[name] = kept[i]));
  }
});

test("shuffle permutes, each order equally often", () => {
  const random = new Random(11);
  const order = Int32Array.from({ length: 1000 }, (_, i) => i);
  random.shuffle(order);
  assert.is.not(
    order.every((k, i) => k === i),
    true,
  );
  assert.equal(
    [...order].sort((a, b) => a - b),
    take(
      1000,
      (
        (i) => () =>
          i++
      )(0),
    ),
  );
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const three = Int32Array.of(0, 1, 2);
    random.shuffle(three);
    counts.set(three.join(), (counts.get(three.join()) ?? 0) + 1);
  }
  assert.is(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150);
  random.shuffle(new Int32Array(0));
});

test("state goes through JSON and back", () => {
  const random = new Random(9);
  random.next();
  const state = JSON.parse(JSON.stringify(random.state));
  const expected = take(5, () => random.normal());
  const other = new Random(0);
  other.state = state;
  assert.equal(
    take(5, () => other.normal()),
    expected,
  );
});

test("fork leaves the parent where it is and depends on the label only", () => {
  const random = new Random(9);
  const before = random.state;
  const kernel = random.fork("kernel").next();
  assert.equal(random.state, before);
  random.fork("bias");
  assert.is(random.fork("kernel").next(), kernel);
  const firsts = ["kernel", "bias", "lstm/kernel", 0, 1, 2].map((label) => random.fork(label).next());
  assert.is(new Set(firsts).size, firsts.length);
  random.next();
  assert.is.not(random.fork("kernel").next(), kernel);
  assert.is.not(new Random(10).fork("kernel").next(), kernel);
});

test("randomSeed is a u32 that starts a generator", () => {
  const seeds = take(20, randomSeed);
  for (const seed of seeds) assert.is(seed, seed >>> 0);
  assert.ok(new Set(seeds).size > 15);
  new Random(randomSeed());
});

test.run();
