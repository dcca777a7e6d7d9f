// Elementwise arithmetic: values against JavaScript, every length around a vector, in place, specials.
import * as assert from "uvu/assert";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { close, exact, LENGTHS, real, same, SPECIALS } from "../../support/numbers.ts";

const OPERATORS = {
  f32_vadd: (a: number, b: number) => a + b,
  f32_vsub: (a: number, b: number) => a - b,
  f32_vmul: (a: number, b: number) => a * b,
  f32_vdiv: (a: number, b: number) => a / b,
  f32_vmaximum: Math.max,
  f32_vminimum: Math.min,
  f32_vgreater: (a: number, b: number) => Number(a > b),
  f32_vgreater_equal: (a: number, b: number) => Number(a >= b),
  f32_vequal: (a: number, b: number) => Number(a === b),
};
type Operator = keyof typeof OPERATORS;
const operators = Object.entries(OPERATORS) as [Operator, (a: number, b: number) => number][];

/** One correctly rounded operation: f64 first, then f32, is the same for + − × ÷. */
const expected = (f: (a: number, b: number) => number, a: Float32Array, b: Float32Array): Float32Array =>
  a.map((value, i) => f(value, b[i]!));

/** Every special against every special. */
const left = SPECIALS.flatMap((a) => SPECIALS.map(() => a));
const right = SPECIALS.flatMap(() => SPECIALS);

eachBuild("vec_binary", (test, sandbox) => {
  const { kernels } = sandbox;

  for (const [name, f] of operators) {
    test(`${name}: lengths and specials`, () => {
      for (const n of LENGTHS) {
        for (const [a, b] of [
          [exact(n), exact(n, 5)],
          [real(n), real(n, 1)],
        ]) {
          const [x, z, y] = [sandbox.f32(a!), sandbox.f32(b!), sandbox.f32(n)];
          kernels[name](n, x.ptr, z.ptr, y.ptr);
          same(y.data, expected(f, x.data, z.data), `n ${n}`);
        }
      }
      const [x, z, y] = [sandbox.f32(left), sandbox.f32(right), sandbox.f32(left.length)];
      kernels[name](left.length, x.ptr, z.ptr, y.ptr);
      same(y.data, expected(f, x.data, z.data), "specials");
    });

    test(`${name}: in place of either operand`, () => {
      const n = 31;
      const [a, b] = [real(n), real(n, 1)];
      for (const inFirst of [true, false]) {
        const [x, z] = [sandbox.f32(a), sandbox.f32(b)];
        kernels[name](n, x.ptr, z.ptr, inFirst ? x.ptr : z.ptr);
        same((inFirst ? x : z).data, expected(f, a, b));
      }
    });
  }

  test("i32_vequal compares integers, not floats", () => {
    // 0x7fc00000 is a NaN as a float, 0x80000000 is −0
    const a = [0, 1, -1, 0x7fc00000, -0x80000000, 7, 8];
    const b = [0, 2, -1, 0x7fc00000, 0, 7, -8];
    const [x, z, y] = [sandbox.i32(a), sandbox.i32(b), sandbox.f32(7)];
    kernels.i32_vequal(7, x.ptr, z.ptr, y.ptr);
    same(y.data, [1, 0, 1, 1, 0, 1, 0]);
  });

  test("updates", () => {
    const updates = {
      mul: {
        run: (n: number, a: number, b: number, y: number) => kernels.f32_vmul_acc(n, a, b, y),
        f: (a: number, b: number, y: number) => y + a * b,
      },
      axpy: {
        run: (n: number, a: number, _: number, y: number) => kernels.f32_vaxpy_acc(n, a, y, -0.75),
        f: (a: number, _: number, y: number) => y - 0.75 * a,
      },
    };
    for (const { run, f } of Object.values(updates)) {
      const check = (
        n: number,
        data: typeof real,
        compare: (actual: Float32Array, want: Float32Array) => void,
      ): void => {
        const [a, b, y] = [sandbox.f32(data(n)), sandbox.f32(data(n, 1)), sandbox.f32(data(n, 2))];
        const want = y.data.map((value, i) => f(a.data[i]!, b.data[i]!, value));
        run(n, a.ptr, b.ptr, y.ptr);
        compare(y.data, want);
      };
      for (const n of LENGTHS) check(n, exact, same);
      check(97, real, (actual, want) => close(actual, want, 2e-7));
    }
  });

  test("vaffine and vscale, in place too", () => {
    for (const n of LENGTHS) {
      const [x, y, by] = [sandbox.f32(exact(n)), sandbox.f32(n), sandbox.f32([-0.5])];
      kernels.f32_vaffine(n, x.ptr, y.ptr, 2, 0.25);
      same(
        y.data,
        exact(n).map((v) => 2 * v + 0.25),
        `affine ${n}`,
      );
      kernels.f32_vaffine(n, y.ptr, y.ptr, -1, 1);
      same(
        y.data,
        exact(n).map((v) => 0.75 - 2 * v),
        `affine in place ${n}`,
      );
      kernels.f32_vscale(n, x.ptr, x.ptr, by.ptr);
      same(
        x.data,
        exact(n).map((v) => v * -0.5),
        `scale ${n}`,
      );
    }
    const x = sandbox.f32(SPECIALS);
    kernels.f32_vscale(SPECIALS.length, x.ptr, x.ptr, sandbox.f32([1]).ptr);
    same(x.data, Float32Array.from(SPECIALS), "a scale of 1 changes nothing");
  });

  test("vselect: 0 and −0 are false, NaN is true, and what is not chosen does not count", () => {
    for (const n of LENGTHS) {
      const cond = Float32Array.from({ length: n }, (_, i) => [0, 1, -0, NaN, 1e-40][i % 5]!);
      const a = Float32Array.from({ length: n }, (_, i) => (i % 2 ? Infinity : i));
      const b = Float32Array.from({ length: n }, (_, i) => (i % 3 ? NaN : -i));
      const want = cond.map((c, i) => (c !== 0 ? a[i]! : b[i]!));
      const [c, x, z, y] = [sandbox.f32(cond), sandbox.f32(a), sandbox.f32(b), sandbox.f32(n)];
      kernels.f32_vselect(n, c.ptr, x.ptr, z.ptr, y.ptr);
      same(y.data, want);
      kernels.f32_vselect(n, c.ptr, x.ptr, z.ptr, c.ptr);
      same(c.data, want, "over the condition");
    }
  });

  test("agrees with its twin", () => {
    const twin = new Sandbox("reference");
    const n = 97;
    for (const name of [...operators.map(([operator]) => operator), "f32_vmul_acc"] as (Operator | "f32_vmul_acc")[]) {
      const [mine, theirs] = [sandbox, twin].map((box) => {
        const [a, b, y] = [box.f32(real(n)), box.f32(real(n, 1)), box.f32(real(n, 2))];
        box.kernels[name](n, a.ptr, b.ptr, y.ptr);
        return y.data;
      });
      close(mine!, theirs!, 1e-7, name);
    }
    assert.is(twin.name, "reference");
  });
});
