// int8 products: the same bits as the twin, and so as each other, on every build.
import * as assert from "uvu/assert";
import { panelWidth } from "../../../bindings/abi/panel.ts";
import { quantizeRow } from "../../../bindings/reference/int8/q8_gemm.ts";
import { int8Chunks, int8Offset, int8PackedBytes, int8ScratchBytes } from "../../../bindings/abi/int8_panel.ts";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { exact, real, same } from "../../support/numbers.ts";

const reference = new Sandbox("reference");

/** One row, two, four, tiles that do not come out even, a block of 96 rows and more. */
const ROWS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 97];
/** Columns of each tail: part of a narrow panel, of a wide one, one, two and four panels side by side, primes. */
const COLUMNS = [1, 3, 4, 5, 8, 9, 12, 13, 16, 20, 29, 32, 37, 44, 67];
const TERMS = [1, 2, 3, 4, 5, 15, 16, 17, 33, 64, 67];

/** Integers of −127…127 without a pattern. */
const weights = (n: number, salt = 0): Int8Array => Int8Array.from(real(n, salt + 90, 127.49), (x) => Math.round(x));

interface Product {
  M: number;
  N: number;
  K: number;
  bits: 7 | 14;
  start: "zeros" | "bias" | "matrix" | "itself";
  gap?: number;
  live?: number;
  a?: Float32Array;
  w?: Int8Array;
}

/** C = A·W + start with rows `gap` apart; what is between the rows comes along. */
function product(box: Sandbox, { M, N, K, bits, start, gap = 0, live, a: given, w: int8 }: Product): Float32Array {
  box.reset();
  const [lda, ldc, ldi] = [K + gap, N + gap, start === "bias" ? 0 : N + gap];
  const a = box.f32(given ?? real(M * lda, 1, 3));
  const w = box.i8(int8 ?? weights(K * N));
  const scales = box.f32(real(N, 2).map((x) => Math.abs(x) / 100));
  const panels = box.bytes(int8PackedBytes(K, N));
  const init = box.f32(real(start === "bias" ? N : M * ldi, 3));
  const c = box.f32(M * ldc);
  if (start === "itself") c.data.set(init.data);
  const rows = live === undefined ? 0 : box.i32([live]).ptr;
  box.kernels.q8_pack_gates_nn(K, 1, N, w.ptr, N, scales.ptr, panels);
  const from = { zeros: 0, bias: init.ptr, matrix: init.ptr, itself: c.ptr }[start];
  box.kernels.q8_gemm_nn(
    M,
    rows,
    N,
    K,
    a.ptr,
    lda,
    panels,
    from,
    ldi,
    c.ptr,
    ldc,
    box.bytes(int8ScratchBytes(M, K)),
    bits,
  );
  box.checkGuards();
  return c.data.slice();
}

/** The same bits as the twin. */
const agree = (sandbox: Sandbox, spec: Product): void =>
  same(
    product(sandbox, spec),
    product(reference, spec),
    `M ${spec.M} N ${spec.N} K ${spec.K}, ${spec.bits} bits, ${spec.start}`,
  );

eachBuild("q8_gemm_nn", (test, sandbox) => {
  for (const bits of [7, 14] as const) {
    test(`${bits} bits: bit for bit the twin`, () => {
      for (const M of ROWS) {
        for (const N of M > 8 ? [5, 24, 67] : COLUMNS) {
          for (const K of M > 8 ? [33] : TERMS) agree(sandbox, { M, N, K, bits, start: "zeros", gap: (M + N) % 3 });
        }
      }
    });

    test(`${bits} bits: from a bias, a matrix, the output itself`, () => {
      for (const start of ["bias", "matrix", "itself"] as const) {
        for (const [M, N, K] of [
          [1, 29, 17],
          [3, 37, 50],
          [6, 12, 257],
          [100, 9, 3],
        ])
          agree(sandbox, { M, N, K, bits, start, gap: 1 });
      }
    });

    test(`${bits} bits: long sums, the largest there are, do not overflow`, () => {
      for (const K of [2000, 2047, 2048, 2049, 4096, 4100]) {
        for (const sign of [1, -1]) {
          const a = new Float32Array(2 * K).fill(sign * 0.7);
          const w = new Int8Array(5 * K).fill(127);
          const spec: Product = { M: 2, N: 5, K, bits, start: "zeros", a, w };
          agree(sandbox, spec);
          const scales = real(5, 2).map((x) => Math.abs(x) / 100);
          product(sandbox, spec).forEach((value, i) => {
            const expected = sign * 0.7 * 127 * K * scales[i % 5];
            assert.ok(Math.abs(value / expected - 1) < 1e-5, `K ${K}: expected ${expected}, got ${value}`);
          });
        }
      }
    });
  }

  test("only live rows are written", () => {
    for (const live of [0, 1, 3, 8, 12]) {
      const spec: Product = { M: 8, N: 21, K: 6, bits: 14, start: "bias", gap: 2 };
      const full = product(reference, spec);
      full.fill(NaN, Math.min(live, 8) * 23);
      same(product(sandbox, { ...spec, live }), full, `live ${live}`);
    }
  });

  test("no terms leave what was there, rows of zeros too", () => {
    agree(sandbox, { M: 3, N: 9, K: 0, bits: 7, start: "bias" });
    for (const value of [0, -0, 1e-35, 1e-45]) {
      const bias = real(9, 3);
      const c = product(sandbox, { M: 1, N: 9, K: 7, bits: 7, start: "bias", a: new Float32Array(7).fill(value) });
      same(c, bias, `${value}`);
    }
  });

  test("a row that is not finite gives nothing but NaN, and only itself", () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      for (const bits of [7, 14] as const) {
        const a = real(3 * 20, 1);
        const clean = product(sandbox, { M: 3, N: 9, K: 20, bits, start: "zeros", a });
        a[25] = value;
        const c = product(sandbox, { M: 3, N: 9, K: 20, bits, start: "zeros", a });
        assert.ok(c.subarray(9, 18).every(Number.isNaN), `${value}`);
        c.copyWithin(9, 0, 9);
        clean.copyWithin(9, 0, 9);
        same(c, clean);
      }
    }
  });

  test("halves go to the even integer, the largest to the last one", () => {
    // one column of weights 1 for each term picks its integer
    for (const [bits, levels] of [
      [7, 63],
      [14, 8191],
    ] as const) {
      const a = Float32Array.of(levels, 0.5, 1.5, 2.5, -0.5, -1.5, 3.49, -levels, 17, 0.25);
      const w = new Int8Array(100).map((_, i) => (i % 11 === 0 ? 1 : 0));
      sandbox.reset();
      const [x, c] = [sandbox.f32(a), sandbox.f32(10)];
      const panels = sandbox.bytes(int8PackedBytes(10, 10));
      sandbox.kernels.q8_pack_gates_nn(
        10,
        1,
        10,
        sandbox.i8(w).ptr,
        10,
        sandbox.f32(new Float32Array(10).fill(1)).ptr,
        panels,
      );
      sandbox.kernels.q8_gemm_nn(
        1,
        0,
        10,
        10,
        x.ptr,
        10,
        panels,
        0,
        0,
        c.ptr,
        10,
        sandbox.bytes(int8ScratchBytes(1, 10)),
        bits,
      );
      assert.equal(
        Array.from(c.data, (value) => value + 0),
        [levels, 0, 2, 2, 0, -2, 3, -levels, 17, 0],
      );
      assert.equal(
        [...quantizeRow(a, bits).q].map((value) => value + 0),
        [...c.data].map((value) => value + 0),
      );
    }
  });
});

