/** Twin of assembly/kernels/training/loss.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

export const losses = ({ f32 }: Views) =>
  ({
    /** loss = −t·ln σ(x) − (1 − t)·ln(1 − σ(x)) = max(x, 0) − x·t + ln(1 + e^(−|x|)) */
    f32_sigmoid_xent_fwd(n, x, targets, loss) {
      const t = f32(targets, n);
      f32(loss, n).set(f32(x, n).map((v, i) => Math.max(v, 0) - v * t[i] + Math.log1p(Math.exp(-Math.abs(v)))));
    },

    /** dx = dloss·(σ(x) − t) */
    f32_sigmoid_xent_bwd(n, x, targets, dloss, dx) {
      const [t, d] = [f32(targets, n), f32(dloss, n)];
      f32(dx, n).set(f32(x, n).map((v, i) => d[i] * (1 / (1 + Math.exp(-v)) - t[i])));
    },

    /** loss = (x − t)² */
    f32_squared_error_fwd(n, x, targets, loss) {
      const t = f32(targets, n);
      f32(loss, n).set(f32(x, n).map((v, i) => (v - t[i]) ** 2));
    },

    /** dx = 2·dloss·(x − t) */
    f32_squared_error_bwd(n, x, targets, dloss, dx) {
      const [t, d] = [f32(targets, n), f32(dloss, n)];
      f32(dx, n).set(f32(x, n).map((v, i) => 2 * d[i] * (v - t[i])));
    },
  }) satisfies Partial<Kernels>;
