/** The elementwise half of a time step: twin of assembly/kernels/recurrent/steps.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import { activations } from "./activation.ts";
import { optional } from "./cell.ts";
import { flushTiny } from "../flush.ts";
import { gateColumn, panelWidth } from "../../abi/panel.ts";
import type { Views } from "../views.ts";

/** Calls `visit` with each row and unit, and where gate g of it is in rows of G gates. */
function eachUnit(
  B: number,
  H: number,
  visit: (unit: number, at: (G: number, g: number) => number, row: number, j: number) => void,
): void {
  const Hp = panelWidth(H);
  for (let b = 0; b < B; b++) {
    for (let j = 0; j < H; j++) visit(b * H + j, (G, g) => b * G * Hp + gateColumn(G, H, g, j), b, j);
  }
}

export const steps = (views: Views) =>
  ({
    f32_simple_rnn_step(B, H, gates, h, acts) {
      const [f] = activations(views, acts, 1);
      const [Q, Y] = [views.f32(gates, B * panelWidth(H)), views.f32(h, B * H)];
      eachUnit(B, H, (unit, at) => {
        Y[unit] = flushTiny(f.value(Q[at(1, 0)]));
      });
    },

    f32_lstm_step(B, H, c0, peep_i, peep_f, peep_o, gates, pre, h, c, _keep, acts) {
      const [f, s] = activations(views, acts, 2);
      const width = 4 * panelWidth(H);
      const [Q, Y, C, before] = [
        views.f32(gates, B * width),
        views.f32(h, B * H),
        views.f32(c, B * H),
        views.f32(c0, B * H),
      ];
      const Z = optional(views, pre, B * width);
      const peep = [peep_i, peep_f, 0, peep_o].map((ptr) => optional(views, ptr, H));
      eachUnit(B, H, (unit, at, _row, j) => {
        const z = (g: number, cell: number): number => Q[at(4, g)] + (peep[g] ? peep[g][j] * cell : 0);
        const [zi, zf, zg] = [z(0, before[unit]), z(1, before[unit]), z(2, 0)];
        const now = flushTiny(s.value(zf) * before[unit] + s.value(zi) * f.value(zg));
        const zo = z(3, now);
        C[unit] = now;
        Y[unit] = flushTiny(s.value(zo) * f.value(now));
        [s.value(zi), s.value(zf), f.value(zg), s.value(zo)].forEach((value, g) => {
          Q[at(4, g)] = value;
        });
        if (Z)
          [zi, zf, zg, zo].forEach((value, g) => {
            Z[at(4, g)] = value;
          });
      });
    },

    f32_gru_reset_after_step(B, H, h0, a, gates, pre, hn, h, keep, acts) {
      const [f, s] = activations(views, acts, 2);
      const width = 3 * panelWidth(H);
      const [Q, A, Y, before] = [
        views.f32(gates, B * width),
        views.f32(a, B * width),
        views.f32(h, B * H),
        views.f32(h0, B * H),
      ];
      const Z = optional(views, pre, B * width);
      const kept = optional(views, keep ? hn : 0, B * panelWidth(H));
      eachUnit(B, H, (unit, at, row, j) => {
        const [z, r, n] = [0, 1, 2].map((g) => at(3, g));
        const [zz, zr] = [Q[z] + A[z], Q[r] + A[r]];
        const zn = Q[n] + s.value(zr) * A[n];
        [Q[z], Q[r], Q[n]] = [s.value(zz), s.value(zr), f.value(zn)];
        Y[unit] = flushTiny(Q[z] * before[unit] + (1 - Q[z]) * Q[n]);
        if (kept) kept[row * panelWidth(H) + j] = A[n];
        if (Z) [Z[z], Z[r], Z[n]] = [zz, zr, zn];
      });
    },

    f32_gru_reset_step(B, H, h0, a, gates, pre, rh, acts) {
      const [, s] = activations(views, acts, 2);
      const Hp = panelWidth(H);
      const [Q, A, R, before] = [
        views.f32(gates, B * 3 * Hp),
        views.f32(a, B * 2 * Hp),
        views.f32(rh, B * H),
        views.f32(h0, B * H),
      ];
      const Z = optional(views, pre, B * 3 * Hp);
      eachUnit(B, H, (unit, at) => {
        const [z, r] = [at(3, 0), at(3, 1)];
        const [zz, zr] = [Q[z] + A[at(2, 0)], Q[r] + A[at(2, 1)]];
        [Q[z], Q[r]] = [s.value(zz), s.value(zr)];
        R[unit] = Q[r] * before[unit];
        if (Z) [Z[z], Z[r]] = [zz, zr];
      });
    },

    f32_gru_blend_step(B, H, h0, a, gates, pre, h, acts) {
      const [f] = activations(views, acts, 2);
      const Hp = panelWidth(H);
      const [Q, A, Y, before] = [
        views.f32(gates, B * 3 * Hp),
        views.f32(a, B * Hp),
        views.f32(h, B * H),
        views.f32(h0, B * H),
      ];
      const Z = optional(views, pre, B * 3 * Hp);
      eachUnit(B, H, (unit, at) => {
        const [z, n] = [at(3, 0), at(3, 2)];
        const zn = Q[n] + A[at(1, 0)];
        Q[n] = f.value(zn);
        Y[unit] = flushTiny(Q[z] * before[unit] + (1 - Q[z]) * Q[n]);
        if (Z) Z[n] = zn;
      });
    },
  }) satisfies Partial<Kernels>;
