/** Recurrent cells with int8 recurrent weights over a whole sequence: twin of assembly/kernels/int8/q8_sequences.ts. */
import type { Kernels } from "../../generated/kernels.ts";
import { finalStates, optional, packedRows, timeline, type Step } from "../recurrent/cell.ts";
import { panelWidth } from "../../abi/panel.ts";
import { product } from "./q8_gemm.ts";
import { int8ScratchBytes } from "../../abi/int8_panel.ts";
import { steps as elementwise } from "../recurrent/steps.ts";
import type { Views } from "../views.ts";

export const int8Sequences = (views: Views) => {
  const cell = elementwise(views);

  /**
   * Runs every step with the state before it, zeros written to `h` itself when there is none; then copies the last
   * ones.
   */
  function run(
    [T, B, H, active]: readonly number[],
    h0: number,
    h: number,
    hT: number,
    step: (now: Step, before: number, hNow: number) => void,
  ): Step[] {
    const line = timeline(views, T, B, active);
    const first = optional(views, h0, B * H)?.slice();
    for (const now of line) {
      const hNow = h + now.at * H * 4;
      const before = now.before >= 0 ? h + now.before * H * 4 : h0;
      if (!before) views.f32(hNow, now.rows * H).fill(0);
      step(now, before || hNow, hNow);
    }
    finalStates(views, line, B, H, views.f32(h, packedRows(line) * H), first, hT);
    return line;
  }

  /** x·W + b + h·U in place. */
  function add(rows: number, width: number, H: number, h: number, u: number, gates: number, bits: number): void {
    product(views, rows, width, H, h, H, u, gates, width, gates, width, bits);
  }

  return {
    q8_simple_rnn_seq(T, B, H, active, u, h0, gates, h, hT, _scratch, acts, bits) {
      const width = panelWidth(H);
      run([T, B, H, active], h0, h, hT, ({ rows, at }, before, hNow) => {
        add(rows, width, H, before, u, gates + at * width * 4, bits);
        cell.f32_simple_rnn_step(rows, H, gates + at * width * 4, hNow, acts);
      });
    },

    q8_lstm_seq(T, B, H, active, u, h0, c0, peep_i, peep_f, peep_o, gates, h, c, hT, cT, _scratch, keep, acts, bits) {
      const width = 4 * panelWidth(H);
      const firstC = optional(views, c0, B * H)?.slice();
      const line = run([T, B, H, active], h0, h, hT, ({ rows, at, before: former }, before, hNow) => {
        const cNow = c + (keep ? at * H * 4 : 0);
        const cBefore = former < 0 ? c0 || cNow : c + (keep ? former * H * 4 : 0);
        if (former < 0 && !c0) views.f32(cNow, rows * H).fill(0);
        add(rows, width, H, before, u, gates + at * width * 4, bits);
        cell.f32_lstm_step(rows, H, cBefore, peep_i, peep_f, peep_o, gates + at * width * 4, 0, hNow, cNow, keep, acts);
      });
      // a workspace holds every row's last state
      const cells = keep ? line : line.map(({ rows, before }) => ({ rows, at: 0, before: Math.min(before, 0) }));
      finalStates(views, cells, B, H, views.f32(c, (keep ? packedRows(line) : B) * H), firstC, cT);
    },

    q8_gru_reset_after_seq(T, B, H, active, u, bu, h0, gates, hn, h, hT, scratch, acts, bits) {
      const width = 3 * panelWidth(H);
      const a = scratch + int8ScratchBytes(B, H);
      run([T, B, H, active], h0, h, hT, ({ rows, at }, before, hNow) => {
        product(views, rows, width, H, before, H, u, bu, 0, a, width, bits);
        cell.f32_gru_reset_after_step(rows, H, before, a, gates + at * width * 4, 0, hn, hNow, hn ? 1 : 0, acts);
      });
    },

    q8_gru_reset_before_seq(T, B, H, active, u_zr, u_n, h0, gates, rh, h, hT, scratch, acts, bits) {
      const Hp = panelWidth(H);
      const a = scratch + int8ScratchBytes(B, H);
      run([T, B, H, active], h0, h, hT, ({ rows, at }, before, hNow) => {
        const z = gates + at * 3 * Hp * 4;
        product(views, rows, 2 * Hp, H, before, H, u_zr, 0, 0, a, 2 * Hp, bits);
        cell.f32_gru_reset_step(rows, H, before, a, z, 0, rh, acts);
        product(views, rows, Hp, H, rh, H, u_n, 0, 0, a, Hp, bits);
        cell.f32_gru_blend_step(rows, H, before, a, z, 0, hNow, acts);
      });
    },
  } satisfies Partial<Kernels>;
};
