/** Twin of assembly/kernels/training/clip.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

export const clip = ({ f32, f64, i32 }: Views) =>
  ({
    /** g ← min(max(g, −limit), limit) */
    f32_clip_value(n, g, limit) {
      f32(g, n).set(f32(g, n).map((x) => Math.min(Math.max(x, -limit), limit)));
    },

    /** g ← g·min(1, limit / (‖g‖ + epsilon)) */
    f32_clip_norm(n, g, sumsq, limit, epsilon) {
      const factor = limit / (Math.sqrt(f64(sumsq, 1)[0]) + epsilon);
      if (factor >= 1) return;
      f32(g, n).set(f32(g, n).map((x) => x * factor));
    },

    /** 1 when gradients and loss are finite, else 0. */
    f32_guard(sumsq, loss, due, guard) {
      const wanted = due === 0 || i32(due, 1)[0] !== 0;
      i32(guard, 1)[0] = wanted && Number.isFinite(f64(sumsq, 1)[0]) && Number.isFinite(f32(loss, 1)[0]) ? 1 : 0;
    },

    /** sum ← g; when due: g ← g·share, sum ← 0 */
    f32_accumulate(n, g, sum, due, guard, share) {
      if (i32(guard, 1)[0] === 0) return;
      const [G, S] = [f32(g, n), f32(sum, n)];
      if (i32(due, 1)[0] === 0) S.set(G);
      else {
        S.fill(0);
        G.set(G.map((x) => x * share));
      }
    },
  }) satisfies Partial<Kernels>;
