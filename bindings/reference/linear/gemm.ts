/** Matrix products with packed weights: twin of assembly/kernels/linear/gemm.ts. */
import { panelOffset, panelWidth } from "../../abi/panel.ts";
import { liveRows, matrix, type Views } from "../views.ts";

/** C[m, n] = init[m, n] + Σₖ A[m, k] · W[k, n] */
function product(
  views: Views,
  M: number,
  live: number,
  N: number,
  K: number,
  a: number,
  lda: number,
  panels: number,
  init: number,
  ldinit: number,
  c: number,
  ldc: number,
): void {
  const rows = liveRows(views, live, M);
  const A = matrix(views, a, rows, K, lda);
  const W = views.f32(panels, K * panelWidth(N));
  const C = matrix(views, c, rows, N, ldc);
  const I = init === 0 ? undefined : matrix(views, init, rows, N, ldinit);
  for (let m = 0; m < rows; m++) {
    for (let n = 0; n < N; n++) {
      let sum = I === undefined ? 0 : I[m * ldinit + n];
      for (let k = 0; k < K; k++) sum += A[m * lda + k] * W[panelOffset(K, N, k, n)];
      C[m * ldc + n] = sum;
    }
  }
}

export const gemm = (views: Views) => ({
  f32_gemm_nn(
    M: number,
    live: number,
    N: number,
    K: number,
    a: number,
    lda: number,
    panels: number,
    init: number,
    ldinit: number,
    c: number,
    ldc: number,
  ): void {
    product(views, M, live, N, K, a, lda, panels, init, ldinit, c, ldc);
  },

  f32_gemv_nn(N: number, K: number, x: number, panels: number, init: number, y: number): void {
    product(views, 1, 0, N, K, x, K, panels, init, N, y, N);
  },
});

export const gemmTraining = (views: Views) => ({
  /** C[k, n] += Σₘ A[m, k] · D[m, n] */
  f32_gemm_tn_acc(
    M: number,
    live: number,
    K: number,
    N: number,
    a: number,
    lda: number,
    d: number,
    ldd: number,
    c: number,
    ldc: number,
    scratch: number,
  ): void {
    void scratch;
    const rows = liveRows(views, live, M);
    const A = matrix(views, a, rows, K, lda);
    const D = matrix(views, d, rows, N, ldd);
    const C = matrix(views, c, K, N, ldc);
    for (let k = 0; k < K; k++) {
      for (let n = 0; n < N; n++) {
        let sum = C[k * ldc + n];
        for (let m = 0; m < rows; m++) sum += A[m * lda + k] * D[m * ldd + n];
        C[k * ldc + n] = sum;
      }
    }
  },
});
