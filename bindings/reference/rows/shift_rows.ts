/** States one step earlier: twin of assembly/kernels/rows/shift_rows.ts. */
import { masked, optional, packedRows, stateBefore, timeline } from "../recurrent/cell.ts";
import type { Views } from "../views.ts";

export const shiftRows = (views: Views) => ({
  f32_shift_rows(
    T: number,
    B: number,
    H: number,
    active: number,
    h0: number,
    drop: number,
    h: number,
    y: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const states = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const mask = optional(views, drop, B * H);
    const Y = views.f32(y, N * H);
    for (const step of steps) {
      const n = step.rows * H;
      const before = masked(n, stateBefore(step, H, states, first), mask);
      for (let i = 0; i < n; i++) Y[step.at * H + i] = before[i];
    }
  },
});
