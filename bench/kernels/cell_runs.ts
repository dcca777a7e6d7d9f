/** Recurrent kernels with their arrays in memory, ready to be timed. */
import { panelWidth } from "../../bindings/abi/panel.ts";
import { sequenceScratch } from "../../bindings/abi/scratch.ts";
import { GATES, type CellName } from "../../test/support/cells.ts";
import { real } from "../../test/support/numbers.ts";
import type { Box } from "../support/probes.ts";

export interface CellShape {
  cell: CellName;
  H: number;
  T: number;
  B: number;
}

/** Values of tanh and sigmoid per unit: forward, backward. */
export const CURVES = { simple_rnn: [1, 0], lstm: [5, 1], gru_reset_after: [3, 0], gru_reset_before: [3, 0] };

export interface CellRun {
  /** Overwrites the gates with x·W + b, the input of `forward`. */
  restore(): void;
  /** Restores the gates and running gradients, the input of `backward`. */
  restoreGates(): void;
  forward(keep: number): void;
  backward(): void;
}

export function prepareCell(box: Box, { cell, H, T, B }: CellShape): CellRun {
  const k = box.kernels;
  const [G, Hp, N] = [GATES[cell], panelWidth(H), T * B];
  const width = G * Hp;
  const w = box.f32(real(H * G * H, 1, 1 / Math.sqrt(H))).ptr;
  const packed = (gates: number, first: number): [number, number] => {
    const [u, ut] = [box.f32(H * gates * Hp).ptr, box.f32(gates * Hp * Hp).ptr];
    k.f32_pack_gates_nn(H, gates, H, w + first * H * 4, G * H, u);
    k.f32_pack_gates_nt(gates, H, H, w + first * H * 4, G * H, ut);
    return [u, ut];
  };
  const zeros = (n: number): number => box.f32(new Float32Array(n)).ptr;
  const [z, gates, kept] = [box.f32(real(N * width, 2)).ptr, zeros(N * width), zeros(N * width)];
  const [h0, c0, dhs] = [real(B * H, 3), real(B * H, 4), real(N * H, 5)].map((x) => box.f32(x).ptr);
  const [h, c, hT, cT, dh, dc] = [zeros(N * H), zeros(N * H), zeros(B * H), zeros(B * H), zeros(B * H), zeros(B * H)];
  const [hn, rh, dr, dn, scratch] = [
    zeros(N * Hp),
    zeros(N * H),
    zeros(N * width),
    zeros(N * Hp),
    zeros(sequenceScratch(B, H)),
  ];
  const [u, ut] = packed(G, 0);
  const [uZr, utZr] = cell === "gru_reset_before" ? packed(2, 0) : [0, 0];
  const [uN, utN] = cell === "gru_reset_before" ? packed(1, 2) : [0, 0];
  const forward = {
    simple_rnn: () => k.f32_simple_rnn_seq_fwd(T, B, H, 0, u, h0, 0, gates, h, hT, scratch, 0),
    lstm: (keep: number) =>
      k.f32_lstm_seq_fwd(T, B, H, 0, u, h0, c0, 0, 0, 0, 0, gates, 0, h, c, hT, cT, scratch, keep, 0),
    gru_reset_after: (keep: number) =>
      k.f32_gru_reset_after_seq_fwd(T, B, H, 0, u, 0, h0, 0, gates, 0, hn, h, hT, scratch, keep, 0),
    gru_reset_before: (keep: number) =>
      k.f32_gru_reset_before_seq_fwd(T, B, H, 0, uZr, uN, h0, 0, gates, 0, rh, h, hT, scratch, keep, 0),
  }[cell];
  const backward = {
    simple_rnn: () => k.f32_simple_rnn_seq_bwd(T, B, H, 0, ut, 0, h, dhs, gates, dh, 1, 0),
    lstm: () => k.f32_lstm_seq_bwd(T, B, H, 0, ut, c0, 0, 0, 0, 0, 0, c, dhs, gates, dh, dc, 0, 0, 0, scratch, 1, 0),
    gru_reset_after: () =>
      k.f32_gru_reset_after_seq_bwd(T, B, H, 0, ut, h0, 0, 0, hn, h, dhs, gates, dr, dh, scratch, 1, 0),
    gru_reset_before: () =>
      k.f32_gru_reset_before_seq_bwd(T, B, H, 0, utZr, utN, h0, 0, 0, h, dhs, gates, dr, dn, dh, scratch, 1, 0),
  }[cell];
  k.f32_copy(N * width, z, gates);
  forward(1);
  k.f32_copy(N * width, gates, kept);
  return {
    restore: () => k.f32_copy(N * width, z, gates),
    restoreGates() {
      k.f32_copy(N * width, kept, gates);
      k.f32_fill(B * H, dh, 0);
      k.f32_fill(B * H, dc, 0);
    },
    forward,
    backward,
  };
}
