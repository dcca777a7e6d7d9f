/** Numbers for kernel tests, and the two ways of comparing them. */
import * as assert from "uvu/assert";

/** Zeros of both signs, infinities, NaN, subnormals and the ends of the range. */
export const SPECIALS = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 1.1754943508222875e-38, 3.4028234663852886e38];

/** Lengths around vectors of four and unrolled loops: none, one, tails, several tiles, primes. */
export const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 97, 256, 257];

/** Quarters in −4…4: sums and products of a few of them are exact in a float. */
export function exact(n: number, salt = 0): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => (((i + salt) * 7919) % 33) / 4 - 4);
}

/** Reals in −scale…scale that have no pattern a kernel could profit from. */
export function real(n: number, salt = 0, scale = 1): Float32Array {
  let state = (salt * 0x9e3779b9 + 1) | 0;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 13)) / 2 ** 31) * scale;
  });
}

/** The same floats, signs of zeros included; any NaN equals any other. */
export function same(actual: ArrayLike<number>, expected: ArrayLike<number>, what = ""): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i]))
      assert.unreachable(`${what}: [${i}] expected ${expected[i]}, got ${actual[i]}`);
  }
}

/** Equal up to `bound` times the largest finite magnitude expected; NaN and infinities must be the same. */
export function close(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number, what = ""): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  let largest = 0;
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const good = Number.isFinite(e) ? Math.abs(a - e) <= bound * largest : Object.is(a, e);
    if (!good) assert.unreachable(`${what}: [${i}] expected ${e}, got ${a}, bound ${bound * largest}`);
  }
}
