/** Twin of assembly/kernels/reduction/vec_reduce.ts: sums, dot products, largest elements. */
import type { Kernels } from "../../generated/kernels.ts";
import { liveRows, matrix, type Views } from "../views.ts";

/** Whether v takes the place of `best`: it is larger, or the first NaN. */
const beats = (v: number, best: number): boolean => !(v <= best) && !Number.isNaN(best);

export const vecReduce = ({ f32, i32 }: Views) => {
  return {
    /** y[o, i] = Σₖ x[o, k, i] */
    f32_rsum(outer, n, inner, x, y) {
      const [X, Y] = [f32(x, outer * n * inner), f32(y, outer * inner)];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += X[(o * n + k) * inner + i];
          Y[o * inner + i] = sum;
        }
      }
    },

    /** y[o, k, i] = x[o, i] */
    f32_repeat(outer, n, inner, x, y) {
      const [X, Y] = [f32(x, outer * inner), f32(y, outer * n * inner)];
      for (let o = 0; o < outer; o++) {
        for (let k = 0; k < n; k++) Y.set(X.subarray(o * inner, (o + 1) * inner), (o * n + k) * inner);
      }
    },

    /** y[o, i] = maxₖ x[o, k, i], and the k of it */
    f32_rmax_fwd(outer, n, inner, x, y, arg) {
      const [X, Y, K] = [f32(x, outer * n * inner), f32(y, outer * inner), i32(arg, outer * inner)];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const at = (k: number): number => X[(o * n + k) * inner + i];
          let best = 0;
          for (let k = 1; k < n; k++) if (beats(at(k), at(best))) best = k;
          Y[o * inner + i] = at(best);
          K[o * inner + i] = best;
        }
      }
    },

    i32_rargmax(M, N, x, y) {
      const [X, Y] = [f32(x, M * N), i32(y, M)];
      for (let m = 0; m < M; m++) {
        let best = 0;
        for (let n = 1; n < N; n++) if (beats(X[m * N + n], X[m * N + best])) best = n;
        Y[m] = best;
      }
    },
  } satisfies Partial<Kernels>;
};

export const vecReduceTraining = (views: Views) => {
  const { f32, f64, i32 } = views;

  return {
    /** y[n] += Σₘ x[m, n] */
    f32_rsum_rows_acc(M, live, N, x, ldx, y) {
      const rows = liveRows(views, live, M);
      const [X, Y] = [matrix(views, x, rows, N, ldx), f32(y, N)];
      for (let n = 0; n < N; n++) {
        let sum = Y[n];
        for (let m = 0; m < rows; m++) sum += X[m * ldx + n];
        Y[n] = sum;
      }
    },

    /** dx[o, k, i] = dy[o, i] where k = arg[o, i], else 0 */
    f32_rmax_bwd(outer, n, inner, arg, dy, dx) {
      const [K, DY, DX] = [i32(arg, outer * inner), f32(dy, outer * inner), f32(dx, outer * n * inner)];
      DX.fill(0);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) DX[(o * n + K[o * inner + i]) * inner + i] = DY[o * inner + i];
      }
    },

    /** y = Σ a[i]·b[i] */
    f32_rdot(n, a, b, y) {
      const [A, B] = [f32(a, n), f32(b, n)];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += A[i] * B[i];
      f32(y, 1)[0] = sum;
    },

    /** y += Σ x[i]², y in f64 */
    f32_rsumsq_acc(n, x, y) {
      const X = f32(x, n);
      let sum = 0;
      for (let i = 0; i < n; i++) sum += X[i] * X[i];
      f64(y, 1)[0] += sum;
    },
  } satisfies Partial<Kernels>;
};
