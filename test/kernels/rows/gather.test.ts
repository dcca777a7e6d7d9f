// Rows by index: every width around a vector, strides, missing rows, live counts.
import * as assert from "uvu/assert";
import { eachBuild } from "../../support/builds.ts";

const WIDTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 64, 97, 256, 257];
const ROWS = 9; // of the table
const SPECIAL = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38];

/** Distinct numbers that are exact in f32 under addition, every 11th one special. */
const value = (i: number): number => (i % 11 === 5 ? SPECIAL[i % SPECIAL.length]! : (i % 4001) - 2000);
const plain = (i: number): number => (i % 4001) - 2000;
const pick = (m: number): number => (m % 5 === 3 ? -1 - m : (m * 7) % ROWS);
const same = (a: ArrayLike<number>, b: ArrayLike<number>, what: string): void => {
  assert.is(a.length, b.length, what);
  for (let i = 0; i < a.length; i++) assert.ok(Object.is(a[i], b[i]), `${what}: [${i}] expected ${b[i]}, got ${a[i]}`);
};

eachBuild("gather", (test, sandbox) => {
  for (const live of [undefined, 0, 3, 100]) {
    test(`gathers rows, live ${live}`, () => {
      for (const W of WIDTHS) {
        for (const M of [0, 1, 6, 13]) {
          for (const gap of [0, 3]) {
            const [ldx, ldy] = [W + gap, W + 2 * gap];
            const x = sandbox.f32(Float32Array.from({ length: ROWS * ldx }, (_, i) => value(i)));
            const y = sandbox.f32(Float32Array.from({ length: M * ldy }, (_, i) => i + 0.5));
            const expected = Float32Array.from(y.data);
            const index = sandbox.i32(Array.from({ length: M }, (_, m) => pick(m)));
            for (let m = 0; m < Math.min(M, live ?? M); m++) {
              for (let w = 0; w < W; w++) expected[m * ldy + w] = pick(m) < 0 ? 0 : x.data[pick(m) * ldx + w]!;
            }
            const count = live === undefined ? 0 : sandbox.i32([live]).ptr;
            sandbox.kernels.f32_gather_rows(M, count, W, x.ptr, ldx, index.ptr, y.ptr, ldy);
            same(y.data, expected, `W ${W} M ${M} gap ${gap}`);
          }
        }
        sandbox.checkGuards();
        sandbox.reset();
      }
    });

    test(`scatters rows, live ${live}`, () => {
      for (const W of WIDTHS) {
        for (const M of [0, 1, 6, 40]) {
          for (const gap of [0, 3]) {
            const [ldx, ldy] = [W + 2 * gap, W + gap];
            const x = sandbox.f32(Float32Array.from({ length: M * ldx }, (_, i) => plain(i)));
            const y = sandbox.f32(Float32Array.from({ length: ROWS * ldy }, (_, i) => plain(i * 3)));
            const expected = Float32Array.from(y.data);
            const index = sandbox.i32(Array.from({ length: M }, (_, m) => pick(m)));
            for (let m = 0; m < Math.min(M, live ?? M); m++) {
              for (let w = 0; w < W && pick(m) >= 0; w++) expected[pick(m) * ldy + w]! += x.data[m * ldx + w]!;
            }
            const count = live === undefined ? 0 : sandbox.i32([live]).ptr;
            sandbox.kernels.f32_scatter_rows_acc(M, count, W, x.ptr, ldx, index.ptr, y.ptr, ldy);
            same(y.data, expected, `W ${W} M ${M} gap ${gap}`);
          }
        }
        sandbox.checkGuards();
        sandbox.reset();
      }
    });

    test(`gathers integers, in place too, live ${live}`, () => {
      for (const M of [0, 1, 6, 40]) {
        const x = sandbox.i32(Array.from({ length: ROWS }, (_, i) => i * 1000003 - 7));
        const index = sandbox.i32(Array.from({ length: M }, (_, m) => pick(m)));
        const y = sandbox.i32(M);
        const count = live === undefined ? 0 : sandbox.i32([live]).ptr;
        const expected = Array.from(index.data, (i, m) => (m >= (live ?? M) ? -123456789 : i < 0 ? 0 : x.data[i]!));
        sandbox.kernels.i32_gather(M, count, x.ptr, index.ptr, y.ptr);
        assert.equal(Array.from(y.data), expected);
        const inPlace = Array.from(index.data, (i, m) => (m >= (live ?? M) ? i : expected[m]!));
        sandbox.kernels.i32_gather(M, count, x.ptr, index.ptr, index.ptr);
        assert.equal(Array.from(index.data), inPlace);
      }
    });
  }

  test("scatters infinities and NaN like any addition", () => {
    const x = sandbox.f32([Infinity, NaN, -0, 1e-40, Infinity]);
    const y = sandbox.f32([-Infinity, 1, -0, 1e-40, 1]);
    sandbox.kernels.f32_scatter_rows_acc(1, 0, 5, x.ptr, 5, sandbox.i32([0]).ptr, y.ptr, 5);
    same(y.data, Float32Array.of(NaN, NaN, -0, Math.fround(1e-40) * 2, Infinity), "specials");
  });
});
