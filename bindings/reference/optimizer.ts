/** Twin of assembly/kernels/optimizer.ts, and the names of what its hyper lists hold. */
import type { Kernels } from "../generated/kernels.ts";
import type { Views } from "./views.ts";

/** Fields of hyper, in order; what each means is said at its kernel. */
export const SGD_HYPER = ["rate", "l2", "decay", "momentum", "share", "torch"] as const;
export const RMSPROP_HYPER = ["rate", "l2", "decay", "momentum", "rho", "share", "epsilon", "torch"] as const;
export const ADAM_HYPER = ["rate", "l2", "decay", "beta1", "share1", "beta2", "share2", "epsilon"] as const;

/** Slots are cleared below this, as in the kernels. */
const VANISHED = 1e-30;
const flush = (x: number): number => (Math.abs(x) < VANISHED ? 0 : x);

export const optimizer = ({ f32, i32 }: Views) => {
  const skipped = (guard: number): boolean => guard !== 0 && i32(guard, 1)[0] === 0;
  const slot = (ptr: number, n: number): Float32Array | undefined => (ptr === 0 ? undefined : f32(ptr, n));

  function fields<Name extends string>(names: readonly Name[], hyper: number): Record<Name, number> {
    const values = f32(hyper, names.length);
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, number>;
  }

  return {
    f32_sgd(n, g, p, v, hyper, guard, nesterov) {
      if (skipped(guard)) return;
      const { rate, l2, decay, momentum, share, torch } = fields(SGD_HYPER, hyper);
      const [G, P, V] = [f32(g, n), f32(p, n), slot(v, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        let step = rate * d;
        if (V) {
          const velocity = momentum * V[i] + (torch ? share * d : -rate * d);
          V[i] = flush(velocity);
          if (torch) step = rate * (nesterov ? d + momentum * velocity : velocity);
          else step = nesterov ? rate * d - momentum * velocity : -velocity;
        }
        P[i] = P[i] - decay * P[i] - step;
      }
    },

    f32_rmsprop(n, g, p, v, m, a, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, momentum, rho, share, epsilon, torch } = fields(RMSPROP_HYPER, hyper);
      const [G, P, V, M, A] = [f32(g, n), f32(p, n), f32(v, n), slot(m, n), slot(a, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        V[i] = flush(rho * V[i] + share * d * d);
        if (A) A[i] = flush(rho * A[i] + share * d);
        const variance = Math.max(0, A ? V[i] - A[i] * A[i] : V[i]);
        const u = d / (torch ? Math.sqrt(variance) + epsilon : Math.sqrt(variance + epsilon));
        let step = torch ? u : rate * u;
        if (M) step = M[i] = flush(momentum * M[i] + step);
        P[i] = P[i] - decay * P[i] - (torch ? rate * step : step);
      }
    },

    f32_adam(n, g, p, m, v, w, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, beta1, share1, beta2, share2, epsilon } = fields(ADAM_HYPER, hyper);
      const [G, P, M, V, W] = [f32(g, n), f32(p, n), f32(m, n), f32(v, n), slot(w, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        M[i] = flush(beta1 * M[i] + share1 * d);
        V[i] = flush(beta2 * V[i] + share2 * d * d);
        if (W) W[i] = Math.max(W[i], V[i]);
        P[i] = P[i] - decay * P[i] - (rate * M[i]) / (Math.sqrt(W ? W[i] : V[i]) + epsilon);
      }
    },
  } satisfies Partial<Kernels>;
};
