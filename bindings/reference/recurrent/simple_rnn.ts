/**
 * Simple recurrence: twin of assembly/kernels/recurrent/simple_rnn.ts.
 *
 *   z = x·W + b + h(t−1)·U      h = f(z)
 *   dz = dh ⊙ f′(z)             dh(t−1) = dz·Uᵀ
 */
import { activations } from "./activation.ts";
import { clearPadding, finalStates, masked, optional, packedRows, stateBefore, timeline, times } from "./cell.ts";
import { flushTiny } from "../flush.ts";
import { panelWidth } from "../../abi/panel.ts";
import type { Views } from "../views.ts";

export const simpleRnn = (views: Views) => ({
  f32_simple_rnn_seq_fwd(
    T: number,
    B: number,
    H: number,
    active: number,
    u: number,
    h0: number,
    drop: number,
    gates: number,
    h: number,
    hT: number,
    _scratch: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const width = panelWidth(H);
    const [f] = activations(views, acts, 1);
    const U = views.f32(u, H * width);
    const Z = views.f32(gates, N * width);
    const Y = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const mask = optional(views, drop, B * H);
    for (const step of steps) {
      const { rows, at } = step;
      const hU = times(rows, H, width, masked(rows * H, stateBefore(step, H, Y, first), mask), U);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const z = (at + b) * width + j;
          Z[z] += hU[b * width + j];
          Y[(at + b) * H + j] = flushTiny(f.value(Z[z]));
        }
      }
    }
    finalStates(views, steps, B, H, Y, first, hT);
  },
});

export const simpleRnnTraining = (views: Views) => ({
  f32_simple_rnn_seq_bwd(
    T: number,
    B: number,
    H: number,
    active: number,
    ut: number,
    drop: number,
    h: number,
    dhs: number,
    gates: number,
    dh: number,
    initial: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const width = panelWidth(H);
    const [f] = activations(views, acts, 1);
    const Ut = views.f32(ut, width * panelWidth(H));
    const Z = views.f32(gates, N * width);
    const Y = views.f32(h, N * H);
    const dY = optional(views, dhs, N * H);
    const dH = views.f32(dh, B * H);
    const mask = optional(views, drop, B * H);
    for (const { rows, at } of steps.reverse()) {
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const z = (at + b) * width + j;
          const n = (at + b) * H + j;
          Z[z] = (dH[b * H + j] + (dY?.[n] ?? 0)) * f.slope(Z[z], Y[n]);
        }
        clearPadding(1, H, Z, (at + b) * width);
      }
      if (at === 0 && !initial) break;
      const dzU = times(rows, width, H, Z.subarray(at * width), Ut);
      dH.set(masked(rows * H, dzU, mask));
    }
  },
});
