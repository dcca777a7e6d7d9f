// Reductions: exact sums of every shape, errors that stay small, largest elements with ties and NaN.
import * as assert from "uvu/assert";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { close, exact, LENGTHS, real, same } from "../../support/numbers.ts";

const SHAPES = [0, 1, 3].flatMap((outer) =>
  [0, 1, 2, 33, 70].flatMap((n) => [1, 2, 4, 5, 8, 11, 16, 31].map((inner) => [outer, n, inner] as const)),
);

/** Σ or max down the middle axis, in f64. */
function reduce(
  x: Float32Array,
  [outer, n, inner]: readonly [number, number, number],
  f: (column: number[]) => number,
): number[] {
  return Array.from({ length: outer * inner }, (_, at) => {
    const [o, i] = [Math.floor(at / inner), at % inner];
    return f(Array.from({ length: n }, (_, k) => x[(o * n + k) * inner + i]!));
  });
}
const total = (column: number[]): number => column.reduce((sum, value) => sum + value, 0);
const largest = (column: number[]): number => {
  const nan = column.findIndex(Number.isNaN);
  return nan >= 0 ? nan : column.indexOf(Math.max(...column));
};

eachBuild("vec_reduce", (test, sandbox) => {
  const { kernels } = sandbox;

  test("rsum over any axis, and its gradient", () => {
    for (const shape of SHAPES) {
      const [outer, n, inner] = shape;
      const [x, y] = [sandbox.f32(exact(outer * n * inner)), sandbox.f32(outer * inner)];
      kernels.f32_rsum(outer, n, inner, x.ptr, y.ptr);
      same(y.data, reduce(x.data, shape, total), `${shape}`);
      const back = sandbox.f32(outer * n * inner);
      kernels.f32_repeat(outer, n, inner, y.ptr, back.ptr);
      same(
        back.data,
        back.data.map((_, at) => y.data[Math.floor(at / (n * inner)) * inner + (at % inner)]!),
        `repeat ${shape}`,
      );
    }
  });

  test("rsum_rows_acc adds columns of strided rows to what is there", () => {
    for (const live of [undefined, 0, 5, 1000]) {
      for (const [M, N, gap] of [
        [0, 3, 0],
        [1, 8, 0],
        [7, 13, 3],
        [32, 4, 0],
        [33, 16, 1],
        [65, 31, 0],
        [100, 257, 2],
      ] as const) {
        const [x, y] = [sandbox.f32(exact(M * (N + gap))), sandbox.f32(exact(N, 3))];
        const rows = Math.min(M, live ?? M);
        const want = y.data.map((value, n) => {
          for (let m = 0; m < rows; m++) value += x.data[m * (N + gap) + n]!;
          return value;
        });
        kernels.f32_rsum_rows_acc(M, live === undefined ? 0 : sandbox.i32([live]).ptr, N, x.ptr, N + gap, y.ptr);
        same(y.data, want, `${M} ${N} live ${live}`);
      }
    }
  });

  test("the error of a sum does not grow with the count", () => {
    // 0.1 in float, added one after the other, is off by 1 % after four million
    const n = 1 << 22;
    const x = sandbox.f32(new Float32Array(n).fill(0.1));
    const y = sandbox.f32(4);
    const want = n * Math.fround(0.1);
    kernels.f32_rsum(1, n, 1, x.ptr, y.ptr);
    assert.ok(Math.abs(y.data[0]! / want - 1) < 1e-6, `row: ${y.data[0]}`);
    kernels.f32_rsum(1, n / 4, 4, x.ptr, y.ptr);
    for (const sum of y.data) assert.ok(Math.abs(sum / (want / 4) - 1) < 1e-6, `columns: ${sum}`);
    y.data.fill(0);
    kernels.f32_rsum_rows_acc(n / 4, 0, 4, x.ptr, 4, y.ptr);
    for (const sum of y.data) assert.ok(Math.abs(sum / (want / 4) - 1) < 1e-6, `rows: ${sum}`);
    kernels.f32_rdot(n, x.ptr, x.ptr, y.ptr);
    assert.ok(Math.abs(y.data[0]! / (want * Math.fround(0.1)) - 1) < 1e-6, `dot: ${y.data[0]}`);
  });

  test("rdot", () => {
    for (const n of [...LENGTHS, 511, 512, 513, 1029]) {
      const [a, b, y] = [sandbox.f32(exact(n)), sandbox.f32(exact(n, 9)), sandbox.f32(1)];
      kernels.f32_rdot(n, a.ptr, b.ptr, y.ptr);
      assert.is(y.data[0], total(Array.from(a.data, (value, i) => value * b.data[i]!)), `n ${n}`);
    }
  });

  test("rsumsq_acc squares in double: no overflow, no underflow", () => {
    for (const n of LENGTHS) {
      const [x, y] = [sandbox.f32(exact(n)), sandbox.f64([0.5])];
      kernels.f32_rsumsq_acc(n, x.ptr, y.ptr);
      assert.is(y.data[0], 0.5 + total(Array.from(x.data, (value) => value * value)), `n ${n}`);
    }
    const [x, y] = [sandbox.f32([3e38, 3e-30, 1]), sandbox.f64([0])];
    kernels.f32_rsumsq_acc(1, x.ptr, y.ptr);
    assert.is(y.data[0], Math.fround(3e38) ** 2);
    y.data[0] = 0;
    kernels.f32_rsumsq_acc(1, x.ptr + 4, y.ptr);
    assert.is(y.data[0], Math.fround(3e-30) ** 2);
    for (const bad of [NaN, Infinity]) {
      const [z, sum] = [sandbox.f32([1, 2, 3, 4, bad]), sandbox.f64([0])];
      kernels.f32_rsumsq_acc(5, z.ptr, sum.ptr);
      assert.not(Number.isFinite(sum.data[0]));
    }
  });

  test("rmax: values, the first of equals, NaN before all, and the gradient to that place", () => {
    for (const shape of SHAPES) {
      const [outer, n, inner] = shape;
      if (n === 0) continue;
      for (const data of [exact(outer * n * inner), real(outer * n * inner)]) {
        // every 13th element NaN or −Infinity in one of the two
        if (n > 2)
          data.forEach((_, i) => {
            if (i % 13 === 7) data[i] = data[0]! > 0 ? NaN : -Infinity;
          });
        const [x, y, arg] = [sandbox.f32(data), sandbox.f32(outer * inner), sandbox.i32(outer * inner)];
        kernels.f32_rmax_fwd(outer, n, inner, x.ptr, y.ptr, arg.ptr);
        const where = reduce(data, shape, largest);
        same(arg.data, where, `arg ${shape}`);
        const from = (at: number): number => (Math.floor(at / inner) * n + where[at]!) * inner + (at % inner);
        same(
          y.data,
          where.map((_, at) => data[from(at)]!),
          `max ${shape}`,
        );

        const [dy, dx] = [sandbox.f32(exact(outer * inner, 1)), sandbox.f32(outer * n * inner)];
        kernels.f32_rmax_bwd(outer, n, inner, arg.ptr, dy.ptr, dx.ptr);
        const want = new Float32Array(dx.data.length);
        dy.data.forEach((value, at) => {
          want[from(at)] = value;
        });
        same(dx.data, want, `gradient ${shape}`);
      }
    }
  });

  test("rargmax: every place in rows of every length", () => {
    for (const N of LENGTHS.filter((n) => n > 0 && n < 100)) {
      const rows = Array.from({ length: N }, (_, m) => real(N, m).map((value, n) => (n === m ? 2 : value)));
      const ties = Array.from({ length: N }, (_, m) => new Float32Array(N).fill(1, m).fill(NaN, Math.min(N, m + 3)));
      for (const matrix of [rows, ties]) {
        const [x, y] = [sandbox.f32(matrix.flatMap((row) => [...row])), sandbox.i32(N)];
        kernels.i32_rargmax(N, N, x.ptr, y.ptr);
        same(
          y.data,
          matrix.map((row) => largest([...row])),
          `N ${N}`,
        );
      }
    }
  });

  test("agrees with its twin on real data", () => {
    const [outer, n, inner] = [3, 301, 11];
    const [mine, theirs] = [sandbox, new Sandbox("reference")].map((box) => {
      const [x, y, sums, dot] = [
        box.f32(real(outer * n * inner)),
        box.f32(outer * inner),
        box.f32(real(inner, 4)),
        box.f32(1),
      ];
      box.kernels.f32_rsum(outer, n, inner, x.ptr, y.ptr);
      box.kernels.f32_rsum_rows_acc(outer * n, 0, inner, x.ptr, inner, sums.ptr);
      box.kernels.f32_rdot(n, x.ptr, x.ptr + 4 * n, dot.ptr);
      return [...y.data, ...sums.data, ...dot.data];
    });
    close(mine!, theirs!, 1e-6);
  });
});
