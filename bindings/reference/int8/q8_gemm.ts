/** Products with int8 weights: twin of assembly/kernels/int8/q8_gemm.ts, to the bit. */
import type { Kernels } from "../../generated/kernels.ts";
import { gateColumn, panelWidth } from "../../abi/panel.ts";
import { int8Chunks, int8Offset, int8PackedBytes } from "../../abi/int8_panel.ts";
import { liveRows, matrix, type Views } from "../views.ts";

const { fround } = Math;

/** A row as integers, and what one of them stands for. */
export interface QuantizedRow {
  readonly q: Int32Array;
  readonly scale: number;
}

const MAGIC = 1.5 * 2 ** 23;
const TINY = fround(1e-30);

/** q = round(x · L / max|x|), ties to even; scale max|x| / L. Every operation is rounded to a float. */
export function quantizeRow(x: ArrayLike<number>, bits: number): QuantizedRow {
  const levels = bits === 14 ? 8191 : 63;
  let m = 0;
  for (let k = 0; k < x.length; k++) m = Math.max(m, Math.abs(x[k]));
  const q = new Int32Array(x.length);
  if (m < TINY) return { q, scale: 0 };
  const inverse = fround(levels / m);
  for (let k = 0; k < x.length; k++) q[k] = fround(fround(x[k] * inverse) + MAGIC) - MAGIC;
  return { q, scale: m < Infinity ? fround(m / levels) : NaN };
}

/** C[m, n] = scales · Σₖ q[m, k] · w[k, n] + init[m, n], chunk by chunk */
export function product(
  views: Views,
  M: number,
  N: number,
  K: number,
  a: number,
  lda: number,
  w: number,
  init: number,
  ldinit: number,
  c: number,
  ldc: number,
  bits: number,
): void {
  const A = matrix(views, a, M, K, lda);
  const C = matrix(views, c, M, N, ldc);
  const I = init === 0 ? undefined : matrix(views, init, M, N, ldinit);
  const scales = views.f32(w, panelWidth(N));
  const W = views.i8(w, int8PackedBytes(K, N));
  const pieces = int8Chunks(K, N);
  for (let m = 0; m < M; m++) {
    const { q, scale } = quantizeRow(A.subarray(m * lda, m * lda + K), bits);
    for (let n = 0; n < N; n++) {
      let value = I === undefined ? 0 : I[m * ldinit + n];
      for (const { first, rows, panels } of pieces) {
        let sum = 0;
        for (let k = 0; k < rows; k++) sum += q[first + k] * W[panels + int8Offset(rows, N, k, n)];
        value = fround(fround(fround(sum) * fround(scale * scales[n])) + value);
      }
      C[m * ldc + n] = value;
    }
  }
}

export const int8Gemm = (views: Views) =>
  ({
    abi_dot: (weight, term) => 4 * ((weight << 24) >> 24) * ((term << 24) >> 24) + 5,

    q8_gemm_nn(M, live, N, K, a, lda, w, init, ldinit, c, ldc, _scratch, bits) {
      product(views, liveRows(views, live, M), N, K, a, lda, w, init, ldinit, c, ldc, bits);
    },

    q8_pack_gates_nn(K, G, H, w, ldw, scales, panels) {
      const N = G * panelWidth(H);
      const from = views.i8(w, K === 0 ? 0 : (K - 1) * ldw + G * H);
      const S = views.f32(scales, G * H);
      const to = views.i8(panels, int8PackedBytes(K, N)).fill(0);
      const toScales = views.f32(panels, N);
      for (let g = 0; g < G; g++) {
        for (let j = 0; j < H; j++) {
          const n = gateColumn(G, H, g, j);
          toScales[n] = S[g * H + j];
          for (const { first, rows, sums, panels: at } of int8Chunks(K, N)) {
            let sum = 0;
            for (let k = 0; k < rows; k++) {
              const value = from[(first + k) * ldw + g * H + j];
              to[at + int8Offset(rows, N, k, n)] = value;
              sum -= value;
            }
            views.i32(panels + sums, N)[n] = sum;
          }
        }
      }
    },

    q8_gather_rows(M, live, N, x, scales, index, y, ldy) {
      const rows = liveRows(views, live, M);
      const from = index ? views.i32(index, rows) : Int32Array.from({ length: rows }, (_, m) => m);
      for (let m = 0; m < rows; m++) {
        const row = views.f32(y + m * ldy * 4, N);
        if (from[m] < 0) {
          row.fill(0);
          continue;
        }
        const scale = views.f32(scales + from[m] * 4, 1)[0];
        views.i8(x + from[m] * N, N).forEach((value, n) => {
          row[n] = value * scale;
        });
      }
    },
  }) satisfies Partial<Kernels>;
