/**
 * Products with int8 weights, and rows out of int8 tables.
 *
 *   C[M, N] = A[M, K] · W[K, N] + init        A in 7 or 14 bits, a scale per row; W in 8 bits, a scale per column
 *
 * Layout    A, C, init row-major with row strides; W in int8 panels (lib/int8/q8_panel.ts).
 * Padding   none is needed: tails are stored in part.
 * Aliasing  init may be c.
 * Accuracy  the sums are exact, so every build gives the same bits; beyond 2048 terms, the same roundings.
 * Cost      bench/README.md.
 */
import { storePartial } from "../../lib/f32x4";
import { gateColumn, panelWidth, widthAt } from "../../lib/linear/panel";
import { gemm } from "../../lib/int8/q8_gemm";
import { CHUNK, chunkBytes, panelBytes } from "../../lib/int8/q8_panel";

/**
 * Four products of a weight and a term, and 5, by the opcode that this module sums with. With a term beyond 127 it
 * shows how an engine makes the relaxed dot: see bindings/runtime/wasm/int8.ts.
 */
export function abi_dot(weight: i32, term: i32): i32 {
  const w = i8x16.splat(<i8>weight),
    x = i8x16.splat(<i8>term),
    c = i32x4.splat(5);
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c), 0);
  const sums = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(w), i16x8.extend_low_i8x16_s(x));
  return i32x4.extract_lane(i32x4.add(i32x4.add(sums, sums), c), 0);
}

/**
 * C = A·W + init.
 *
 * @param M       rows
 * @param live    in   [1] | 0      rows that count; the others of c are left alone
 * @param N, K    columns of c, terms of the sums
 * @param a       in   [M, K]
 * @param lda     row stride of a
 * @param w       in   [K, panelWidth(N)] in int8 panels
 * @param init    in   [M, N] | 0   what is added, 0 = nothing; may be c
 * @param ldinit  row stride of init, 0 = one row for all (a bias)
 * @param c       out  [M, N]
 * @param ldc     row stride of c
 * @param scratch      576 + 2·K'·min(M, 96) bytes, K' = K rounded up to 16
 * @param bits    of the activations: 7 or 14
 */
export function q8_gemm_nn(
  M: usize,
  live: usize,
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
  assert(lda >= K && ldc >= N, "row strides");
  assert(init != c || ldinit == ldc, "init may be c only with its stride");
  if (live) M = min(M, <usize>load<i32>(live));
  gemm(M, N, K, a, lda, w, init, ldinit, c, ldc, scratch, bits);
}

/**
 * Packs a gated int8 weight with its columns in panel order; G = 1 packs any matrix.
 *
 * @param K, G, H  rows, gates, units
 * @param w        in   int8 [K, G·H]
 * @param ldw      row stride of w
 * @param scales   in   [G·H]                    scale of each column
 * @param panels   out  [K, G·panelWidth(H)] in int8 panels
 */
export function q8_pack_gates_nn(
  K: usize,
  G: usize,
  H: usize,
  w: usize,
  ldw: usize,
  scales: usize,
  panels: usize,
): void {
  const N = G * panelWidth(H);
  const all = panels;
  memory.fill(panels, 0, N << 2);
  for (let k: usize = 0, to = panels + (N << 2); k < K || !k; k += CHUNK) {
    const terms = min(K - k, CHUNK);
    memory.fill(to, 0, chunkBytes(terms, N));
    for (let g: usize = 0; g < G; g++) {
      for (let j: usize = 0; j < H; j++) {
        const n = gateColumn(G, H, g, j);
        const from = w + k * ldw + g * H + j;
        const width = widthAt(N, n & ~7);
        const first = to + (N << 2) + (n >> 3) * panelBytes(terms) + ((n & 7) << 2);
        let sum: i32 = 0;
        for (let t: usize = 0; t < terms; t++) {
          const value = load<i8>(from + t * ldw);
          sum -= value;
          store<i8>(first + (t >> 2) * (width << 2) + (t & 3), value);
        }
        store<i32>(to + (n << 2), sum);
        store<f32>(all + (n << 2), load<f32>(scales + ((g * H + j) << 2)));
      }
    }
    to += chunkBytes(terms, N);
  }
}

/**
 * Rows of an int8 table as floats.
 *
 * @param M       rows of y
 * @param live    in   [1] | 0      rows that count; the others of y are left alone
 * @param N       columns
 * @param x       in   int8 [rows, N]
 * @param scales  in   [rows]
 * @param index   in   [M] | 0      row of x for each row of y, zeros where it is negative; 0 = all rows in order
 * @param y       out  [M, N]
 * @param ldy     row stride of y
 */
export function q8_gather_rows(
  M: usize,
  live: usize,
  N: usize,
  x: usize,
  scales: usize,
  index: usize,
  y: usize,
  ldy: usize,
): void {
  if (live) M = min(M, <usize>load<i32>(live));
  for (let m: usize = 0; m < M; m++, y += ldy << 2) {
    const row = index ? load<i32>(index + (m << 2)) : <i32>m;
    if (row < 0) {
      memory.fill(y, 0, N << 2);
      continue;
    }
    const scale = v128.load32_splat(scales + ((<usize>row) << 2));
    const from = x + <usize>row * N;
    for (let n: usize = 0; n < N; n += 4) {
      const four = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(from + n)));
      storePartial(y + (n << 2), f32x4.mul(f32x4.convert_i32x4_s(four), scale), min(N - n, <usize>4));
    }
  }
}
