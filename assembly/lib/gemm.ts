/**
 * Products with packed weights, for kernels that multiply as part of something larger.
 *
 *   C[M, N] = A[M, K] · W + init
 *
 * Order     blocks of up to 96 rows, in each a panel of W at a time, down the panel in register tiles: the panel stays
 *           in the first cache, the rows of A in the second. Blocks and tiles take even shares of the rows
 *           (32 = 6 6 5 5 5 5), for a tile of one or two rows runs at a third of the speed. One row alone takes gemv.
 * Aliasing  init may be c: a tile reads its part before it writes it.
 */
import { gemv } from "./gemv";
import { widthAt } from "./panel";
import { MAX_ROWS, tile } from "./tile";

/** Rows that are multiplied with all panels before the next rows are. */
const BLOCK_ROWS: usize = 96;

/** Some rows by one panel of width NR. Strides in bytes. */
// @ts-ignore: decorator
@inline
function column(
  NR: i32, count: usize, M: usize, K: usize, a: usize, rs: usize, cs: usize, panel: usize,
  init: usize, is: usize, c: usize, os: usize,
): void {
  let tiles = (M + MAX_ROWS - 1) / MAX_ROWS;
  while (tiles) {
    const rows = (M + tiles - 1) / tiles;
    if (MAX_ROWS == 6 && rows == 6) tile(6, NR, count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 5) tile(5, NR, count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 4) tile(4, NR, count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 3) tile(3, NR, count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 2) tile(2, NR, count, K, a, rs, cs, panel, init, is, c, os);
    else tile(1, NR, count, K, a, rs, cs, panel, init, is, c, os);
    a += rows * rs;
    if (init) init += rows * is;
    c += rows * os;
    M -= rows;
    tiles--;
  }
}

/**
 * C = A·W + init, where a(m, k) is at a + m·rs + k·cs. Strides in bytes.
 *
 * @param M, N, K    extents
 * @param a, rs, cs  in   left operand, its stride by row and by term
 * @param panels     in   [K, panelWidth(N)] in panels
 * @param init, is   in   [M, N] and its row stride | 0 = zeros; stride 0 = one row for all
 * @param c, os      out  [M, N] and its row stride
 */
export function product(
  M: usize, N: usize, K: usize, a: usize, rs: usize, cs: usize, panels: usize,
  init: usize, is: usize, c: usize, os: usize,
): void {
  let blocks = (M + BLOCK_ROWS - 1) / BLOCK_ROWS;
  while (blocks) {
    const rows = (M + blocks - 1) / blocks;
    let panel = panels;
    for (let n: usize = 0; n < N; n += 8) {
      const at = init ? init + (n << 2) : 0;
      if (widthAt(N, n) == 8) {
        column(8, N - n, rows, K, a, rs, cs, panel, at, is, c + (n << 2), os);
        panel += K << 5;
      } else {
        column(4, N - n, rows, K, a, rs, cs, panel, at, is, c + (n << 2), os);
      }
    }
    a += rows * rs;
    if (init) init += rows * is;
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
 */
export function gemm(
  M: usize, N: usize, K: usize, a: usize, lda: usize, panels: usize,
  init: usize, ldinit: usize, c: usize, ldc: usize,
): void {
  if (M == 1) gemv(N, K, a, panels, init, c);
  else product(M, N, K, a, lda << 2, 4, panels, init, ldinit << 2, c, ldc << 2);
}
