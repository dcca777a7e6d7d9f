/**
 * Products of quantised rows with int8 weights (lib/int8/q8_panel.ts), for kernels that multiply as part of something
 * larger.
 *
 *   C[M, N] = scale of the row · scale of the column · Σ q·w + init
 *
 * Rows are quantised in blocks, then multiplied panel by panel in tiles of integers (lib/int8/q8_tile.ts). Two
 * multiplications and an addition, each rounded, turn a sum into what is stored, in every build the same.
 */
import { storePartial } from "../f32x4";
import { panelWidth, widthAt, ZEROS } from "../linear/panel";
import { COLUMNS } from "./q8_dot";
import { BLOCK, CHUNK, chunkBytes, limbBytes, limbsOf, panelBytes, ROW_SCALES, TILE_SUMS } from "./q8_panel";
import { quantizeRows } from "./q8_quantize";
import { tile, WIDEST } from "./q8_tile";

/** What the offset of the rows added to a sum, to be taken back: −Σ of four columns times the offset. */
// @ts-ignore: decorator
@inline
function offsets(limbs: usize, less: usize): v128 {
  return i32x4.shl(v128.load(less), limbs == 1 ? 6 : 13);
}

/**
 * Four columns of a row as integers, out of its sums: what the offset added taken back, limbs put together; or halves
 * added.
 */
// @ts-ignore: decorator
@inline
function integers(limbs: usize, sums: usize, next: usize, offset: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) {
    const a = v128.load(sums),
      b = v128.load(sums, 16);
    return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
  }
  // limbs may leave 32 bits on the way, but come back: the result fits
  const low = i32x4.add(v128.load(sums), offset);
  return limbs == 1 ? low : i32x4.add(low, i32x4.shl(v128.load(sums + next), 7));
}

/** A sum of integers times the scales of its row and its column, and what it is added to. */
// @ts-ignore: decorator
@inline
function scaled(sum: v128, row: v128, column: v128, init: usize): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(row, column)), v128.load(init));
}

/**
 * A tile's sums to floats.
 *
 * @param R, U      rows of integers, units
 * @param count     columns from the tile's first on
 * @param scales    in   of the rows
 * @param columns   in   scales of the tile's columns
 * @param less      in   −Σ of the tile's columns
 */
// @ts-ignore: decorator
@inline
function finish(
  R: usize,
  U: usize,
  limbs: usize,
  count: usize,
  sums: usize,
  scales: usize,
  columns: usize,
  less: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  const bytes = U << 4;
  const step: usize = ASC_FEATURE_RELAXED_SIMD ? 16 : 32;
  for (const end = sums + R * bytes; sums != end; sums += limbs * bytes, scales += 4, init += is, c += os) {
    const row = v128.load32_splat(scales);
    let at: usize = 0,
      left = count;
    for (let s = sums; s != sums + bytes; s += step, at += 16, left -= 4) {
      const value = scaled(
        integers(limbs, s, bytes, offsets(limbs, less + at)),
        row,
        v128.load(columns + at),
        init + at,
      );
      if (left >= 4) v128.store(c + at, value);
      else storePartial(c + at, value, left);
      if (left <= 4) break;
    }
  }
}

/**
 * The same for 8 columns of several rows: what belongs to columns is loaded once (measured: 12 % of a batch of LSTMs).
 */
// @ts-ignore: decorator
@inline
function finishPanel(
  R: usize,
  limbs: usize,
  sums: usize,
  scales: usize,
  columns: usize,
  less: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  const left = offsets(limbs, less),
    right = offsets(limbs, less + 16);
  const columnsLeft = v128.load(columns),
    columnsRight = v128.load(columns, 16);
  for (const end = sums + (R << 5); sums != end; sums += limbs << 5, scales += 4, init += is, c += os) {
    const row = v128.load32_splat(scales);
    v128.store(c, scaled(integers(limbs, sums, 32, left), row, columnsLeft, init));
    v128.store(c, scaled(integers(limbs, sums + 16, 32, right), row, columnsRight, init + 16), 16);
  }
}

