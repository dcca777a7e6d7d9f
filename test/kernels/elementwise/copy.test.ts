// Moving elements: strided copies against index arithmetic, conversions at the ends of the range, one-hot rows.
import * as assert from "uvu/assert";
import { eachBuild } from "../../support/builds.ts";
import { exact, LENGTHS, same, SPECIALS } from "../../support/numbers.ts";

type Axis = readonly [size: number, strideX: number, strideY: number];

/** Every pair of element offsets of a strided copy. */
function* offsets([axis, ...inner]: readonly Axis[], x = 0, y = 0): Generator<[number, number]> {
  if (axis === undefined) yield [x, y];
  else for (let i = 0; i < axis[0]; i++) yield* offsets(inner, x + i * axis[1], y + i * axis[2]);
}

/** name → where x starts, the axes, whether y's elements are written more than once. */
const LOOPS: Record<string, { start?: number; axes: Axis[]; sums?: boolean }> = {
  "a row": { axes: [[97, 1, 1]] },
  "one element": { axes: [[1, 1, 1]] },
  nothing: {
    axes: [
      [3, 5, 5],
      [0, 1, 1],
    ],
  },
  "rows with gaps": {
    axes: [
      [5, 20, 17],
      [17, 1, 1],
    ],
  },
  "short rows": {
    axes: [
      [9, 3, 3],
      [3, 1, 1],
    ],
  },
  "a transpose": {
    axes: [
      [6, 1, 7],
      [7, 6, 1],
    ],
  },
  "time before batch": {
    axes: [
      [4, 8, 40],
      [5, 32, 8],
      [8, 1, 1],
    ],
  },
  "a broadcast scalar": { axes: [[33, 0, 1]] },
  "a broadcast row": {
    axes: [
      [4, 0, 19],
      [19, 1, 1],
    ],
  },
  "a broadcast column": {
    axes: [
      [4, 1, 6],
      [6, 0, 1],
    ],
  },
  "time reversed": {
    start: 24,
    axes: [
      [4, -8, 8],
      [8, 1, 1],
    ],
  },
  "reversed to the element": { start: 30, axes: [[31, -1, 1]] },
  "every other element": { axes: [[13, 2, 3]] },
  "eight axes": {
    axes: [
      [2, 1, 128],
      [2, 2, 64],
      [2, 4, 32],
      [2, 8, 16],
      [2, 16, 8],
      [2, 32, 4],
      [2, 64, 2],
      [2, 128, 1],
    ],
  },
  "a sum of a row": {
    axes: [
      [3, 35, 1],
      [35, 1, 0],
    ],
    sums: true,
  },
  "a sum of rows": {
    axes: [
      [6, 11, 0],
      [11, 1, 1],
    ],
    sums: true,
  },
  "a sum of columns": {
    axes: [
      [11, 1, 0],
      [6, 11, 1],
    ],
    sums: true,
  },
  "a sum of everything": {
    axes: [
      [5, 13, 0],
      [13, 1, 0],
    ],
    sums: true,
  },
};

eachBuild("copy", (test, sandbox) => {
  const { kernels } = sandbox;

  for (const [name, { start = 0, axes, sums }] of Object.entries(LOOPS)) {
    test(`strided: ${name}`, () => {
      const spec = sandbox.i32([axes.length, ...axes.flat()]);
      const pairs = [...offsets(axes)];
      const ends = pairs.map(([, to]) => to + 1);
      const x = sandbox.f32(exact(512));
      const from = x.ptr + 4 * start;

      const y = sandbox.f32(exact(Math.max(0, ...ends), 3));
      const copied = Float32Array.from(y.data);
      const added = Float32Array.from(y.data);
      for (const [px, py] of pairs) {
        copied[py] = x.data[start + px]!;
        added[py] += x.data[start + px]!;
      }
      kernels.f32_copy_strided_acc(spec.ptr, from, y.ptr);
      same(y.data, added, "added");
      if (sums) return;
      y.data.set(exact(y.data.length, 3));
      kernels.f32_copy_strided(spec.ptr, from, y.ptr);
      same(y.data, copied, "copied");
    });
  }

  test("fill and copy", () => {
    for (const n of LENGTHS) {
      const [x, y] = [
        sandbox.f32(Float32Array.from({ length: n }, (_, i) => SPECIALS[i % SPECIALS.length]!)),
        sandbox.f32(n),
      ];
      kernels.f32_copy(n, x.ptr, y.ptr);
      same(y.data, x.data, `copy ${n}`);
      kernels.f32_fill(n, y.ptr, -0);
      same(y.data, new Float32Array(n).fill(-0), `fill ${n}`);
    }
  });

  test("tiny numbers become 0, and the first that is not finite is found", () => {
    const tiny = [1e-31, -9.9e-31, 1e-38, -1e-45, 0, -0];
    const kept = [1e-30, -1e-30, 1, -3e38];
    for (const n of LENGTHS) {
      const values = Float32Array.from({ length: n }, (_, i) => (i % 3 ? tiny : kept)[i % 4]!);
      const x = sandbox.f32(values);
      assert.is(kernels.f32_flush(n, x.ptr), -1);
      same(
        x.data,
        values.map((value) => (Math.abs(value) < Math.fround(1e-30) ? 0 : value)),
        `n ${n}`,
      );
      for (const odd of [NaN, Infinity, -Infinity]) {
        for (const at of [0, n >> 1, n - 1].filter((i) => i >= 0 && i < n)) {
          const y = sandbox.f32(values);
          y.data[at] = odd;
          assert.is(kernels.f32_flush(n, y.ptr), at, `${odd} of ${n}`);
        }
      }
    }
  });

  test("integers to floats and back, in place too", () => {
    for (const n of LENGTHS) {
      const integers = Int32Array.from({ length: n }, (_, i) => (i % 3 ? i * 12345 : -i * 77));
      const [x, y] = [sandbox.i32(integers), sandbox.f32(n)];
      kernels.i32_to_f32(n, x.ptr, y.ptr);
      same(y.data, Float32Array.from(integers), `n ${n}`);
      kernels.f32_to_i32(n, y.ptr, x.ptr);
      same(x.data, Int32Array.from(Float32Array.from(integers)), `back ${n}`);
      kernels.i32_to_f32(n, x.ptr, x.ptr);
      same(new Float32Array(sandbox.buffer, x.ptr, n), y.data, `in place ${n}`);
    }
    const x = sandbox.f32([1.9, -1.9, 0.5, -0, NaN, Infinity, -Infinity, 3e9, -3e9, 1e-40]);
    const y = sandbox.i32(10);
    kernels.f32_to_i32(10, x.ptr, y.ptr);
    same(y.data, [1, -1, 0, 0, 0, 2147483647, -2147483648, 2147483647, -2147483648, 0]);
  });

  test("one-hot rows, none for an index outside", () => {
    for (const [M, N] of [
      [0, 4],
      [1, 1],
      [7, 5],
      [9, 33],
    ] as const) {
      const index = sandbox.i32(Array.from({ length: M }, (_, m) => (m % 4 === 3 ? (m % 8 === 3 ? -1 : N) : m % N)));
      const y = sandbox.f32(M * N);
      kernels.f32_one_hot(M, N, index.ptr, y.ptr);
      same(
        y.data,
        y.data.map((_, at) => Number(index.data[Math.floor(at / N)] === at % N)),
        `${M} ${N}`,
      );
    }
  });
});
