// Matrix products: every build against its twin, exactly where sums are exact, within a bound elsewhere.
import * as assert from "uvu/assert";
import { panelWidth } from "../../../bindings/abi/panel.ts";
import { transposedScratch } from "../../../bindings/abi/scratch.ts";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { close, exact, real, same, SPECIALS } from "../../support/numbers.ts";

const reference = new Sandbox("reference");

/** Rows below a tile, one tile of either build, several, tiles of two heights, a block of 96 and more. */
const ROWS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 24, 97];
/** Columns of each tail: a narrow panel, a wide one, one, two and four panels side by side, primes. */
const COLUMNS = [0, 1, 3, 4, 5, 7, 8, 9, 12, 13, 16, 20, 21, 29, 32, 33, 37, 44, 45, 50, 53, 64, 67, 101];
const TERMS = [0, 1, 2, 5, 8, 31];

/** Where the product starts: from nothing, a bias row, a matrix, the output itself. */
const STARTS = ["zeros", "bias", "matrix", "itself"] as const;

interface Product {
  M: number;
  N: number;
  K: number;
  start: (typeof STARTS)[number];
  /** Floats between the end of a row and the next. */
  gap: number;
  live?: number;
  numbers: (n: number, salt: number) => Float32Array;
}

/** C = A·W + start with rows `gap` apart; what is between the rows comes along. */
function product(box: Sandbox, { M, N, K, start, gap, live, numbers }: Product): Float32Array {
  box.reset();
  const [lda, ldc, ldi] = [K + gap, N + gap, start === "bias" ? 0 : N + gap];
  const a = box.f32(numbers(M * lda, 1));
  const w = box.f32(numbers(K * N, 2));
  const panels = box.f32(K * panelWidth(N));
  const init = box.f32(numbers(start === "bias" ? N : M * ldi, 3));
  const c = box.f32(M * ldc);
  if (start === "itself") c.data.set(init.data);
  const rows = live === undefined ? 0 : box.i32([live]).ptr;
  box.kernels.f32_pack_nn(K, N, w.ptr, N, panels.ptr);
  const from = { zeros: 0, bias: init.ptr, matrix: init.ptr, itself: c.ptr }[start];
  box.kernels.f32_gemm_nn(M, rows, N, K, a.ptr, lda, panels.ptr, from, ldi, c.ptr, ldc);
  box.checkGuards();
  return c.data.slice();
}

eachBuild("gemm_nn", (test, sandbox) => {
  for (const start of STARTS) {
    test(`from ${start}: bit for bit the twin on sums that are exact`, () => {
      for (const M of ROWS) {
        for (const N of COLUMNS) {
          for (const K of TERMS) {
            const spec: Product = { M, N, K, start, gap: (M + N) % 3, numbers: exact };
            same(product(sandbox, spec), product(reference, spec), `M ${M} N ${N} K ${K}`);
          }
        }
      }
    });
  }

  test("bounded by the twin on real numbers and long sums", () => {
    for (const [M, N, K] of [
      [1, 100, 1031],
      [2, 61, 512],
      [7, 40, 768],
      [33, 24, 300],
      [2, 521, 505],
    ]) {
      const spec: Product = { M, N, K, start: "matrix", gap: 0, numbers: real };
      close(product(sandbox, spec), product(reference, spec), 4e-6, `M ${M} N ${N} K ${K}`);
    }
  });

  test("only live rows are written", () => {
    for (const live of [0, 1, 2, 5, 9, 12]) {
      const spec: Product = { M: 9, N: 21, K: 6, start: "bias", gap: 2, numbers: exact };
      const full = product(reference, spec);
      const c = product(sandbox, { ...spec, live });
      full.fill(NaN, Math.min(live, 9) * 23);
      same(c, full, `live ${live}`);
    }
  });

  test("specials reach exactly the sums they belong to", () => {
    for (const M of [1, 2, 3, 6]) {
      for (const value of SPECIALS.slice(0, -1)) {
        // without the largest float, whose partial sums overflow in f32 only
        const numbers = (n: number, salt: number): Float32Array => {
          const list = exact(n, salt);
          if (salt < 3) list[salt * 2] = value;
          return list;
        };
        const spec: Product = { M, N: 13, K: 5, start: "zeros", gap: 0, numbers };
        close(product(sandbox, spec), product(reference, spec), 1e-6, `M ${M} value ${value}`);
      }
    }
  });

  test("the padding of the last panel never reaches a sum", () => {
    for (const N of [1, 5, 11, 30]) {
      sandbox.reset();
      const [K, M] = [7, 5];
      const w = sandbox.f32(exact(K * N));
      const panels = sandbox.f32(K * panelWidth(N));
      sandbox.kernels.f32_pack_nn(K, N, w.ptr, N, panels.ptr);
      const a = sandbox.f32(exact(M * K));
      const [c, d] = [sandbox.f32(M * N), sandbox.f32(M * N)];
      sandbox.kernels.f32_gemm_nn(M, 0, N, K, a.ptr, K, panels.ptr, 0, 0, c.ptr, N);
      const used = N % 8;
      const width = used > 4 ? 8 : 4;
      for (let k = 0; k < K; k++)
        panels.data.fill(NaN, (N - used) * K + k * width + used, (N - used) * K + (k + 1) * width);
      sandbox.kernels.f32_gemm_nn(M, 0, N, K, a.ptr, K, panels.ptr, 0, 0, d.ptr, N);
      same(d.data, c.data, `N ${N}`);
    }
  });
});

