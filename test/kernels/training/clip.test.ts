// Clipping and the guard.
import * as assert from "uvu/assert";
import { eachBuild } from "../../support/builds.ts";
import { close, LENGTHS, real, same, SPECIALS } from "../../support/numbers.ts";

eachBuild("clip", (test, sandbox) => {
  const k = sandbox.kernels;

  test("by value", () => {
    for (const n of LENGTHS) {
      sandbox.reset();
      const g = sandbox.f32(real(n, n, 2));
      const expected = g.data.map((x) => Math.min(Math.max(x, -0.75), 0.75));
      k.f32_clip_value(n, g.ptr, 0.75);
      same(g.data, expected, `n ${n}`);
      sandbox.checkGuards();
    }
    const g = sandbox.f32(SPECIALS);
    k.f32_clip_value(SPECIALS.length, g.ptr, 2);
    same(
      g.data,
      Float32Array.from(SPECIALS, (x) => (Number.isNaN(x) ? NaN : Math.abs(x) > 2 ? 2 * Math.sign(x) : x)),
    );
  });

  test("by norm: beyond the limit to the limit, within it no bit changes", () => {
    for (const n of LENGTHS) {
      sandbox.reset();
      const values = real(n, n, 3);
      const square = values.reduce((sum, x) => sum + x * x, 0);
      const norm = Math.sqrt(square);
      for (const share of [0.25, 0.999, 1.001, 4]) {
        for (const epsilon of [0, 1e-6]) {
          const g = sandbox.f32(values);
          const limit = Math.fround(norm * share);
          k.f32_clip_norm(n, g.ptr, sandbox.f64([square]).ptr, limit, epsilon);
          if (share > 1) same(g.data, values, "within the limit");
          else
            close(
              g.data,
              values.map((x) => (x * limit) / (norm + epsilon)),
              2e-7,
              `n ${n} share ${share}`,
            );
        }
      }
      sandbox.checkGuards();
    }
  });

  test("by norm: epsilon counts, zero gradients stay zero, a norm that is not finite shows", () => {
    const run = (values: number[], square: number, limit: number, epsilon: number): Float32Array => {
      const g = sandbox.f32(values);
      k.f32_clip_norm(values.length, g.ptr, sandbox.f64([square]).ptr, limit, epsilon);
      return g.data;
    };
    close(run([3, 4], 25, 1, 5), [0.3, 0.4], 1e-7);
    same(run([0, -0], 0, 1, 0), [0, -0]);
    same(run([1, 2, 3, 4, 5], NaN, 1, 0), [NaN, NaN, NaN, NaN, NaN]);
    same(run([1, Infinity], Infinity, 1, 0), [0, NaN]);
    // the square of this norm is no float
    close(run([3e30, 4e30], 25e60, 1, 0), [0.6, 0.8], 1e-6);
  });

  test("the guard opens for finite steps only", () => {
    const open = (square: number, loss: number, due?: number): number => {
      const guard = sandbox.i32(1);
      k.f32_guard(
        sandbox.f64([square]).ptr,
        sandbox.f32([loss]).ptr,
        due === undefined ? 0 : sandbox.i32([due]).ptr,
        guard.ptr,
      );
      return guard.data[0]!;
    };
    for (const square of [0, 1, 1e300]) for (const loss of [0, -1, 3e38]) assert.is(open(square, loss), 1);
    for (const bad of [NaN, Infinity, -Infinity]) {
      assert.is(open(bad, 1), 0);
      assert.is(open(1, bad), 0);
      assert.is(open(bad, bad), 0);
      assert.is(open(bad, 1, 1), 0);
      assert.is(open(1, bad, 1), 0);
    }
    assert.is(open(1, 1, 1), 1);
    assert.is(open(1, 1, 0), 0, "no step is due");
  });

  test("gradients are kept until a step is due, which takes their mean and starts again", () => {
    for (const n of LENGTHS) {
      sandbox.reset();
      const values = real(n, n);
      const [g, sum] = [sandbox.f32(values), sandbox.f32(real(n, 5))];
      const run = (due: number, guard: number): void =>
        k.f32_accumulate(n, g.ptr, sum.ptr, sandbox.i32([due]).ptr, sandbox.i32([guard]).ptr, 0.25);
      const before = sum.data.slice();
      for (const due of [0, 1]) run(due, 0);
      same(g.data, values, "a closed guard");
      same(sum.data, before, "a closed guard");
      run(0, 1);
      same(g.data, values);
      same(sum.data, values);
      run(1, 1);
      same(
        g.data,
        values.map((x) => x * 0.25),
      );
      same(sum.data, new Float32Array(n));
      sandbox.checkGuards();
    }
  });
});
