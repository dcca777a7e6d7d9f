/**
 * Long short-term memory: twin of assembly/kernels/recurrent/lstm.ts.
 *
 *   i = σ(zi + pi⊙c(t−1))   f = σ(zf + pf⊙c(t−1))   g = tanh(zg)        z = x·W + b + h(t−1)·U
 *   c = f⊙c(t−1) + i⊙g      o = σ(zo + po⊙c)        h = o⊙tanh(c)
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

export const lstm = (views: Views) => ({
  f32_lstm_seq_fwd(
    T: number,
    B: number,
    H: number,
    active: number,
    u: number,
    h0: number,
    c0: number,
    drop: number,
    peepI: number,
    peepF: number,
    peepO: number,
    gates: number,
    pre: number,
    h: number,
    c: number,
    hT: number,
    cT: number,
    _scratch: number,
    keep: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const width = 4 * panelWidth(H);
    const [f, s] = activations(views, acts, 2);
    const U = views.f32(u, H * width);
    const Q = views.f32(gates, N * width);
    const Z = optional(views, pre, N * width);
    const Y = views.f32(h, N * H);
    const C = views.f32(c, (keep ? N : B) * H);
    const firstH = optional(views, h0, B * H);
    const firstC = optional(views, c0, B * H);
    const [pi, pf, po] = [peepI, peepF, peepO].map((peep) => optional(views, peep, H));
    const mask = optional(views, drop, B * H);
    // a workspace holds the state of the last step only
    const cellSteps = keep ? steps : steps.map(({ rows, before }) => ({ rows, at: 0, before: Math.min(before, 0) }));
    steps.forEach((step, t) => {
      const { rows, at } = step;
      const hU = times(rows, H, width, masked(rows * H, stateBefore(step, H, Y, firstH), mask), U);
      const cBefore = stateBefore(cellSteps[t], H, C, firstC);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const [i, F, g, o] = gateColumns(4, H, j, (at + b) * width);
          const before = cBefore[b * H + j];
          const zi = Q[i] + hU[i - at * width] + (pi ? pi[j] * before : 0);
          const zf = Q[F] + hU[F - at * width] + (pf ? pf[j] * before : 0);
          const zg = Q[g] + hU[g - at * width];
          const now = flushTiny(s.value(zf) * before + s.value(zi) * f.value(zg));
          const zo = Q[o] + hU[o - at * width] + (po ? po[j] * now : 0);
          C[(cellSteps[t].at + b) * H + j] = now;
          Y[(at + b) * H + j] = flushTiny(s.value(zo) * f.value(now));
          Q[i] = s.value(zi);
          Q[F] = s.value(zf);
          Q[g] = f.value(zg);
          Q[o] = s.value(zo);
          if (Z) {
            Z[i] = zi;
            Z[F] = zf;
            Z[g] = zg;
            Z[o] = zo;
          }
        }
      }
    });
    finalStates(views, steps, B, H, Y, firstH, hT);
    finalStates(views, cellSteps, B, H, C, firstC, cT);
  },
});

export const lstmTraining = (views: Views) => ({
  f32_lstm_seq_bwd(
    T: number,
    B: number,
    H: number,
    active: number,
    ut: number,
    c0: number,
    drop: number,
    peepI: number,
    peepF: number,
    peepO: number,
    pre: number,
    c: number,
    dhs: number,
    gates: number,
    dh: number,
    dc: number,
    dpeepI: number,
    dpeepF: number,
    dpeepO: number,
    _scratch: number,
    initial: number,
    acts: number,
  ): void {
    const steps = timeline(views, T, B, active);
    const N = packedRows(steps);
    const width = 4 * panelWidth(H);
    const [f, s] = activations(views, acts, 2);
    const Ut = views.f32(ut, width * panelWidth(H));
    const Q = views.f32(gates, N * width);
    const Z = optional(views, pre, N * width) ?? Q; // tanh and σ need no pre-activation for their slope
    const C = views.f32(c, N * H);
    const firstC = optional(views, c0, B * H);
    const dY = optional(views, dhs, N * H);
    const dH = views.f32(dh, B * H);
    const dC = views.f32(dc, B * H);
    const [pi, pf, po] = [peepI, peepF, peepO].map((peep) => optional(views, peep, H));
    const [dpi, dpf, dpo] = [dpeepI, dpeepF, dpeepO].map((peep) => optional(views, peep, H));
    const mask = optional(views, drop, B * H);
    for (const step of steps.reverse()) {
      const { rows, at } = step;
      const cBefore = stateBefore(step, H, C, firstC);
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < H; j++) {
          const n = b * H + j;
          const [i, F, g, o] = gateColumns(4, H, j, (at + b) * width);
          const now = C[at * H + n];
          const before = cBefore[n];
          const y = f.value(now);
          const dY_ = dH[n] + (dY?.[at * H + n] ?? 0);
          const dzo = dY_ * y * s.slope(Z[o], Q[o]);
          const dNow = dC[n] + dY_ * Q[o] * f.slope(now, y) + (po ? po[j] * dzo : 0);
          const dzi = dNow * Q[g] * s.slope(Z[i], Q[i]);
          const dzf = dNow * before * s.slope(Z[F], Q[F]);
          const dzg = dNow * Q[i] * f.slope(Z[g], Q[g]);
          dC[n] = dNow * Q[F] + (pi ? pi[j] * dzi : 0) + (pf ? pf[j] * dzf : 0);
          if (dpi) dpi[j] += dzi * before;
          if (dpf) dpf[j] += dzf * before;
          if (dpo) dpo[j] += dzo * now;
          Q[i] = dzi;
          Q[F] = dzf;
          Q[g] = dzg;
          Q[o] = dzo;
        }
        clearPadding(4, H, Q, (at + b) * width);
      }
      if (at === 0 && !initial) break;
      const dzU = times(rows, width, H, Q.subarray(at * width), Ut);
      dH.set(masked(rows * H, dzU, mask));
    }
  },
});
