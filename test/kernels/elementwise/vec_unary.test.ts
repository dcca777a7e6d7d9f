// Elementwise functions: values and slopes against their definition within accuracy.json, tails, in place, specials.
import * as assert from "uvu/assert";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import { UNARY_CODES, type UnaryName } from "../../../bindings/abi/unary_codes.ts";
import { unary, unaryGrad } from "../../../bindings/reference/elementwise/unary.ts";
import { eachBuild } from "../../support/builds.ts";
import { LENGTHS, real, same, SPECIALS } from "../../support/numbers.ts";
import { compare, floatOf, nothingYet } from "../../support/ulp.ts";

interface Bound {
  /** distance from the correctly rounded result, in floats, for every float */
  ulp?: number;
  /** |error| / max(1, |f|) */
  mixed?: number;
  /** the same for the derivative */
  grad: number;
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const accuracy = JSON.parse(read("assembly/accuracy.json")) as Record<UnaryName, Bound>;
const names = Object.keys(UNARY_CODES) as UnaryName[];

/** α and β of the functions that have them. */
const PARAMETERS: Partial<Record<UnaryName, [number, number]>> = {
  elu: [1, 0],
  celu: [0.75, 0],
  leaky_relu: [0.2, 0],
  affine: [0.3, -0.7],
  scaled_tanh: [1.7159, 0.6667],
  thresholded_relu: [0.5, 0],
  clipped_affine: [0.3, 0.4],
  clip: [-1, 1.5],
  soft_shrink: [0.5, 0],
  hard_shrink: [0.5, 0],
  squareplus: [4, 0],
};
const parameters = (name: UnaryName): [number, number] =>
  (PARAMETERS[name] ?? [0, 0]).map(Math.fround) as [number, number];

/** Where functions bend, saturate or leave the range, and the floats on either side. */
const CORNERS = [
  0,
  0.5,
  1,
  1.5,
  2.5,
  3,
  6,
  9.0109,
  9.02,
  17.3287,
  18,
  20,
  88.37626,
  88.72283,
  87.33654,
  87.68311,
  86.98998,
  103.97208,
  1e10,
  2 ** -149,
  2 ** -126,
]
  .flatMap((x) => [x, -x])
  .flatMap((x) => {
    const pattern = new Int32Array(Float32Array.of(x).buffer)[0]!;
    return [pattern - 1, pattern, pattern + 1].map(floatOf).filter((value) => !Number.isNaN(value));
  });

/** Ranges of bit patterns: all floats, then 2⁻¹² to 2⁷ of either sign, where something happens. */
const RANGES = [
  [0, 2 ** 32],
  [0x39800000, 0x43000000],
  [0xb9800000, 0xc3000000],
] as const;
const BLOCK = 16381; // a prime: all low bits take part
const BLOCKS = 22; // of each range, 2²⁰ floats together

function* manyFloats(x: Float32Array): Generator<void> {
  const patterns = new Uint32Array(x.buffer, x.byteOffset, BLOCK);
  for (const [from, to] of RANGES) {
    for (let block = 0; block < BLOCKS; block++) {
      for (let i = 0; i < BLOCK; i++) patterns[i] = from + ((i + block / BLOCKS) * (to - from)) / BLOCK;
      yield;
    }
  }
}

/** Ordinary arguments, small and large, then corners. */
const ARGUMENTS = Float32Array.from([
  ...real(2001, 0, 20),
  ...real(2001, 1, 2),
  ...real(500, 2, 1e-3),
  ...CORNERS.filter((x) => Math.abs(x) < 100),
]);

const mixedError = (got: number, want: number): number => {
  const rounded = Math.fround(want);
  return Object.is(got, rounded) || got === rounded ? 0 : Math.abs(got - want) / Math.max(1, Math.abs(want));
};

const table = suite("unary codes");
table("the enum, the names and the bounds list the same functions", () => {
  const source = [...read("assembly/lib/elementwise/unary_codes.ts").matchAll(/(\w+) = (\d+),/g)].map(
    ([, name, code]) => [name!.toLowerCase(), Number(code)],
  );
  assert.equal(source, Object.entries(UNARY_CODES));
  assert.equal(Object.keys(accuracy).sort(), [...names].sort());
});
table.run();

eachBuild("vec_unary", (test, sandbox) => {
  const { kernels } = sandbox;

  for (const name of names) {
    const code = UNARY_CODES[name];
    const [alpha, beta] = parameters(name);
    const f = (x: number): number => unary(code, x, alpha, beta);
    const { ulp, mixed, grad } = accuracy[name];

    test(`${name}: accuracy`, () => {
      const worst = nothingYet();
      if (ulp !== undefined) {
        const [x, y] = [sandbox.f32(BLOCK), sandbox.f32(BLOCK)];
        for (const _ of manyFloats(x.data)) {
          kernels.f32_unary_fwd(BLOCK, x.ptr, y.ptr, code, alpha, beta);
          compare(f, x, y, worst);
        }
        const [corners, z] = [sandbox.f32([...CORNERS, ...SPECIALS]), sandbox.f32(CORNERS.length + SPECIALS.length)];
        kernels.f32_unary_fwd(corners.data.length, corners.ptr, z.ptr, code, alpha, beta);
        compare(f, corners, z, worst);
        assert.ok(worst.ulp <= ulp, `${worst.ulp} ULP at ${worst.at}`);
      } else {
        const [x, y] = [sandbox.f32(ARGUMENTS), sandbox.f32(ARGUMENTS.length)];
        kernels.f32_unary_fwd(x.data.length, x.ptr, y.ptr, code, alpha, beta);
        x.data.forEach((value, i) => {
          const error = mixedError(y.data[i]!, f(value));
          assert.ok(error <= mixed!, `${error} at ${value}`);
        });
      }
    });

    test(`${name}: specials, in a vector and in a tail`, () => {
      for (const padding of [[], [1, 1, 1]]) {
        const [x, y] = [sandbox.f32([...padding, ...SPECIALS]), sandbox.f32(padding.length + SPECIALS.length)];
        kernels.f32_unary_fwd(x.data.length, x.ptr, y.ptr, code, alpha, beta);
        x.data.forEach((value, i) => {
          const [got, want] = [y.data[i]!, Math.fround(f(value))];
          if (Number.isFinite(want))
            assert.ok(mixedError(got, f(value)) <= 1e-6, `${value}: expected ${want}, got ${got}`);
          else assert.ok(Object.is(got, want), `${value}: expected ${want}, got ${got}`);
        });
      }
    });

    test(`${name}: derivative`, () => {
      const n = ARGUMENTS.length;
      const [x, dy, dx] = [sandbox.f32(ARGUMENTS), sandbox.f32(new Float32Array(n).fill(1)), sandbox.f32(n)];
      const y = sandbox.f32(ARGUMENTS.map(f));
      kernels.f32_unary_bwd(n, x.ptr, y.ptr, dy.ptr, dx.ptr, code, alpha, beta);
      x.data.forEach((value, i) => {
        const error = mixedError(dx.data[i]!, unaryGrad(code, value, f(value), alpha, beta));
        assert.ok(error <= grad || !Number.isFinite(dx.data[i]), `${error} at ${value}`);
      });
      dy.data.set(real(n, 3));
      const want = dx.data.map((slope, i) => slope * dy.data[i]!);
      kernels.f32_unary_bwd(n, x.ptr, y.ptr, dy.ptr, dy.ptr, code, alpha, beta);
      dy.data.forEach((value, i) =>
        assert.ok(mixedError(value, want[i]!) <= 1e-6 || !Number.isFinite(want[i]), `in place of dy, at ${x.data[i]}`),
      );
    });

    test(`${name}: every length is a part of the longest, also in place`, () => {
      const longest = Math.max(...LENGTHS);
      const [x, all] = [sandbox.f32(real(longest, 4, 3)), sandbox.f32(longest)];
      kernels.f32_unary_fwd(longest, x.ptr, all.ptr, code, alpha, beta);
      for (const n of LENGTHS) {
        const y = sandbox.f32(n);
        kernels.f32_unary_fwd(n, x.ptr, y.ptr, code, alpha, beta);
        same(y.data, all.data.subarray(0, n), `${n}`);
        const inPlace = sandbox.f32(real(longest, 4, 3).subarray(0, n));
        kernels.f32_unary_fwd(n, inPlace.ptr, inPlace.ptr, code, alpha, beta);
        same(inPlace.data, y.data, `${n} in place`);
        const [dy, dx] = [sandbox.f32(new Float32Array(n).fill(1)), sandbox.f32(n)]; // for the guard bytes behind them
        kernels.f32_unary_bwd(n, x.ptr, y.ptr, dy.ptr, dx.ptr, code, alpha, beta);
      }
    });
  }

  test("tanh is odd and keeps the sign of zero", () => {
    const values = [...real(101, 5, 10), 0, 1e-40, 2 ** -149];
    const [x, y] = [sandbox.f32([...values, ...values.map((v) => -v)]), sandbox.f32(2 * values.length)];
    kernels.f32_unary_fwd(x.data.length, x.ptr, y.ptr, UNARY_CODES.tanh, 0, 0);
    same(
      y.data.subarray(values.length),
      y.data.subarray(0, values.length).map((v) => -v),
    );
  });
});

const slopes = suite("unary derivatives");
for (const name of names) {
  slopes(`${name}: the twin's derivative is the slope of its values`, () => {
    const code = UNARY_CODES[name];
    const [alpha, beta] = parameters(name);
    const f = (x: number): number => unary(code, x, alpha, beta);
    for (const x of [-7.3, -3.31, -1.37, -0.61, -0.083, 0.083, 0.61, 1.37, 2.9, 7.3]) {
      if (Number.isNaN(f(x))) continue;
      const h = 1e-5;
      const slope = (f(x + h) - f(x - h)) / (2 * h);
      const got = unaryGrad(code, x, f(x), alpha, beta);
      assert.ok(Math.abs(got - slope) <= 1e-6 * Math.max(1, Math.abs(slope)), `at ${x}: expected ${slope}, got ${got}`);
    }
  });
}
slopes.run();
