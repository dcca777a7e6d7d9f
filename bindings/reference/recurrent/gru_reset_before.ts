/**
 * Gated recurrent unit, reset before the product: twin of assembly/kernels/recurrent/gru_reset_before.ts.
 *
 *   z = σ(xz + hm·Uz)   r = σ(xr + hm·Ur)   n = tanh(xn + (r⊙hm)·Un),  hm = drop⊙h(t−1)
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

export const gruResetBefore = (views: Views) => ({
  f32_gru_reset_before_seq_fwd(
    T: number,
    B: number,
    H: number,
    active: number,
    uZr: number,
    uN: number,
    h0: number,
    drop: number,
    gates: number,
    pre: number,
    rh: number,
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
    const Uzr = views.f32(uZr, H * 2 * Hp);
    const Un = views.f32(uN, H * Hp);
    const Q = views.f32(gates, N * width);
    const Z = optional(views, pre, N * width);
    const RH = views.f32(rh, (keep ? N : B) * H);
    const Y = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const mask = optional(views, drop, B * H);
    for (const step of steps) {
      const { rows, at } = step;
      const before = stateBefore(step, H, Y, first);
      const hm = masked(rows * H, before, mask);
      const reset = RH.subarray(keep ? at * H : 0);
      const zr = times(rows, H, 2 * Hp, hm, Uzr);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const [z, r] = gateColumns(3, H, j, (at + b) * width);
          const [uz, ur] = gateColumns(2, H, j, b * 2 * Hp);
          const [zz, zr_] = [Q[z] + zr[uz], Q[r] + zr[ur]];
          Q[z] = s.value(zz);
          Q[r] = s.value(zr_);
          reset[b * H + j] = s.value(zr_) * hm[b * H + j];
          if (Z) {
            Z[z] = zz;
            Z[r] = zr_;
          }
        }
      }
      const rhU = times(rows, H, Hp, reset, Un);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const [z, , n] = gateColumns(3, H, j, (at + b) * width);
          const zn = Q[n] + rhU[b * Hp + j];
          Q[n] = f.value(zn);
          Y[(at + b) * H + j] = flushTiny(Q[z] * before[b * H + j] + (1 - Q[z]) * Q[n]);
          if (Z) Z[n] = zn;
        }
      }
    }
    finalStates(views, steps, B, H, Y, first, hT);
  },
});

export const gruResetBeforeTraining = (views: Views) => ({
  f32_gru_reset_before_seq_bwd(
    T: number,
    B: number,
    H: number,
    active: number,
    utZr: number,
    utN: number,
    h0: number,
    drop: number,
    pre: number,
    h: number,
    dhs: number,
    gates: number,
    dzr: number,
    dn: number,
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
    const Utzr = views.f32(utZr, 2 * Hp * Hp);
    const Utn = views.f32(utN, Hp * Hp);
    const Q = views.f32(gates, N * width);
    const ZR = views.f32(dzr, N * 2 * Hp);
    const DN = views.f32(dn, N * Hp);
    const Z = optional(views, pre, N * width) ?? Q; // tanh and σ need no pre-activation for their slope
    const Y = views.f32(h, N * H);
    const first = optional(views, h0, B * H);
    const dY = optional(views, dhs, N * H);
    const dH = views.f32(dh, B * H);
    const mask = optional(views, drop, B * H);
    for (const step of steps.reverse()) {
      const { rows, at } = step;
      const before = stateBefore(step, H, Y, first);
      const hm = masked(rows * H, before, mask);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const i = b * H + j;
          const [z, , n] = gateColumns(3, H, j, (at + b) * width);
          const dNow = dH[i] + (dY?.[at * H + i] ?? 0);
          const dzz = dNow * (before[i] - Q[n]) * s.slope(Z[z], Q[z]);
          const dzn = dNow * (1 - Q[z]) * f.slope(Z[n], Q[n]);
          dH[i] = dNow * Q[z];
          Q[z] = ZR[gateColumns(2, H, j, (at + b) * 2 * Hp)[0]] = dzz;
          Q[n] = DN[(at + b) * Hp + j] = dzn;
        }
        clearPadding(1, H, DN, (at + b) * Hp);
      }
      const drh = times(rows, Hp, H, DN.subarray(at * Hp), Utn);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const i = b * H + j;
          const [, r] = gateColumns(3, H, j, (at + b) * width);
          const reset = Q[r];
          const dzr_ = drh[i] * hm[i] * s.slope(Z[r], reset);
          dH[i] += drh[i] * reset * (mask?.[i] ?? 1);
          Q[r] = ZR[gateColumns(2, H, j, (at + b) * 2 * Hp)[1]] = dzr_;
        }
        clearPadding(3, H, Q, (at + b) * width);
        clearPadding(2, H, ZR, (at + b) * 2 * Hp);
      }
      if (at === 0 && !initial) break;
      const dzU = masked(rows * H, times(rows, 2 * Hp, H, ZR.subarray(at * 2 * Hp), Utzr), mask);
      for (let i = 0; i < rows * H; i++) dH[i] += dzU[i];
    }
  },
});
