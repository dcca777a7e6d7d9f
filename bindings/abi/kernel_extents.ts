/**
 * The memory that each kernel of `gatewise/infer` and of int8 models touches, by its arguments: for programs out of files,
 * which are checked before they run. assembly/ says the same in words; test/export/hostile.test.ts runs programs beside it.
 */
import { int8PackedBytes, int8ScratchBytes } from "./int8_panel.ts";
import { panelWidth } from "./panel.ts";
import { activationWords } from "./records.ts";
import { rowsScratch, sequenceScratch, stepProductScratch } from "./scratch.ts";

/** A pointer, and how many words of four bytes are read and written there. */
export type Extent = readonly [ptr: number, words: number];

/** All that a call touches, of which the last `writes` are written. */
export interface Touched {
  readonly extents: readonly Extent[];
  readonly writes: number;
  /** Multiply-adds, where they are more than the words. */
  readonly work?: number;
}

type Touches = (...args: number[]) => Touched;

/** A pointer that may be 0. */
const maybe = (ptr: number, words: number): Extent => [ptr, ptr && words];

/** M rows of W words, `stride` words apart. */
const rows = (M: number, stride: number, W: number): number => M && (M - 1) * stride + W;

const touched = (reads: readonly Extent[], written: readonly Extent[], work = 0): Touched => ({
  extents: [...reads, ...written],
  writes: written.length,
  work,
});

const unary: Touches = (n, x, y) => touched([[x, n]], [[y, n]]);
const binary: Touches = (n, a, b, y) => touched([[a, n], [b, n]], [[y, n]]); // prettier-ignore
const softmax: Touches = (M, N, x, y) => touched([[x, M * N]], [[y, M * N]]);

/** What all recurrent sequences read: rows alive, the activations of G functions. */
const common = (T: number, active: number, acts: number, functions: number): Extent[] => [
  maybe(active, T),
  maybe(acts, activationWords(functions)),
];

/** The product of a sequence with gates of G columns a unit. */
const recurrent = (T: number, B: number, H: number, G: number): number => T * B * G * H * panelWidth(H);

/** A row-wise product with packed weights of so many words. */
const product =
  (packed: (K: number, N: number) => number, scratch: (M: number, K: number) => number): Touches =>
  (M, live, N, K, a, lda, w, init, ldinit, c, ldc, more = 0) =>
    touched(
      [maybe(live, 1), [a, rows(M, lda, K)], [w, packed(K, N)], maybe(init, ldinit ? rows(M, ldinit, N) : N)],
      [[more, scratch(M, K)], [c, rows(M, ldc, N)]], // prettier-ignore
      M * N * K,
    );

const int8Words = (K: number, N: number): number => int8PackedBytes(K, N) / 4;
const int8Scratch = (M: number, K: number): number => int8ScratchBytes(M, K) / 4;
const int8SequenceScratch = (B: number, H: number): number => int8Scratch(B, H) + stepProductScratch(B, H);

