/**
 * Products with packed weights, for kernels that multiply as part of something larger.
 *
 *   C[M, N] = A[M, K] · W + init
 *
 * Order     blocks of up to 96 rows, in each a panel of W at a time, down the panel in register tiles: the panel stays
 *           in the first cache, the rows of A in the second. Blocks and tiles take even shares of the rows
 *           (32 = 6 6 5 5 5 5): a tile of one or two rows runs at a quarter or half of the speed (measured). When there
 *           are no more, gemv takes them one by one.
 * Aliasing  init may be c: a tile reads its part before it writes it.
 */
import { madd } from "../f32x4";
import { gemv } from "./gemv";
import { widthAt, ZEROS } from "./panel";
import { MAX_ROWS, storeRow } from "./tile";
import { tileOf } from "./tiles";

/** Rows that are multiplied with all panels before the next rows are. */
export const BLOCK_ROWS: usize = 96;

/**
 * Weights that the second cache holds. More are read once for two rows, though a tile of two is slower (measured: 1.6
 * times as fast).
 */
const CACHED: usize = 1 << 18;

/**
 * Some rows by one panel of width NR, with one term: there is no sum to keep in registers (measured: half of the time
 * of tiles).
 */
// @ts-ignore: decorator
@inline
function oneTerm(
  NR: i32,
  count: usize,
  M: usize,
  a: usize,
  rs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  const zero = f32x4.splat(0);
  const lo = v128.load(panel),
    hi = NR > 4 ? v128.load(panel, 16) : zero;
  for (const end = c + M * os; c != end; a += rs, init += is, c += os) {
    const x = v128.load32_splat(a);
    const y = madd(x, lo, v128.load(init));
    storeRow(NR, c, y, NR > 4 ? madd(x, hi, v128.load(init, 16)) : zero, count);
  }
}

/** Some rows by one panel of width NR: tiles of two heights, the taller first. Strides in bytes. */
// @ts-ignore: decorator
@inline
function column(
  NR: i32,
  count: usize,
  M: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  if (K == 1) {
    oneTerm(NR, count, M, a, rs, panel, init, is, c, os);
    return;
  }
  const tiles = (M + MAX_ROWS - 1) / MAX_ROWS;
  const rows = (M + tiles - 1) / tiles;
  const less = rows - 1;
  const end = c + M * os;
  const last = end - (tiles * rows - M) * less * os;
  for (; c != last; a += rows * rs, init += rows * is, c += rows * os) {
    tileOf(rows, NR, count, K, a, rs, cs, panel, init, is, c, os);
  }
  for (; c != end; a += less * rs, init += less * is, c += less * os) {
    tileOf(less, NR, count, K, a, rs, cs, panel, init, is, c, os);
  }
}

/**
 * C = A·W + init, where a(m, k) is at a + m·rs + k·cs. Strides in bytes.
 *
 * @param M, N, K    extents
 * @param a, rs, cs  in   left operand, its stride by row and by term
 * @param panels     in   [K, panelWidth(N)] in panels
 * @param init, is   in   [M, N] and its row stride | 0 = zeros, stride 0 too; stride 0 = one row for all
 * @param c, os      out  [M, N] and its row stride
 */
export function product(
  M: usize,
  N: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panels: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  let blocks = (M + BLOCK_ROWS - 1) / BLOCK_ROWS;
  while (blocks) {
    const rows = (M + blocks - 1) / blocks;
    let panel = panels;
    for (let n: usize = 0; n < N; n += 8) {
      const at = init ? init + (n << 2) : ZEROS;
      if (widthAt(N, n) == 8) {
        column(8, N - n, rows, K, a, rs, cs, panel, at, is, c + (n << 2), os);
        panel += K << 5;
      } else {
        column(4, N - n, rows, K, a, rs, cs, panel, at, is, c + (n << 2), os);
      }
    }
    a += rows * rs;
    init += rows * is;
    c += rows * os;
    M -= rows;
    blocks--;
  }
}

/**
 * C = A·W + init with A row-major: what a cell calls at every step.
 *
 * @param M, N, K       extents
 * @param a, lda        in   [M, K]
 * @param panels        in   [K, panelWidth(N)] in panels
 * @param init, ldinit  in   [M, N] | 0 = zeros; ldinit 0 = one row for all; may be c
 * @param c, ldc        out  [M, N]
 * @param back          one row: from the last panel to the first (lib/linear/gemv.ts)
 */
export function gemm(
  M: usize,
  N: usize,
  K: usize,
  a: usize,
  lda: usize,
  panels: usize,
  init: usize,
  ldinit: usize,
  c: usize,
  ldc: usize,
  back: bool,
): void {
  const rs = lda << 2,
    is = init ? ldinit << 2 : 0,
    os = ldc << 2;
  if (M > 2 || (M == 2 && N * K > CACHED)) product(M, N, K, a, rs, 4, panels, init, is, c, os);
  else for (; M; M--, a += rs, init += is, c += os) gemv(N, K, a, panels, init, c, back);
}
