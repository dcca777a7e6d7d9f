// Elementwise losses against their definitions in double precision.
import * as assert from "uvu/assert";
import { eachBuild } from "../../support/builds.ts";
import { close, exact, LENGTHS, real, same } from "../../support/numbers.ts";

/** −t ln σ(x) − (1 − t) ln(1 − σ(x)), each logarithm in the form that keeps its digits. */
const logSigmoid = (x: number): number => (x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x)));
const crossEntropy = (x: number, t: number): number =>
  (t === 0 ? 0 : -t * logSigmoid(x)) + (t === 1 ? 0 : (t - 1) * logSigmoid(-x));

eachBuild("loss", (test, sandbox) => {
  const k = sandbox.kernels;

  test("sigmoid_xent: every digit of large and of small losses", () => {
    for (const n of LENGTHS) {
      for (const scale of [0, 1, 15, 100, 1e4, 1e30]) {
        sandbox.reset();
        const x = sandbox.f32(real(n, n, scale));
        const targets = sandbox.f32(Float32Array.from({ length: n }, (_, i) => [0, 1, 0.25, 1, 0][i % 5]!));
        const loss = sandbox.f32(n);
        k.f32_sigmoid_xent_fwd(n, x.ptr, targets.ptr, loss.ptr);
        loss.data.forEach((value, i) => {
          const expected = crossEntropy(x.data[i]!, targets.data[i]!);
          const bound = 1e-6 * expected + (targets.data[i] === 0.25 ? 3e-7 * Math.abs(x.data[i]!) : 0) + 1e-37;
          assert.ok(
            Math.abs(value - expected) <= bound,
            `x ${x.data[i]} t ${targets.data[i]}: expected ${expected}, got ${value}`,
          );
        });
        const dloss = sandbox.f32(real(n, n + 1, 3));
        const dx = sandbox.f32(n);
        k.f32_sigmoid_xent_bwd(n, x.ptr, targets.ptr, dloss.ptr, dx.ptr);
        const expected = Array.from(x.data, (v, i) => dloss.data[i]! * (1 / (1 + Math.exp(-v)) - targets.data[i]!));
        close(dx.data, expected, 5e-7, `n ${n} scale ${scale}`);
        k.f32_sigmoid_xent_bwd(n, x.ptr, targets.ptr, dloss.ptr, dloss.ptr);
        same(dloss.data, dx.data, "in place");
        k.f32_sigmoid_xent_fwd(n, x.ptr, targets.ptr, x.ptr);
        same(x.data, loss.data, "in place");
        sandbox.checkGuards();
      }
    }
  });

  test("squared_error: exact on quarters", () => {
    for (const n of LENGTHS) {
      sandbox.reset();
      const [x, targets, dloss] = [sandbox.f32(exact(n)), sandbox.f32(exact(n, 5)), sandbox.f32(exact(n, 11))];
      const [loss, dx] = [sandbox.f32(n), sandbox.f32(n)];
      k.f32_squared_error_fwd(n, x.ptr, targets.ptr, loss.ptr);
      k.f32_squared_error_bwd(n, x.ptr, targets.ptr, dloss.ptr, dx.ptr);
      const difference = Array.from(x.data, (v, i) => v - targets.data[i]!);
      assert.equal(
        Array.from(loss.data),
        difference.map((e) => e * e),
      );
      assert.equal(
        Array.from(dx.data, (v) => v + 0),
        difference.map((e, i) => 2 * e * dloss.data[i]! + 0),
      );
      k.f32_squared_error_bwd(n, x.ptr, targets.ptr, dloss.ptr, x.ptr);
      same(x.data, dx.data, "in place");
      sandbox.checkGuards();
    }
  });

  test("NaN and infinities come out as they should", () => {
    const x = sandbox.f32([NaN, Infinity, -Infinity, Infinity, -Infinity, 0]);
    const targets = sandbox.f32([1, 0, 1, NaN, 0, 0]);
    const y = sandbox.f32(6);
    k.f32_sigmoid_xent_fwd(6, x.ptr, targets.ptr, y.ptr);
    assert.ok(Number.isNaN(y.data[0]) && Number.isNaN(y.data[3]));
    k.f32_squared_error_fwd(6, x.ptr, targets.ptr, y.ptr);
    same(y.data, [NaN, Infinity, Infinity, NaN, Infinity, 0]);
    k.f32_squared_error_bwd(6, x.ptr, targets.ptr, sandbox.f32([1, 1, 1, 1, 1, 1]).ptr, y.ptr);
    same(y.data, [NaN, Infinity, -Infinity, NaN, -Infinity, 0]);
  });
});