/** By name. */
export const KERNEL_EXTENTS: Readonly<Record<string, Touches>> = {
  f32_copy: unary,
  f32_fill: (n, y) => touched([], [[y, n]]),
  f32_flush: (n, x) => touched([], [[x, n]]),
  f32_to_i32: unary,
  i32_to_f32: unary,
  f32_unary_fwd: unary,
  f32_vaffine: unary,
  f32_vadd: binary,
  f32_vsub: binary,
  f32_vmul: binary,
  f32_vdiv: binary,
  f32_vmul_acc: binary,
  f32_vmaximum: binary,
  f32_vminimum: binary,
  f32_vgreater: binary,
  f32_vgreater_equal: binary,
  f32_vequal: binary,
  f32_vselect: (n, condition, a, b, y) => touched([[condition, n], [a, n], [b, n]], [[y, n]]), // prettier-ignore
  f32_rsum: (outer, n, inner, x, y) => touched([[x, outer * n * inner]], [[y, outer * inner]]),
  f32_repeat: (outer, n, inner, x, y) => touched([[x, outer * inner]], [[y, outer * n * inner]]),
  f32_rmax_fwd: (outer, n, inner, x, y, arg) =>
    touched([[x, outer * n * inner]], [[y, outer * inner], [arg, outer * inner]]), // prettier-ignore
  i32_rargmax: (M, N, x, y) => touched([[x, M * N]], [[y, M]]),
  f32_softmax_fwd: softmax,
  f32_log_softmax_fwd: softmax,
  f32_one_hot: (M, N, index, y) => touched([[index, M]], [[y, M * N]]),
  f32_gather_rows: (M, live, W, x, _ldx, index, y, ldy) =>
    touched([maybe(live, 1), [x, M && W], [index, M]], [[y, rows(M, ldy, W)]]),
  i32_gather: (M, live, x, index, y) => touched([maybe(live, 1), [x, M && 1], [index, M]], [[y, M]]),
  f32_gemm_nn: product(
    (K, N) => K * panelWidth(N),
    () => 0,
  ),
  f32_gemv_nn: (N, K, x, panels, init, y) =>
    touched([[x, K], [panels, K * panelWidth(N)], maybe(init, N)], [[y, N]]), // prettier-ignore
  f32_pack_nn: (K, N, w, ldw, panels) => touched([[w, rows(K, ldw, N)]], [[panels, K * panelWidth(N)]]),
  f32_pack_gates_nn: (K, G, H, w, ldw, panels) =>
    touched([[w, rows(K, ldw, G * H)]], [[panels, K * G * panelWidth(H)]]),
  f32_permute_gates: (M, G, H, x, ldx, y, ldy) =>
    touched([[x, rows(M, ldx, G * H)]], [[y, rows(M, ldy, G * panelWidth(H))]]),
  f32_unpermute_gate: (M, live, G, H, gate, x, ldx, y, ldy) =>
    touched([maybe(live, 1), [x, gate < G ? rows(M, ldx, G * panelWidth(H)) : Infinity]], [[y, rows(M, ldy, H)]]),
  f32_valid_steps: (B, T, lengths, mask, y) => touched([maybe(lengths, B), maybe(mask, B * T)], [[y, B * T]]),
  i32_pack_rows: (B, T, lengths, mask, order, rank, active, count, source, place, scratch) =>
    touched(
      [maybe(lengths, B), maybe(mask, B * T)],
      [
        [order, B],
        [rank, B],
        [active, T],
        [count, 1],
        [source, B * T],
        [place, B * T],
        [scratch, rowsScratch(B, T)],
      ],
    ),
  i32_unique: (n, live, V, tokens, slots, values, count, inverse) =>
    touched([maybe(live, 1), [tokens, n]], [[slots, V], [values, n], [count, 1], [inverse, n]]), // prettier-ignore
  f32_simple_rnn_step: (B, H, gates, h, acts) =>
    touched([[gates, B * panelWidth(H)], maybe(acts, activationWords(1))], [[h, B * H]]),
  f32_lstm_step: (B, H, c0, i, f, o, gates, pre, h, c, _keep, acts) =>
    touched(
      [[c0, B * H], maybe(i, H), maybe(f, H), maybe(o, H), maybe(acts, activationWords(2))],
      [[gates, B * 4 * panelWidth(H)], maybe(pre, B * 4 * panelWidth(H)), [h, B * H], [c, B * H]],
    ),
  f32_gru_reset_after_step: (B, H, h0, a, gates, pre, hn, h, _keep, acts) => {
    const width = B * panelWidth(H);
    return touched(
      [[h0, B * H], [a, 3 * width], maybe(acts, activationWords(2))],
      [[gates, 3 * width], maybe(pre, 3 * width), maybe(hn, width), [h, B * H]],
    );
  },
  f32_gru_reset_step: (B, H, h0, a, gates, pre, rh, acts) => {
    const width = B * panelWidth(H);
    return touched(
      [[h0, B * H], [a, 2 * width], maybe(acts, activationWords(2))],
      [[gates, 3 * width], maybe(pre, 3 * width), [rh, B * H]],
    );
  },
  f32_gru_blend_step: (B, H, h0, a, gates, pre, h, acts) => {
    const width = B * panelWidth(H);
    return touched(
      [[h0, B * H], [a, width], maybe(acts, activationWords(2))],
      [[gates, 3 * width], maybe(pre, 3 * width), [h, B * H]],
    );
  },
  f32_simple_rnn_seq_fwd: (T, B, H, active, u, h0, drop, gates, h, hT, scratch, acts) =>
    touched(
      [...common(T, active, acts, 1), [u, H * panelWidth(H)], maybe(h0, B * H), maybe(drop, B * H)],
      [[gates, T * B * panelWidth(H)], [h, T * B * H], maybe(hT, B * H), [scratch, sequenceScratch(B, H)]],
      recurrent(T, B, H, 1),
    ),
  f32_lstm_seq_fwd: (T, B, H, active, u, h0, c0, drop, i, f, o, gates, pre, h, c, hT, cT, scratch, keep, acts) => {
    const width = 4 * panelWidth(H);
    return touched(
      [
        ...common(T, active, acts, 2),
        [u, H * width],
        ...[h0, c0, drop].map((state) => maybe(state, B * H)),
        ...[i, f, o].map((peephole) => maybe(peephole, H)),
      ],
      [
        [gates, T * B * width],
        maybe(pre, T * B * width),
        [h, T * B * H],
        [c, (keep ? T : 1) * B * H],
        maybe(hT, B * H),
        maybe(cT, B * H),
        [scratch, sequenceScratch(B, H)],
      ],
      recurrent(T, B, H, 4),
    );
  },
  f32_gru_reset_after_seq_fwd: (T, B, H, active, u, bu, h0, drop, gates, pre, hn, h, hT, scratch, _keep, acts) => {
    const width = panelWidth(H);
    return touched(
      [...common(T, active, acts, 2), [u, H * 3 * width], maybe(bu, 3 * width), maybe(h0, B * H), maybe(drop, B * H)],
      [
        [gates, T * B * 3 * width],
        maybe(pre, T * B * 3 * width),
        maybe(hn, T * B * width),
        [h, T * B * H],
        maybe(hT, B * H),
        [scratch, sequenceScratch(B, H)],
      ],
      recurrent(T, B, H, 3),
    );
  },
  f32_gru_reset_before_seq_fwd: (T, B, H, active, zr, n, h0, drop, gates, pre, rh, h, hT, scratch, keep, acts) => {
    const width = panelWidth(H);
    return touched(
      [...common(T, active, acts, 2), [zr, H * 2 * width], [n, H * width], maybe(h0, B * H), maybe(drop, B * H)],
      [
        [gates, T * B * 3 * width],
        maybe(pre, T * B * 3 * width),
        [rh, (keep ? T : 1) * B * H],
        [h, T * B * H],
        maybe(hT, B * H),
        [scratch, sequenceScratch(B, H)],
      ],
      recurrent(T, B, H, 3),
    );
  },
  q8_gemm_nn: product(int8Words, int8Scratch),
  q8_pack_gates_nn: (K, G, H, w, ldw, scales, panels) =>
    touched([[w, rows(K, ldw, G * H) / 4], [scales, G * H]], [[panels, int8Words(K, G * panelWidth(H))]]), // prettier-ignore
  q8_gather_rows: (M, live, N, x, scales, index, y, ldy) =>
    touched(
      [maybe(live, 1), [x, index ? (M && N) / 4 : (M * N) / 4], [scales, M && 1], maybe(index, M)],
      [[y, rows(M, ldy, N)]],
    ),
  q8_simple_rnn_seq: (T, B, H, active, u, h0, gates, h, hT, scratch, acts) =>
    touched(
      [...common(T, active, acts, 1), [u, int8Words(H, panelWidth(H))], maybe(h0, B * H)],
      [[gates, T * B * panelWidth(H)], [h, T * B * H], maybe(hT, B * H), [scratch, int8SequenceScratch(B, H)]],
      recurrent(T, B, H, 1),
    ),
  q8_lstm_seq: (T, B, H, active, u, h0, c0, i, f, o, gates, h, c, hT, cT, scratch, keep, acts) =>
    touched(
      [
        ...common(T, active, acts, 2),
        [u, int8Words(H, 4 * panelWidth(H))],
        maybe(h0, B * H),
        maybe(c0, B * H),
        ...[i, f, o].map((peephole) => maybe(peephole, H)),
      ],
      [
        [gates, T * B * 4 * panelWidth(H)],
        [h, T * B * H],
        [c, (keep ? T : 1) * B * H],
        maybe(hT, B * H),
        maybe(cT, B * H),
        [scratch, int8SequenceScratch(B, H)],
      ],
      recurrent(T, B, H, 4),
    ),
  q8_gru_reset_after_seq: (T, B, H, active, u, bu, h0, gates, hn, h, hT, scratch, acts) => {
    const width = panelWidth(H);
    return touched(
      [...common(T, active, acts, 2), [u, int8Words(H, 3 * width)], maybe(bu, 3 * width), maybe(h0, B * H)],
      [
        [gates, T * B * 3 * width],
        maybe(hn, B * width),
        [h, T * B * H],
        maybe(hT, B * H),
        [scratch, int8SequenceScratch(B, H)],
      ],
      recurrent(T, B, H, 3),
    );
  },
  q8_gru_reset_before_seq: (T, B, H, active, zr, n, h0, gates, rh, h, hT, scratch, acts) => {
    const width = panelWidth(H);
    return touched(
      [...common(T, active, acts, 2), [zr, int8Words(H, 2 * width)], [n, int8Words(H, width)], maybe(h0, B * H)],
      [[gates, T * B * 3 * width], [rh, B * H], [h, T * B * H], maybe(hT, B * H), [scratch, int8SequenceScratch(B, H)]],
      recurrent(T, B, H, 3),
    );
  },
};
