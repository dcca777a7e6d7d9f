// Softmax and its logarithm against sums in double precision, for every build.
import * as assert from "uvu/assert";
import { eachBuild, type Block } from "../../support/builds.ts";
import { close, real } from "../../support/numbers.ts";

const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 65, 97, 256];
const BOUND = 1e-6;
const rowsOf = (data: ArrayLike<number>, N: number): number[][] =>
  Array.from({ length: data.length / N }, (_, m) => Array.from({ length: N }, (_, n) => data[m * N + n]!));

const total = (list: number[]): number => list.reduce((a, b) => a + b, 0);

function probabilities(row: number[]): number[] {
  const top = Math.max(...row);
  const e = row.map((x) => Math.exp(x - top));
  return e.map((value) => value / total(e));
}

function logProbabilities(row: number[]): number[] {
  const top = Math.max(...row);
  const logSum = Math.log(total(row.map((x) => Math.exp(x - top))));
  return row.map((x) => x - top - logSum);
}

const KINDS = {
  softmax: {
    forward: probabilities,
    backward: (y: number[], dy: number[]) => y.map((p, n) => p * (dy[n]! - total(y.map((q, k) => q * dy[k]!)))),
  },
  log_softmax: {
    forward: logProbabilities,
    backward: (y: number[], dy: number[]) => y.map((p, n) => dy[n]! - Math.exp(p) * total(dy)),
  },
};

eachBuild("softmax", (test, sandbox) => {
  for (const [name, kind] of Object.entries(KINDS) as [keyof typeof KINDS, typeof KINDS.softmax][]) {
    const forward = sandbox.kernels[`f32_${name}_fwd`];
    const backward = sandbox.kernels[`f32_${name}_bwd`];

    test(`${name}: every width, logits large and small`, () => {
      for (const N of COLUMNS) {
        for (const M of [0, 1, 5]) {
          for (const scale of [0, 1, 30, 1e4, 1e30]) {
            sandbox.reset();
            const x = sandbox.f32(real(M * N, N, scale));
            const y = sandbox.f32(M * N);
            forward(M, N, x.ptr, y.ptr);
            const expected = rowsOf(x.data, N).map(kind.forward);
            // a logarithm has its bound per row: rows differ in size
            rowsOf(y.data, N).forEach((row, m) => close(row, expected[m]!, BOUND, `M ${M} N ${N} scale ${scale}`));
            forward(M, N, x.ptr, x.ptr);
            assert.equal(x.data, y.data, "in place");
            sandbox.checkGuards();
          }
        }
      }
    });

    test(`${name}: an offset common to all logits changes nothing`, () => {
      const N = 37;
      const steps = Float32Array.from({ length: N }, (_, n) => ((n * 13) % N) / 4);
      const [y, z] = [sandbox.f32(N), sandbox.f32(N)];
      forward(1, N, sandbox.f32(steps).ptr, y.ptr);
      forward(1, N, sandbox.f32(steps.map((x) => x + 1e6)).ptr, z.ptr);
      assert.equal(z.data, y.data);
    });

    test(`${name}: gradients, in place of dy and y too`, () => {
      for (const N of COLUMNS) {
        for (const M of [0, 1, 5]) {
          sandbox.reset();
          const y = sandbox.f32(rowsOf(real(M * N, N, 4), N).flatMap(kind.forward));
          const dy = sandbox.f32(real(M * N, N + 1));
          const dx = sandbox.f32(M * N);
          backward(M, N, y.ptr, dy.ptr, dx.ptr);
          const [Y, D] = [rowsOf(y.data, N), rowsOf(dy.data, N)];
          const bound = BOUND * Math.sqrt(N);
          rowsOf(dx.data, N).forEach((row, m) => {
            const off = kind
              .backward(Y[m]!, D[m]!)
              .map((value, n) => (row[n]! - value) / Math.max(...D[m]!.map(Math.abs)));
            assert.ok(
              off.every((e) => Math.abs(e) <= bound),
              `M ${M} N ${N}: off by ${Math.max(...off.map(Math.abs))}`,
            );
          });
          const inPlace = (over: Block<Float32Array>): void => {
            const copies = [sandbox.f32(y.data), sandbox.f32(dy.data)];
            const target = over === y ? copies[0]! : copies[1]!;
            backward(M, N, copies[0]!.ptr, copies[1]!.ptr, target.ptr);
            assert.equal(target.data, dx.data, "in place");
          };
          inPlace(y);
          inPlace(dy);
          sandbox.checkGuards();
        }
      }
    });
  }

  test("a logit of −Inf has probability 0; rows without a finite largest logit are NaN", () => {
    const rows = [
      [-Infinity, 1, 1, -Infinity, 1],
      [-Infinity, -Infinity, -Infinity, -Infinity, 2],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [1, 2, 3, 4, NaN],
      [NaN, 2, 3, 4, 1],
      [1, Infinity, 3, 4, 5],
    ];
    const y = sandbox.f32(30);
    sandbox.kernels.f32_softmax_fwd(6, 5, sandbox.f32(rows.flat()).ptr, y.ptr);
    const third = Math.fround(1 / 3);
    close(y.data, [0, third, third, 0, third, 0, 0, 0, 0, 1, ...Array<number>(20).fill(NaN)], 1e-7);
    sandbox.kernels.f32_log_softmax_fwd(6, 5, sandbox.f32(rows.flat()).ptr, y.ptr);
    const low = -Infinity;
    close(
      y.data,
      [low, -Math.log(3), -Math.log(3), low, -Math.log(3), low, low, low, low, 0, ...Array<number>(20).fill(NaN)],
      2e-7,
    );
  });
});
