/** Twin of assembly/kernels/training/optimizer.ts. */
import {
  ADADELTA_HYPER,
  ADAMAX_HYPER,
  ADAM_HYPER,
  AVERAGE_HYPER,
  LION_HYPER,
  RMSPROP_HYPER,
  SGD_HYPER,
} from "../../abi/hyperparameters.ts";
import { flushTiny } from "../flush.ts";
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

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
          const velocity = momentum * V[i] + (torch ? share * d : -rate * share * d);
          V[i] = flushTiny(velocity);
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
        V[i] = flushTiny(rho * V[i] + share * d * d);
        if (A) A[i] = flushTiny(rho * A[i] + share * d);
        const variance = Math.max(0, A ? V[i] - A[i] * A[i] : V[i]);
        const u = d / (torch ? Math.sqrt(variance) + epsilon : Math.sqrt(variance + epsilon));
        let step = torch ? u : rate * u;
        if (M) step = M[i] = flushTiny(momentum * M[i] + step);
        P[i] = P[i] - decay * P[i] - (torch ? rate * step : step);
      }
    },

    f32_adam(n, g, p, m, v, w, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, beta1, share1, beta2, share2, epsilon, direct } = fields(ADAM_HYPER, hyper);
      const [G, P, M, V, W] = [f32(g, n), f32(p, n), f32(m, n), f32(v, n), slot(w, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        M[i] = flushTiny(beta1 * M[i] + share1 * d);
        V[i] = flushTiny(beta2 * V[i] + share2 * d * d);
        if (W) W[i] = Math.max(W[i], V[i]);
        P[i] = P[i] - decay * P[i] - (rate * M[i] + direct * d) / (Math.sqrt(W ? W[i] : V[i]) + epsilon);
      }
    },

    f32_adamax(n, g, p, m, u, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, beta1, share1, beta2, epsilon, within } = fields(ADAMAX_HYPER, hyper);
      const [G, P, M, U] = [f32(g, n), f32(p, n), f32(m, n), f32(u, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        M[i] = flushTiny(beta1 * M[i] + share1 * d);
        U[i] = flushTiny(Math.max(beta2 * U[i], Math.abs(d) + within));
        P[i] = P[i] - decay * P[i] - (rate * M[i]) / (U[i] + epsilon);
      }
    },

    f32_adadelta(n, g, p, v, a, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, rho, share, epsilon } = fields(ADADELTA_HYPER, hyper);
      const [G, P, V, A] = [f32(g, n), f32(p, n), f32(v, n), f32(a, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        V[i] = flushTiny(rho * V[i] + share * d * d);
        const step = (d * Math.sqrt(A[i] + epsilon)) / Math.sqrt(V[i] + epsilon);
        A[i] = flushTiny(rho * A[i] + share * step * step);
        P[i] = P[i] - decay * P[i] - rate * step;
      }
    },

    f32_lion(n, g, p, m, hyper, guard) {
      if (skipped(guard)) return;
      const { rate, l2, decay, beta1, share1, beta2, share2 } = fields(LION_HYPER, hyper);
      const [G, P, M] = [f32(g, n), f32(p, n), f32(m, n)];
      for (let i = 0; i < n; i++) {
        const d = G[i] + l2 * P[i];
        const direction = beta1 * M[i] + share1 * d;
        M[i] = flushTiny(beta2 * M[i] + share2 * d);
        P[i] = P[i] - decay * P[i] - rate * Math.sign(direction);
      }
    },

    f32_average(n, p, a, hyper, guard) {
      if (skipped(guard)) return;
      const { keep, share, write } = fields(AVERAGE_HYPER, hyper);
      const [P, A] = [f32(p, n), f32(a, n)];
      for (let i = 0; i < n; i++) A[i] = flushTiny(keep * A[i] + share * P[i]);
      if (write) P.set(A);
    },
  } satisfies Partial<Kernels>;
};
