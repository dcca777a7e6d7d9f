// Cross-entropy of logits against the definition in double precision, for labels and for distributions.
import * as assert from "uvu/assert";
import { eachBuild, type Sandbox } from "../../support/builds.ts";
import { close, real, same } from "../../support/numbers.ts";

const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 65, 97];
const ROWS = [0, 1, 2, 5, 8];
const SCALES = [0, 1, 20, 1e4, 1e9, 1e30];
const OFFSETS = [0, 1e4, -1e4, 1e6];

/** One row: −Σ t ln p and its gradient, from the logits as they are in memory. */
function definition(x: ArrayLike<number>, t: ArrayLike<number>, dloss: number): { loss: number; dx: number[] } {
  const logits = Array.from(x);
  const top = Math.max(...logits);
  const logSum = Math.log(logits.reduce((sum, v) => sum + Math.exp(v - top), 0));
  const logP = logits.map((v) => v - top - logSum);
  const weight = Array.from(t).reduce((a, b) => a + b, 0);
  return {
    loss: logP.reduce((sum, v, n) => (t[n] === 0 ? sum : sum - t[n]! * v), 0),
    dx: logP.map((v, n) => dloss * (Math.exp(v) * weight - t[n]!)),
  };
}

/** Rows that are one-hot at the label, or all zero below 0. */
const oneHot = (label: number, N: number): number[] => Array.from({ length: N }, (_, n) => Number(n === label));

interface Case {
  M: number;
  N: number;
  x: Float32Array;
  dloss: Float32Array;
}

function run(sandbox: Sandbox, { M, N, x, dloss }: Case, kind: "sparse" | "dense", right: ArrayLike<number>) {
  const k = sandbox.kernels;
  const logits = sandbox.f32(x);
  const answers = kind === "sparse" ? sandbox.i32(right) : sandbox.f32(right);
  const [loss, lse, dx] = [sandbox.f32(M), sandbox.f32(M), sandbox.f32(M * N)];
  const d = sandbox.f32(dloss);
  const [forward, backward] =
    kind === "sparse"
      ? [k.f32_softmax_xent_sparse_fwd, k.f32_softmax_xent_sparse_bwd]
      : [k.f32_softmax_xent_dense_fwd, k.f32_softmax_xent_dense_bwd];
  forward(M, N, logits.ptr, answers.ptr, loss.ptr, lse.ptr);
  backward(M, N, logits.ptr, answers.ptr, lse.ptr, d.ptr, dx.ptr);
  backward(M, N, logits.ptr, answers.ptr, lse.ptr, d.ptr, logits.ptr);
  same(logits.data, dx.data, "in place");
  sandbox.checkGuards();
  return { loss: loss.data, dx: dx.data };
}

function check(got: ReturnType<typeof run>, { M, N, x, dloss }: Case, targets: number[][], what: string): void {
  for (let m = 0; m < M; m++) {
    const row = x.subarray(m * N, (m + 1) * N);
    const { loss, dx } = definition(row, targets[m]!, dloss[m]!);
    const weight = Math.max(
      1,
      targets[m]!.reduce((a, b) => a + b, 0),
    );
    const spread = Math.max(...row) - Math.min(...row); // what a loss can be made of
    assert.ok(
      Math.abs(got.loss[m]! - loss) <= 1e-6 * (1 + spread + Math.abs(loss)),
      `${what}: loss expected ${loss}, got ${got.loss[m]}`,
    );
    dx.forEach((value, n) => {
      const off = Math.abs(got.dx[m * N + n]! - value);
      assert.ok(
        off <= 2e-6 * weight * Math.abs(dloss[m]!),
        `${what}: dx[${m}, ${n}] expected ${value}, got ${got.dx[m * N + n]}`,
      );
    });
  }
}

function* cases(): Generator<Case & { what: string }> {
  for (const N of COLUMNS) {
    for (const M of ROWS) {
      for (const scale of SCALES) {
        const x = real(M * N, M + N, scale);
        const dloss = real(M, N, 3);
        for (const offset of scale > 20 ? [0] : OFFSETS) {
          yield {
            M,
            N,
            x: x.map((value) => value + offset),
            dloss,
            what: `M ${M} N ${N} scale ${scale} offset ${offset}`,
          };
        }
      }
    }
  }
}

eachBuild("softmax_xent", (test, sandbox) => {
  test("labels, some of them ignored", () => {
    for (const each of cases()) {
      sandbox.reset();
      const labels = Array.from({ length: each.M }, (_, m) => (m % 4 === 1 ? -1 - m : (m * 5 + 3) % each.N));
      check(
        run(sandbox, each, "sparse", labels),
        each,
        labels.map((label) => oneHot(label, each.N)),
        each.what,
      );
    }
  });

  test("distributions and weights that do not sum to one", () => {
    for (const each of cases()) {
      sandbox.reset();
      const targets = Array.from({ length: each.M }, (_, m) =>
        Array.from({ length: each.N }, (_, n) => ((n * 3 + m) % 5) / (m % 2 === 0 ? 2 * each.N : 4)),
      );
      check(
        run(sandbox, each, "dense", Float32Array.from(targets.flat())),
        each,
        targets.map((t) => Array.from(Float32Array.from(t))),
        each.what,
      );
    }
  });

  test("an ignored row is zeros whatever is in it", () => {
    const x = Float32Array.of(NaN, Infinity, 1, -Infinity, 2, 1, 2, 3, 4, 5);
    const got = run(sandbox, { M: 2, N: 5, x, dloss: Float32Array.of(NaN, 1) }, "sparse", [-1, 4]);
    assert.is(got.loss[0], 0);
    assert.equal(got.dx.subarray(0, 5), new Float32Array(5));
    assert.ok(got.loss[1]! > 0 && got.dx[9]! < 0);
  });

  test("classes at −Inf cost nothing until they are asked for", () => {
    const x = Float32Array.of(-Infinity, 0, 0, -Infinity, -Infinity);
    const d = Float32Array.of(1);
    const asked = run(sandbox, { M: 1, N: 5, x, dloss: d }, "dense", [0, 0.5, 0.5, 0, 0]);
    close(asked.loss, [Math.log(2)], 1e-7);
    assert.ok(asked.dx.every((value) => Math.abs(value) < 1e-7));
    close(run(sandbox, { M: 1, N: 5, x, dloss: d }, "sparse", [1]).loss, [Math.log(2)], 1e-7);
    assert.is(run(sandbox, { M: 1, N: 5, x, dloss: d }, "sparse", [3]).loss[0], Infinity);
  });

  test("rows without a finite largest logit are NaN", () => {
    const low = -Infinity;
    for (const row of [
      [low, low, low, low, low],
      [1, 2, NaN, 0, 0],
      [1, 2, 0, 0, NaN],
      [Infinity, 1, 2, 3, 4],
    ]) {
      const each = { M: 1, N: 5, x: Float32Array.from(row), dloss: Float32Array.of(1) };
      for (const got of [run(sandbox, each, "sparse", [1]), run(sandbox, each, "dense", [0, 1, 0, 0, 0])]) {
        assert.ok(Number.isNaN(got.loss[0]) && got.dx.every(Number.isNaN), String(row));
      }
    }
  });
});
