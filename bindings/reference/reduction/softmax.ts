/** Twin of assembly/kernels/reduction/softmax.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

/** Σ f(n) for n = 0…N−1. */
export function sumOver(N: number, f: (n: number) => number): number {
  let sum = 0;
  for (let n = 0; n < N; n++) sum += f(n);
  return sum;
}

/** The largest logit and ln Σ exp(x − largest). */
export function logSumExp(x: Float32Array): { top: number; logSum: number } {
  const top = x.reduce((a, b) => Math.max(a, b), -Infinity);
  return { top, logSum: Math.log(sumOver(x.length, (n) => Math.exp(x[n] - top))) };
}

/** Row m of a matrix of N columns. */
const rowOf =
  ({ f32 }: Views) =>
  (ptr: number, m: number, N: number): Float32Array =>
    f32(ptr + m * N * 4, N);

export const softmax = (views: Views) => {
  const row = rowOf(views);

  return {
    /** y = exp(x) / Σ exp(x) */
    f32_softmax_fwd(M, N, x, y) {
      for (let m = 0; m < M; m++) {
        const { top, logSum } = logSumExp(row(x, m, N));
        row(y, m, N).set(row(x, m, N).map((value) => Math.exp(value - top - logSum)));
      }
    },

    /** y = x − ln Σ exp(x) */
    f32_log_softmax_fwd(M, N, x, y) {
      for (let m = 0; m < M; m++) {
        const { top, logSum } = logSumExp(row(x, m, N));
        row(y, m, N).set(row(x, m, N).map((value) => value - top - logSum));
      }
    },
  } satisfies Partial<Kernels>;
};

export const softmaxTraining = (views: Views) => {
  const row = rowOf(views);

  return {
    /** dx = y ⊙ (dy − Σ y⊙dy) */
    f32_softmax_bwd(M, N, y, dy, dx) {
      for (let m = 0; m < M; m++) {
        const [Y, dY] = [row(y, m, N), row(dy, m, N)];
        const mean = sumOver(N, (n) => Y[n] * dY[n]);
        row(dx, m, N).set(Y.map((p, n) => p * (dY[n] - mean)));
      }
    },

    /** dx = dy − exp(y)·Σ dy */
    f32_log_softmax_bwd(M, N, y, dy, dx) {
      for (let m = 0; m < M; m++) {
        const [Y, dY] = [row(y, m, N), row(dy, m, N)];
        const total = sumOver(N, (n) => dY[n]);
        row(dx, m, N).set(Y.map((logP, n) => dY[n] - Math.exp(logP) * total));
      }
    },
  } satisfies Partial<Kernels>;
};