eachBuild("gemv_nn", (test, sandbox) => {
  test("the same as a product with one row, also in place", () => {
    for (const N of COLUMNS) {
      for (const K of TERMS) {
        for (const numbers of [exact, real]) {
          sandbox.reset();
          const x = sandbox.f32(numbers(K, 1));
          const panels = sandbox.f32(numbers(K * panelWidth(N), 2));
          const init = sandbox.f32(numbers(N, 3));
          const [y, c] = [sandbox.f32(N), sandbox.f32(N)];
          for (const from of [0, init.ptr]) {
            sandbox.kernels.f32_gemv_nn(N, K, x.ptr, panels.ptr, from, y.ptr);
            sandbox.kernels.f32_gemm_nn(1, 0, N, K, x.ptr, K, panels.ptr, from, 0, c.ptr, N);
            same(y.data, c.data, `N ${N} K ${K}`);
          }
          sandbox.kernels.f32_gemv_nn(N, K, x.ptr, panels.ptr, init.ptr, init.ptr);
          same(init.data, y.data, `in place, N ${N} K ${K}`);
          sandbox.checkGuards();
        }
      }
    }
  });
});

eachBuild("gemm_tn_acc", (test, sandbox) => {
  /** C += Aᵀ·D over M rows, of which `live` count. */
  function gradient(box: Sandbox, M: number, K: number, N: number, numbers: typeof exact, live?: number): Float32Array {
    box.reset();
    const a = box.f32(numbers(M * (K + 1), 1));
    const d = box.f32(numbers(M * (N + 2), 2));
    const c = box.f32(numbers(K * (N + 3), 3));
    const scratch = box.f32(transposedScratch(N));
    const rows = live === undefined ? 0 : box.i32([live]).ptr;
    box.kernels.f32_gemm_tn_acc(M, rows, K, N, a.ptr, K + 1, d.ptr, N + 2, c.ptr, N + 3, scratch.ptr);
    box.checkGuards();
    return c.data.slice();
  }

  test("bit for bit the twin on sums that are exact, in one chunk of rows and in several", () => {
    for (const M of [0, 1, 2, 7, 255, 256, 257, 600]) {
      // 31 and 127: rows a power of two apart
      for (const K of [0, 1, 2, 3, 4, 5, 6, 7, 13, 31, ...(M === 257 ? [127] : [])]) {
        for (const N of M < 255 ? COLUMNS : [1, 8, 21]) {
          same(gradient(sandbox, M, K, N, exact), gradient(reference, M, K, N, exact), `M ${M} K ${K} N ${N}`);
        }
      }
    }
  });

  test("bounded by the twin on real numbers", () => {
    for (const [M, K, N] of [
      [1031, 9, 12],
      [300, 50, 40],
    ]) {
      close(gradient(sandbox, M, K, N, real), gradient(reference, M, K, N, real), 4e-6, `M ${M} K ${K} N ${N}`);
    }
  });

  test("rows that are not live add nothing", () => {
    const all = gradient(reference, 6, 5, 9, exact);
    for (const live of [0, 4, 6, 8]) {
      const c = gradient(sandbox, 6, 5, 9, exact, live);
      same(c, gradient(reference, 6, 5, 9, exact, live), `live ${live}`);
      assert.is(
        c.every((x, i) => x === all[i]),
        live >= 6,
      );
    }
  });
});