eachBuild("q8_pack_gates_nn", (test, sandbox) => {
  test("four terms of a column stand together, columns in panel order, −Σ before them", () => {
    const [K, N] = [5, 3];
    const w = Int8Array.from({ length: K * N }, (_, i) => i + 1);
    const panels = sandbox.bytes(int8PackedBytes(K, N));
    sandbox.kernels.q8_pack_gates_nn(K, 1, N, sandbox.i8(w).ptr, N, sandbox.f32([0.5, 0.25, 2]).ptr, panels);
    const bytes = new Int8Array(sandbox.buffer, panels, int8PackedBytes(K, N));
    same(new Float32Array(sandbox.buffer, panels, 4), [0.5, 0.25, 2, 0]);
    same(new Int32Array(sandbox.buffer, panels + 16, 4), [-35, -40, -45, 0]);
    same(
      bytes.subarray(32),
      [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12, 0, 0, 0, 0, 13, 0, 0, 0, 14, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0],
    );
  });

  test("the same bytes as the twin, gates and all", () => {
    for (const [K, G, H] of [
      [1, 1, 1],
      [7, 4, 3],
      [9, 3, 13],
      [50, 4, 50],
      [16, 2, 8],
      [2050, 3, 5],
    ]) {
      const run = (box: Sandbox): Uint8Array => {
        box.reset();
        const bytes = int8PackedBytes(K, G * panelWidth(H));
        const panels = box.bytes(bytes);
        box.kernels.q8_pack_gates_nn(
          K,
          G,
          H,
          box.i8(weights(K * (G * H + 2))).ptr,
          G * H + 2,
          box.f32(exact(G * H)).ptr,
          panels,
        );
        box.checkGuards();
        return new Uint8Array(box.buffer, panels, bytes).slice();
      };
      same(run(sandbox), run(reference), `K ${K} G ${G} H ${H}`);
    }
  });

  test("chunks follow each other without a gap", () => {
    const [K, N] = [4100, 12];
    const list = int8Chunks(K, N);
    assert.equal(
      list.map(({ first, rows }) => [first, rows]),
      [
        [0, 2048],
        [2048, 2048],
        [4096, 4],
      ],
    );
    for (const [i, { panels, rows }] of list.entries()) {
      const end = panels + int8Offset(rows, N, rows - 1, N - 1) + 1;
      assert.is(end, list[i + 1]?.sums ?? int8PackedBytes(K, N));
    }
  });
});

eachBuild("q8_gather_rows", (test, sandbox) => {
  test("rows times their scales, zeros for none, only live ones", () => {
    for (const N of [1, 3, 4, 5, 8, 17]) {
      const run = (box: Sandbox, live?: number, all = false): Float32Array => {
        box.reset();
        const y = box.f32(5 * (N + 1));
        const count = live === undefined ? 0 : box.i32([live]).ptr;
        const [x, scales, index] = [box.i8(weights(6 * N)), box.f32(real(6, 4)), box.i32([3, -1, 0, 5, 3])];
        box.kernels.q8_gather_rows(5, count, N, x.ptr, scales.ptr, all ? 0 : index.ptr, y.ptr, N + 1);
        box.checkGuards();
        return y.data.slice();
      };
      const expected = run(reference);
      same(run(sandbox), expected, `N ${N}`);
      assert.is(expected[0], Math.fround(weights(6 * N)[3 * N] * real(6, 4)[3]));
      same(run(sandbox, undefined, true), run(reference, undefined, true), `N ${N}, rows in order`);
      expected.fill(NaN, 2 * (N + 1));
      same(run(sandbox, 2), expected, `N ${N}, live 2`);
    }
  });
});
