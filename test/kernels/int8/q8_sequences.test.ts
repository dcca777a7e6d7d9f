// Whole sequences with int8 recurrent weights: every build against its twin, and the twin against the f32 cells.
import * as assert from "uvu/assert";
import { gateColumn, panelWidth } from "../../../bindings/abi/panel.ts";
import { stepProductScratch, sequenceScratch } from "../../../bindings/abi/scratch.ts";
import { int8PackedBytes, int8ScratchBytes } from "../../../bindings/abi/int8_panel.ts";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { close, real } from "../../support/numbers.ts";

const twin = new Sandbox("reference");
const CELLS = { simple_rnn: 1, lstm: 4, gru_reset_after: 3, gru_reset_before: 3 };
type Cell = keyof typeof CELLS;

interface Case {
  cell: Cell;
  T: number;
  B: number;
  H: number;
  bits: 7 | 14;
  active?: number[];
  /** With initial states. */
  initial?: boolean;
  keep?: boolean;
}

/** Recurrent weights as int8 with a scale per column, and the floats they stand for. */
function recurrentWeights(H: number, G: number): { int8: Int8Array; scales: Float32Array; floats: Float32Array } {
  const scales = real(G * H, 8).map((x) => (0.5 + Math.abs(x)) / (127 * Math.sqrt(H)));
  const int8 = Int8Array.from(real(H * G * H, 9, 127), (x) => Math.round(x));
  return { int8, scales, floats: Float32Array.from(int8, (value, i) => value * scales[i % (G * H)]) };
}

/** Runs a cell: with int8 weights, or with the floats that these stand for. */
function run(
  box: Sandbox,
  { cell, T, B, H, bits, active, initial, keep }: Case,
  quantized = true,
): Record<string, Float32Array> {
  box.reset();
  const { kernels: k } = box;
  const G = CELLS[cell];
  const N = active?.reduce((a, b) => a + b, 0) ?? T * B;
  const width = G * panelWidth(H);
  const { int8, scales, floats } = recurrentWeights(H, G);
  const [w, s, f] = [box.i8(int8).ptr, box.f32(scales).ptr, box.f32(floats).ptr];
  const panels = (gates: number, first: number): number => {
    if (quantized) {
      const to = box.bytes(int8PackedBytes(H, gates * panelWidth(H)));
      k.q8_pack_gates_nn(H, gates, H, w + first * H, G * H, s + first * H * 4, to);
      return to;
    }
    const to = box.f32(H * gates * panelWidth(H)).ptr;
    k.f32_pack_gates_nn(H, gates, H, f + first * H * 4, G * H, to);
    return to;
  };
  const gates = box.f32(new Float32Array(N * width));
  k.f32_permute_gates(N, G, H, box.f32(real(N * G * H, 1, 2)).ptr, G * H, gates.ptr, width);
  const alive = active ? box.i32(active).ptr : 0;
  const state = (salt: number): number => (initial ? box.f32(real(B * H, salt)).ptr : 0);
  const [h0, c0] = [state(2), state(3)];
  const [h, hT, cT] = [box.f32(N * H), box.f32(B * H), box.f32(B * H)];
  const c = box.f32((keep ? N : B) * H);
  const scratch = box.bytes(
    quantized ? int8ScratchBytes(B, H) + stepProductScratch(B, H) * 4 : sequenceScratch(B, H) * 4,
  );
  const hn = keep ? box.f32((quantized ? B : N) * panelWidth(H)).ptr : 0;
  const kept = keep ? 1 : 0;
  if (cell === "simple_rnn") {
    if (quantized) k.q8_simple_rnn_seq(T, B, H, alive, panels(1, 0), h0, gates.ptr, h.ptr, hT.ptr, scratch, 0, bits);
    else k.f32_simple_rnn_seq_fwd(T, B, H, alive, panels(1, 0), h0, 0, gates.ptr, h.ptr, hT.ptr, scratch, 0);
  } else if (cell === "lstm") {
    if (quantized)
      k.q8_lstm_seq(
        T,
        B,
        H,
        alive,
        panels(4, 0),
        h0,
        c0,
        0,
        0,
        0,
        gates.ptr,
        h.ptr,
        c.ptr,
        hT.ptr,
        cT.ptr,
        scratch,
        kept,
        0,
        bits,
      );
    else
      k.f32_lstm_seq_fwd(
        T,
        B,
        H,
        alive,
        panels(4, 0),
        h0,
        c0,
        0,
        0,
        0,
        0,
        gates.ptr,
        0,
        h.ptr,
        c.ptr,
        hT.ptr,
        cT.ptr,
        scratch,
        kept,
        0,
      );
  } else if (cell === "gru_reset_after") {
    const bu = box.f32(width);
    k.f32_permute_gates(1, 3, H, box.f32(real(3 * H, 4)).ptr, 3 * H, bu.ptr, width);
    if (quantized)
      k.q8_gru_reset_after_seq(
        T,
        B,
        H,
        alive,
        panels(3, 0),
        bu.ptr,
        h0,
        gates.ptr,
        hn,
        h.ptr,
        hT.ptr,
        scratch,
        0,
        bits,
      );
    else
      k.f32_gru_reset_after_seq_fwd(
        T,
        B,
        H,
        alive,
        panels(3, 0),
        bu.ptr,
        h0,
        0,
        gates.ptr,
        0,
        hn,
        h.ptr,
        hT.ptr,
        scratch,
        kept,
        0,
      );
  } else {
    const rh = box.f32(B * H).ptr;
    if (quantized)
      k.q8_gru_reset_before_seq(
        T,
        B,
        H,
        alive,
        panels(2, 0),
        panels(1, 2),
        h0,
        gates.ptr,
        rh,
        h.ptr,
        hT.ptr,
        scratch,
        0,
        bits,
      );
    else
      k.f32_gru_reset_before_seq_fwd(
        T,
        B,
        H,
        alive,
        panels(2, 0),
        panels(1, 2),
        h0,
        0,
        gates.ptr,
        0,
        rh,
        h.ptr,
        hT.ptr,
        scratch,
        0,
        0,
      );
  }
  box.checkGuards();
  const activations = !keep
    ? new Float32Array()
    : Float32Array.from(
        { length: N * G * H },
        (_, i) => gates.data[Math.floor(i / (G * H)) * width + gateColumn(G, H, Math.floor(i / H) % G, i % H)],
      );
  const cells: Record<string, Float32Array> =
    cell === "lstm" ? { cT: cT.data.slice(), c: keep ? c.data.slice() : new Float32Array() } : {};
  return { h: h.data.slice(), hT: hT.data.slice(), activations, ...cells };
}

