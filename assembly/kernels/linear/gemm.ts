/**
 * Matrix products with packed weights (lib/linear/panel.ts), row-major activations.
 *
 *   nn        C[M, N] = A[M, K] · W[K, N] + init          forward, and gradients of inputs with Wᵀ packed
 *   gemv      y[N]    = x[K] · W[K, N] + init             one row
 *   tn_acc    C[K, N] += A[M, K]ᵀ · D[M, N]               gradients of weights
 *
 * Layout    A, D, C, init row-major with row strides; W in panels.
 * Padding   none is needed: tails are stored in part, nothing is written past column N.
 * Aliasing  init may be c.
 * Accuracy  sums of K (tn: M) terms in order, tn in chunks of 256; relaxed rounds once per term, simd twice.
 * Cost      bench/README.md.
 */
import { loadPartial, madd, storePartial } from "../../lib/f32x4";
import { BLOCK_ROWS, gemm, product } from "../../lib/linear/gemm";
import { gemv } from "../../lib/linear/gemv";
import { f32_pack_nn } from "./pack";

/** Rows of D that are packed at a time: 256·N floats, which the second cache holds. */
const TN_CHUNK: usize = 256;

/** Row strides of A, in floats, of which a multiple leaves the rows of a chunk too few lines of the first cache. */
const CROWDED: usize = 32;

/**
 * Row stride of the columns of A that are copied: not crowded, room for a row's last four floats to be stored whole.
 */
const COPY_STRIDE: usize = BLOCK_ROWS + 4;

/** Columns of A, that is rows of C, from which on D is packed: it is read as often as there are tiles of them. */
const MANY: usize = 3;

/**
 * c[n] += Σₘ a(m)·d[m, n] for 16 columns (`whole`), a line of the cache, or the first `count` of 4. Strides in bytes.
 */
// @ts-ignore: decorator
@inline
function addColumns(whole: bool, count: usize, M: usize, a: usize, rs: usize, d: usize, ds: usize, c: usize): void {
  const zero = f32x4.splat(0);
  let s0 = whole ? v128.load(c) : loadPartial(c, count);
  let s1 = whole ? v128.load(c, 16) : zero,
    s2 = whole ? v128.load(c, 32) : zero,
    s3 = whole ? v128.load(c, 48) : zero;
  for (; M; M--, a += rs, d += ds) {
    const x = v128.load32_splat(a);
    s0 = madd(x, v128.load(d), s0);
    if (whole) s1 = madd(x, v128.load(d, 16), s1);
    if (whole) s2 = madd(x, v128.load(d, 32), s2);
    if (whole) s3 = madd(x, v128.load(d, 48), s3);
  }
  if (!whole) return storePartial(c, s0, count);
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** One row of C: c += aᵀ·D, D read as it lies. Strides in bytes. */
function addRow(M: usize, N: usize, a: usize, rs: usize, d: usize, ds: usize, c: usize): void {
  for (; N >= 16; N -= 16, d += 64, c += 64) addColumns(true, 4, M, a, rs, d, ds, c);
  for (; N > 0; N -= min<usize>(N, 4), d += 16, c += 16) addColumns(false, min<usize>(N, 4), M, a, rs, d, ds, c);
}

/** The first `columns` of some rows, tight. Strides in bytes. */
function copyColumns(rows: usize, columns: usize, a: usize, rs: usize, to: usize): void {
  for (; rows; rows--, a += rs, to += COPY_STRIDE << 2) {
    for (let k: usize = 0; k < columns; k += 4) v128.store(to + (k << 2), loadPartial(a + (k << 2), columns - k));
  }
}

/**
 * C = A·W + init.
 *
 * @param M       rows
 * @param live    in   [1] | 0      rows that count; the others of c are left alone
 * @param N, K    columns of c, terms of the sums (may be 0)
 * @param a       in   [M, K]
 * @param lda     row stride of a
 * @param panels  in   [K, panelWidth(N)] in panels
 * @param init    in   [M, N] | 0   what is added, 0 = nothing; may be c
 * @param ldinit  row stride of init, 0 = one row for all (a bias)
 * @param c       out  [M, N]
 * @param ldc     row stride of c
 */
export function f32_gemm_nn(
  M: usize,
  live: usize,
  N: usize,
  K: usize,
  a: usize,
  lda: usize,
  panels: usize,
  init: usize,
  ldinit: usize,
  c: usize,
  ldc: usize,
): void {
  assert(lda >= K && ldc >= N, "row strides");
  assert(init != c || ldinit == ldc, "init may be c only with its stride");
  if (live) M = min(M, <usize>load<i32>(live));
  gemm(M, N, K, a, lda, panels, init, ldinit, c, ldc, false);
}

/**
 * y = x·W + init for one row.
 *
 * @param N, K    extents
 * @param x       in   [K]
 * @param panels  in   [K, panelWidth(N)] in panels
 * @param init    in   [N] | 0   what is added, 0 = nothing; may be y
 * @param y       out  [N]
 */
export function f32_gemv_nn(N: usize, K: usize, x: usize, panels: usize, init: usize, y: usize): void {
  gemv(N, K, x, panels, init, y, false);
}

/**
 * C += Aᵀ·D.
 *
 * A is read down its columns, where rows a power of two apart fall into the same few lines of the first cache. Then the
 * columns of a block are copied first (measured: 24.1 → 25.9 of 32 G multiply-adds a second at K = 128 and 256). For
 * one or two columns D is not worth packing.
 *
 * @param M        rows of a and d: the terms of the sums
 * @param live     in      [1] | 0  rows that count
 * @param K, N     extents of c
 * @param a        in      [M, K]
 * @param lda      row stride of a
 * @param d        in      [M, N]
 * @param ldd      row stride of d
 * @param c        in/out  [K, N]
 * @param ldc      row stride of c
 * @param scratch  [256 · (panelWidth(N) + 100)] floats (TN_CHUNK, COPY_STRIDE)
 */
export function f32_gemm_tn_acc(
  M: usize,
  live: usize,
  K: usize,
  N: usize,
  a: usize,
  lda: usize,
  d: usize,
  ldd: usize,
  c: usize,
  ldc: usize,
  scratch: usize,
): void {
  assert(lda >= K && ldd >= N && ldc >= N, "row strides");
  if (live) M = min(M, <usize>load<i32>(live));
  const panels = scratch + ((TN_CHUNK * COPY_STRIDE) << 2);
  const crowded = lda % CROWDED == 0;
  for (let chunks = (M + TN_CHUNK - 1) / TN_CHUNK; chunks; chunks--) {
    const rows = (M + chunks - 1) / chunks;
    let left = K,
      column = a,
      to = c;
    if (K < MANY) for (; left; left--, column += 4, to += ldc << 2) addRow(rows, N, column, lda << 2, d, ldd << 2, to);
    else f32_pack_nn(rows, N, d, ldd, panels);
    for (let blocks = (left + BLOCK_ROWS - 1) / BLOCK_ROWS; blocks; blocks--) {
      const columns = (left + blocks - 1) / blocks;
      if (crowded) copyColumns(rows, columns, column, lda << 2, scratch);
      product(
        columns,
        N,
        rows,
        crowded ? scratch : column,
        4,
        (crowded ? COPY_STRIDE : lda) << 2,
        panels,
        to,
        ldc << 2,
        to,
        ldc << 2,
      );
      column += columns << 2;
      to += (columns * ldc) << 2;
      left -= columns;
    }
    a += (rows * lda) << 2;
    d += (rows * ldd) << 2;
    M -= rows;
  }
}