/** One chunk of the weights by a block of rows. Arguments as below, strides in bytes. */
function chunk(
  rows: usize,
  limbs: usize,
  N: usize,
  K: usize,
  q: usize,
  limb: usize,
  scratch: usize,
  columns: usize,
  w: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  const sums = scratch + ROW_SCALES;
  const panels = w + (panelWidth(N) << 2);
  const stride = panelBytes(K);
  const groups = (K + 3) >> 2;
  const tall: usize = rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
  let n: usize = 0;
  while (n < N) {
    // as many units as the accumulators allow, all in wide panels, or a vector of columns; rather 8 and 8 than 12 and
    // 4, and a third row has no tile as wide
    let U: usize = 8 / tall;
    const left = N - n;
    if (tall < 4 && rows != 3 && left > (WIDEST / tall) * COLUMNS - 4 && left != (16 * COLUMNS) / tall)
      U = WIDEST / tall;
    while (U * COLUMNS > 4 && N - n <= U * COLUMNS - 4) U >>= 1;
    const group: usize = widthAt(N, n & ~7) << 2;
    const p = panels + (n >> 3) * stride + ((n & 4) << 2);
    const at = n << 2;
    const from = init ? init + at : ZEROS;
    let r: usize = 0,
      R = tall;
    while (r < rows) {
      while (R > rows - r) R >>= 1;
      tile(R, U, groups, q + r * limb, limb, p, stride, group, sums);
      const row = r / limbs;
      const scales = scratch + (row << 2),
        b = from + row * is,
        to = c + at + row * os;
      if (ASC_FEATURE_RELAXED_SIMD && U == 2 && N - n >= 8) {
        // the number of limbs as a literal
        if (limbs == 1) finishPanel(R, 1, sums, scales, columns + at, w + at, b, is, to, os);
        else finishPanel(R, 2, sums, scales, columns + at, w + at, b, is, to, os);
      } else {
        finish(R, U, limbs, N - n, sums, scales, columns + at, w + at, b, is, to, os);
      }
      r += R;
    }
    n += U * COLUMNS;
  }
}

/** Bytes of scratch for M rows of K. */
export function scratchBytes(M: usize, K: usize): usize {
  return ROW_SCALES + TILE_SUMS + 2 * ((K + 15) & ~15) * min(M, BLOCK);
}

/**
 * C = A·W + init.
 *
 * @param M, N, K       extents
 * @param a, lda        in   [M, K]
 * @param w             in   [K, panelWidth(N)] in int8 panels
 * @param init, ldinit  in   [M, N] | 0 = zeros; ldinit 0 = one row for all; may be c
 * @param c, ldc        out  [M, N]
 * @param scratch       384 + 192 + 2·K'·min(M, 96) bytes, K' = K rounded up to 16
 * @param bits          of the activations: 7 or 14
 */
export function gemm(
  M: usize,
  N: usize,
  K: usize,
  a: usize,
  lda: usize,
  w: usize,
  init: usize,
  ldinit: usize,
  c: usize,
  ldc: usize,
  scratch: usize,
  bits: usize,
): void {
  const limbs = limbsOf(bits),
    limb = limbBytes(K);
  const os = ldc << 2;
  const panels = w + (panelWidth(N) << 2);
  while (M) {
    const rows = min(M, BLOCK);
    quantizeRows(rows, K, a, lda, bits, scratch);
    let q = scratch + ROW_SCALES + TILE_SUMS,
      p = panels,
      from = init,
      is = init ? ldinit << 2 : 0;
    for (let k: usize = 0; k < K || !k; k += CHUNK) {
      const terms = min(K - k, CHUNK);
      chunk(rows * limbs, limbs, N, terms, q, limb, scratch, w, p, from, is, c, os);
      p += chunkBytes(terms, N);
      q += ASC_FEATURE_RELAXED_SIMD ? CHUNK : CHUNK << 1;
      from = c;
      is = os;
    }
    a += (rows * lda) << 2;
    if (init) init += (rows * ldinit) << 2;
    c += rows * os;
    M -= rows;
  }
}
