// Dropout: the same elements in every build, the right share of them, and no two masks alike.
import * as assert from "uvu/assert";
import { hasher } from "../../../bindings/reference/elementwise/dropout.ts";
import { eachBuild, type Sandbox } from "../../support/builds.ts";

const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 97, 1024];
const LONG = 1 << 16;
/** Standard deviations that a sum of independent draws stays within, several hundred times over. */
const SIGMAS = 4.5;

interface Where {
  seed: number;
  counter: number;
  site: number;
}

function mask(sandbox: Sandbox, n: number, rate: number, { seed, counter, site }: Where): Float32Array {
  const y = sandbox.f32(n);
  sandbox.kernels.f32_dropout_mask(n, sandbox.i32([seed, counter, 0]).ptr, y.ptr, site, 0, rate);
  return y.data;
}

/** Which elements are dropped, as −1 and 1 scaled to mean 0 and variance 1. */
function normalized(data: Float32Array, rate: number): Float64Array {
  const deviation = Math.sqrt(rate * (1 - rate));
  return Float64Array.from(data, (value) => ((value === 0 ? 1 : 0) - rate) / deviation);
}

/** Sum of products of n independent pairs, in standard deviations; the second sequence starts `lag` later. */
function correlation(a: Float64Array, b: Float64Array, lag = 0): number {
  let sum = 0;
  for (let i = 0; i + lag < b.length; i++) sum += a[i]! * b[i + lag]!;
  return sum / Math.sqrt(b.length - lag);
}

eachBuild("dropout", (test, sandbox) => {
  const where = { seed: 0xdeadbeef | 0, counter: 77, site: 3 };

  test("drops what the hash says, scales the rest, in place too", () => {
    for (const n of SIZES) {
      for (const rate of [0.1, 0.25, 0.5, 0.9]) {
        const x = sandbox.f32(Float32Array.from({ length: n }, (_, i) => (i % 17) - 8.25));
        const y = sandbox.f32(n);
        const state = sandbox.i32([where.seed, where.counter, 0]).ptr;
        sandbox.kernels.f32_dropout_fwd(n, x.ptr, state, y.ptr, where.site, 0, rate);
        const hash = hasher(where.seed, where.counter, where.site);
        const scale = Math.fround(1 / Math.fround(1 - Math.fround(rate)));
        const expected = Float32Array.from(x.data, (value, i) =>
          (hash(i) >>> 8) / 2 ** 24 < Math.fround(rate) ? 0 : value * scale,
        );
        assert.equal(y.data, expected);
        assert.equal(
          mask(sandbox, n, rate, where),
          expected.map((value) => (value === 0 ? 0 : scale)),
        );
        sandbox.kernels.f32_dropout_fwd(n, x.ptr, state, x.ptr, where.site, 0, rate);
        assert.equal(x.data, expected);
      }
    }
  });

  test("a part of the rows drops what it would among all of them", () => {
    const [rows, row] = [7, 5];
    const whole = mask(sandbox, rows * row, 0.5, where);
    for (let first = 0; first < rows; first++) {
      const n = (rows - first) * row;
      const y = sandbox.f32(n);
      const state = sandbox.i32([where.seed, where.counter, first]).ptr;
      sandbox.kernels.f32_dropout_mask(n, state, y.ptr, where.site, row, 0.5);
      assert.equal(y.data, whole.slice(first * row));
      sandbox.kernels.f32_dropout_mask(n, state, y.ptr, where.site, 0, 0.5);
      assert.equal(y.data, whole.slice(0, n), "no rows: as from the first element");
    }
  });

  test("rate 0 keeps everything, rate 1 nothing, not even NaN", () => {
    const values = Float32Array.of(0, -0, Infinity, -Infinity, NaN, 1e-40, 3e38, -1, 2);
    const x = sandbox.f32(values);
    const state = sandbox.i32([1, 2, 0]).ptr;
    sandbox.kernels.f32_dropout_fwd(values.length, x.ptr, state, x.ptr, 0, 0, 0);
    for (let i = 0; i < values.length; i++) assert.ok(Object.is(x.data[i], values[i]));
    sandbox.kernels.f32_dropout_fwd(values.length, x.ptr, state, x.ptr, 0, 0, 1);
    assert.ok(x.data.every((value) => Object.is(value, 0)));
    assert.ok(mask(sandbox, LONG, 0, where).every((value) => value === 1));
  });

  test("drops the share asked for", () => {
    for (const rate of [0.001, 0.1, 0.2, 0.5, 0.75, 0.999]) {
      for (let counter = 0; counter < 8; counter++) {
        sandbox.reset();
        const dropped = mask(sandbox, LONG, rate, { seed: 5, counter, site: 1 }).filter((value) => value === 0).length;
        const deviation = Math.sqrt(rate * (1 - rate) * LONG);
        assert.ok(Math.abs(dropped - rate * LONG) < SIGMAS * deviation, `rate ${rate}: dropped ${dropped} of ${LONG}`);
      }
    }
  });

  test("neighbours, steps, sites and seeds have nothing to do with each other", () => {
    const rate = 0.3;
    const places: Where[] = [];
    for (const seed of [0, 1, 2, -1]) {
      for (const counter of [0, 1, 2, 256]) {
        for (const site of [0, 1, 2]) places.push({ seed, counter, site });
      }
    }
    const masks = places.map((place) => {
      sandbox.reset();
      return normalized(mask(sandbox, LONG / 4, rate, place), rate);
    });
    masks.forEach((a, i) => {
      for (const lag of [1, 2, 3, 4, 5, 8, 16, 64, 256]) {
        assert.ok(Math.abs(correlation(a, a, lag)) < SIGMAS, `lag ${lag} in ${JSON.stringify(places[i])}`);
      }
      masks.slice(0, i).forEach((b, j) => {
        assert.ok(Math.abs(correlation(a, b)) < SIGMAS, JSON.stringify([places[i], places[j]]));
      });
    });
    // the same measure finds a sequence that is only shifted
    assert.ok(correlation(masks[0]!.subarray(1), masks[0]!, 1) > 10 * SIGMAS);
  });

  test("every bit of seed, counter, site and number turns half of the bits", () => {
    const samples = 400;
    for (let word = 0; word < 4; word++) {
      for (let bit = 0; bit < 32; bit++) {
        let turned = 0;
        for (let k = 0; k < samples; k++) {
          const at = [k * 7, k >> 3, k & 7, k * 31];
          const other = at.map((value, w) => (w === word ? value ^ (1 << bit) : value));
          const bits = (v: number[]): number => hasher(v[0]!, v[1]!, v[2]!)(v[3]!);
          for (let d = bits(at) ^ bits(other); d !== 0; d &= d - 1) turned++;
        }
        // 32 bits of variance ¼ each; a tenth more for what a finite mixer leaves over
        const bound = 1.1 * SIGMAS * Math.sqrt(samples * 8);
        assert.ok(Math.abs(turned - samples * 16) < bound, `word ${word} bit ${bit}: ${turned / samples} of 32 bits`);
      }
    }
  });
});
