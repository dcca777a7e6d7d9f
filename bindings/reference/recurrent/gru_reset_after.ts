/**
 * Gated recurrent unit, reset after the product: twin of assembly/kernels/recurrent/gru_reset_after.ts.
 *
 *   z = σ(xz + hUz + bz)   r = σ(xr + hUr + br)   n = tanh(xn + r⊙hn),  hn = hUn + bn
 *   h = z⊙h(t−1) + (1 − z)⊙n
 */
import { activations } from "./activation.ts";
import {
  clearPadding,
  finalStates,
  gateColumns,
  masked,
  optional,
  packedRows,
  stateBefore,
  timeline,
  times,
} from "./cell.ts";
import { flushTiny } from "../flush.ts";
import { panelWidth } from "../../abi/panel.ts";
import type { Views } from "../views.ts";

export const gruResetAfter = (views: Views) => ({
  f32_gru_reset_after_seq_fwd(
    T: number,
    B: number,
    H: number,
    active: number,
    u: number,
    bu: number,
    h0: number,
    drop: number,
    gates: number,
    pre: number,
    hn: number,
    h: number,
    hT: number,
    _scratch: number,
    keep: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const Hp = panelWidth(H);
    const width = 3 * Hp;
    const [f, s] = activations(views, acts, 2);
    const U = views.f32(u, H * width);
    const bias = optional(views, bu, width);
    const Q = views.f32(gates, N * width);
    const Z = optional(views, pre, N * width);
    const candidate = keep ? views.f32(hn, N * Hp) : undefined;
    const Y = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const mask = optional(views, drop, B * H);
    for (const step of steps) {
      const { rows, at } = step;
      const before = stateBefore(step, H, Y, first);
      const hU = times(rows, H, width, masked(rows * H, before, mask), U);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const [cz, cr, cn] = gateColumns(3, H, j);
          const row = (at + b) * width;
          const a = hU[b * width + cn] + (bias?.[cn] ?? 0);
          const zz = Q[row + cz] + hU[b * width + cz] + (bias?.[cz] ?? 0);
          const zr = Q[row + cr] + hU[b * width + cr] + (bias?.[cr] ?? 0);
          const z = s.value(zz);
          const r = s.value(zr);
          const zn = Q[row + cn] + r * a;
          const n = f.value(zn);
          Y[(at + b) * H + j] = flushTiny(z * before[b * H + j] + (1 - z) * n);
          if (candidate) candidate[(at + b) * Hp + j] = a;
          Q[row + cz] = z;
          Q[row + cr] = r;
          Q[row + cn] = n;
          if (Z) {
            Z[row + cz] = zz;
            Z[row + cr] = zr;
            Z[row + cn] = zn;
          }
        }
      }
    }
    finalStates(views, steps, B, H, Y, first, hT);
  },
});

export const gruResetAfterTraining = (views: Views) => ({
  f32_gru_reset_after_seq_bwd(
    T: number,
    B: number,
    H: number,
    active: number,
    ut: number,
    h0: number,
    drop: number,
    pre: number,
    hn: number,
    h: number,
    dhs: number,
    gates: number,
    dr: number,
    dh: number,
    _scratch: number,
    initial: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const Hp = panelWidth(H);
    const width = 3 * Hp;
    const [f, s] = activations(views, acts, 2);
    const Ut = views.f32(ut, width * Hp);
    const Q = views.f32(gates, N * width);
    const R = views.f32(dr, N * width);
    const Z = optional(views, pre, N * width) ?? Q; // tanh and σ need no pre-activation for their slope
    const candidate = views.f32(hn, N * Hp);
    const Y = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const dY = optional(views, dhs, N * H);
    const dH = views.f32(dh, B * H);
    const mask = optional(views, drop, B * H);
    for (const step of steps.reverse()) {
      const { rows, at } = step;
      const before = stateBefore(step, H, Y, first);
      for (let b = 0; b < rows; b++) {
        const row = (at + b) * width;
        for (let j = 0; j < H; j++) {
          const i = b * H + j;
          const [z, r, n] = gateColumns(3, H, j, row);
          const dNow = dH[i] + (dY?.[at * H + i] ?? 0);
          const dzz = dNow * (before[i] - Q[n]) * s.slope(Z[z], Q[z]);
          const dzn = dNow * (1 - Q[z]) * f.slope(Z[n], Q[n]);
          const dzr = dzn * candidate[(at + b) * Hp + j] * s.slope(Z[r], Q[r]);
          dH[i] = dNow * Q[z];
          R[n] = dzn * Q[r];
          R[z] = Q[z] = dzz;
          R[r] = Q[r] = dzr;
          Q[n] = dzn;
        }
        clearPadding(3, H, Q, row);
        clearPadding(3, H, R, row);
      }
      if (at === 0 && !initial) break;
      const dzU = masked(rows * H, times(rows, width, H, R.subarray(at * width), Ut), mask);
      for (let i = 0; i < rows * H; i++) dH[i] += dzU[i];
    }
  },
});