/** Rounding of one step may move an h by one integer of the next. */
const PARITY = { 7: 0.02, 14: 3e-4 };
/** Against floats: half an integer of h, times what the sums and the gates make of it. */
const NEAR = { 7: 0.05, 14: 5e-4 };

eachBuild(
  "q8 sequences",
  (test, sandbox) => {
    for (const cell of Object.keys(CELLS) as Cell[]) {
      for (const bits of [7, 14] as const) {
        test(`${cell}, ${bits} bits: one step is the twin's but for the curves`, () => {
          for (const H of [1, 3, 8, 13, 50]) {
            for (const B of [1, 5]) {
              const spec: Case = { cell, T: 1, B, H, bits, initial: true };
              const expected = run(twin, spec);
              const actual = run(sandbox, spec);
              for (const name of Object.keys(expected))
                close(
                  actual[name],
                  expected[name],
                  cell === "gru_reset_before" ? PARITY[bits] : 4e-6,
                  `H ${H} B ${B} ${name}`,
                );
            }
          }
        });

        test(`${cell}, ${bits} bits: several steps, ragged rows, with and without states`, () => {
          for (const [H, active] of [
            [5, [4, 4, 2, 1, 0]],
            [12, undefined],
            [50, [4, 3, 3, 3, 3]],
          ] as const) {
            for (const initial of [false, true]) {
              for (const keep of [false, cell !== "gru_reset_before" && cell !== "simple_rnn"]) {
                const spec: Case = { cell, T: 5, B: 4, H, bits, active: active && [...active], initial, keep };
                const expected = run(twin, spec);
                const actual = run(sandbox, spec);
                const floats = run(twin, spec, false);
                for (const name of Object.keys(expected)) {
                  close(actual[name], expected[name], PARITY[bits], `H ${H} ${name}`);
                  close(actual[name], floats[name], NEAR[bits], `H ${H} ${name} beside floats`);
                }
              }
            }
          }
        });
      }
    }

    test("unusual sizes", () => {
      for (const [cell, H] of [
        ["lstm", 257],
        ["gru_reset_after", 100],
        ["simple_rnn", 301],
      ] as const) {
        const spec: Case = { cell, T: 2, B: 2, H, bits: 14, initial: true };
        const [expected, actual] = [run(twin, spec), run(sandbox, spec)];
        close(actual.h, expected.h, PARITY[14], `${cell} ${H}`);
        assert.ok(actual.h.every(Number.isFinite));
      }
    });
  },
  "wasm",
);
