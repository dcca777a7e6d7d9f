/** Twin of assembly/kernels/training/softmax_xent.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import { logSumExp, sumOver } from "../reduction/softmax.ts";
import type { Views } from "../views.ts";

export const softmaxXent = ({ f32, i32 }: Views) => {
  const row = (ptr: number, m: number, N: number): Float32Array => f32(ptr + m * N * 4, N);

  /** dx = dloss·(p·Σt − t), p = softmax(x) */
  const gradient = (x: Float32Array, logSum: number, t: (n: number) => number, dloss: number): Float32Array => {
    const { top } = logSumExp(x);
    const weight = sumOver(x.length, t);
    return x.map((value, n) => dloss * (Math.exp(value - top - logSum) * weight - t(n)));
  };

  return {
    /** loss = −ln p[label] */
    f32_softmax_xent_sparse_fwd(M, N, x, labels, loss, lse) {
      for (let m = 0; m < M; m++) {
        const X = row(x, m, N);
        const label = i32(labels, M)[m];
        const { top, logSum } = logSumExp(X);
        f32(lse, M)[m] = label < 0 ? 0 : logSum;
        f32(loss, M)[m] = label < 0 ? 0 : logSum - (X[label] - top);
      }
    },

    f32_softmax_xent_sparse_bwd(M, N, x, labels, lse, dloss, dx) {
      for (let m = 0; m < M; m++) {
        const label = i32(labels, M)[m];
        if (label < 0) row(dx, m, N).fill(0);
        else row(dx, m, N).set(gradient(row(x, m, N), f32(lse, M)[m], (n) => (n === label ? 1 : 0), f32(dloss, M)[m]));
      }
    },

    /** loss = −Σ t·ln p, where t = 0 contributes nothing */
    f32_softmax_xent_dense_fwd(M, N, x, targets, loss, lse) {
      for (let m = 0; m < M; m++) {
        const [X, t] = [row(x, m, N), row(targets, m, N)];
        const { top, logSum } = logSumExp(X);
        f32(lse, M)[m] = logSum;
        f32(loss, M)[m] = sumOver(N, (n) => (t[n] === 0 ? 0 : t[n] * (logSum - (X[n] - top))));
      }
    },

    f32_softmax_xent_dense_bwd(M, N, x, targets, lse, dloss, dx) {
      for (let m = 0; m < M; m++) {
        const t = row(targets, m, N);
        row(dx, m, N).set(gradient(row(x, m, N), f32(lse, M)[m], (n) => t[n], f32(dloss, M)[m]));
      }
    },
  } satisfies Partial<Kernels>;
};
