/**
 * What listings of programs say about each kernel: the names of its extents, and its multiply-adds.
 *
 * Multiply-adds are those of matrix and dot products, by the extents that a kernel is called with, as if every step of every
 * row were valid. Copies and functions of single elements, such as the gates of a cell, count none.
 */
import type { Kernels } from "../generated/kernels.ts";

export interface KernelCost {
  /** Names of the first arguments; "-" for one that is no extent. */
  readonly extents: readonly string[];
  /** Given all arguments; instead of pointers 1, or 0 where there is none. */
  readonly multiplyAdds: (...args: number[]) => number;
}

const cost = (extents: string, multiplyAdds: KernelCost["multiplyAdds"] = () => 0): KernelCost => ({
  extents: extents.split(" ").filter(Boolean),
  multiplyAdds,
});

const nothing = cost("");
const elements = cost("n");
const dot = cost("n", (n) => n);
const rows = cost("M N");
const matrix = cost("K N");
const gates = cost("K G H");
const reduction = cost("outer n inner");
const gathered = cost("M - W");
const product = cost("M - N K", (M, _live, N, K) => M * N * K);
const step = cost("B H");
/** A step of every row without a product, for the first one when there is no initial state. */
const steps = (T: number, first: number): number => T - 1 + Math.min(first, 1);
/** A recurrent product of G gates in every step. @param first  which argument says whether the first step has one, too */
const sequence = (G: number, first: number): KernelCost =>
  cost("T B H", (...args) => steps(args[0], args[first]) * args[1] * G * args[2] ** 2);

/** By name, of every kernel. */
export const KERNEL_COSTS: Readonly<Record<keyof Kernels, KernelCost>> = {
  abi_version: nothing,
  abi_relaxed: nothing,
  abi_dot: nothing,
  f32_gemm_nn: product,
  f32_gemv_nn: cost("N K", (N, K) => N * K),
  f32_gemm_tn_acc: cost("M - K N", (M, _live, K, N) => M * K * N),
  q8_gemm_nn: product,
  f32_pack_nn: matrix,
  f32_pack_nt: matrix,
  f32_pack_gates_nn: gates,
  f32_pack_gates_nt: cost("G H N"),
  q8_pack_gates_nn: gates,
  f32_permute_gates: cost("M G H"),
  f32_unpermute_gates_acc: cost("M G H"),
  f32_unpermute_gate: cost("M - G H"),
  f32_simple_rnn_seq_fwd: sequence(1, 5),
  f32_simple_rnn_seq_bwd: sequence(1, 10),
  q8_simple_rnn_seq: sequence(1, 5),
  f32_lstm_seq_fwd: sequence(4, 5),
  f32_lstm_seq_bwd: sequence(4, 20),
  q8_lstm_seq: sequence(4, 5),
  f32_gru_reset_after_seq_fwd: sequence(3, 6),
  f32_gru_reset_after_seq_bwd: sequence(3, 15),
  q8_gru_reset_after_seq: sequence(3, 0),
  f32_gru_reset_before_seq_fwd: sequence(3, 6),
  // the candidate's product is there in every step
  f32_gru_reset_before_seq_bwd: cost("T B H", (...a) => (a[0] + 2 * steps(a[0], a[16])) * a[1] * a[2] ** 2),
  q8_gru_reset_before_seq: sequence(3, 0),
  f32_simple_rnn_step: step,
  f32_lstm_step: step,
  f32_gru_reset_after_step: step,
  f32_gru_reset_step: step,
  f32_gru_blend_step: step,
  f32_shift_rows: cost("T B H"),
  i32_pack_rows: cost("B T"),
  f32_valid_steps: cost("B T"),
  i32_unique: cost("n - V"),
  f32_gather_rows: gathered,
  f32_scatter_rows_acc: gathered,
  i32_gather: cost("M"),
  q8_gather_rows: cost("M - N"),
  f32_one_hot: rows,
  f32_fill: elements,
  f32_flush: elements,
  f32_copy: elements,
  f32_copy_strided: nothing,
  f32_copy_strided_acc: nothing,
  i32_to_f32: elements,
  f32_to_i32: elements,
  f32_unary_fwd: elements,
  f32_unary_bwd: elements,
  f32_vadd: elements,
  f32_vsub: elements,
  f32_vmul: elements,
  f32_vdiv: elements,
  f32_vmaximum: elements,
  f32_vminimum: elements,
  f32_vgreater: elements,
  f32_vgreater_equal: elements,
  f32_vequal: elements,
  i32_vequal: elements,
  f32_vmul_acc: elements,
  f32_vaxpy_acc: elements,
  f32_vaffine: elements,
  f32_vscale: elements,
  f32_vselect: elements,
  f32_dropout_fwd: elements,
  f32_dropout_mask: elements,
  f32_rsum: reduction,
  f32_rsum_rows_acc: cost("M - N"),
  f32_repeat: reduction,
  f32_rmax_fwd: reduction,
  f32_rmax_bwd: reduction,
  i32_rargmax: rows,
  f32_rdot: dot,
  f32_rsumsq_acc: dot,
  f32_softmax_fwd: rows,
  f32_softmax_bwd: rows,
  f32_log_softmax_fwd: rows,
  f32_log_softmax_bwd: rows,
  f32_softmax_xent_sparse_fwd: rows,
  f32_softmax_xent_sparse_bwd: rows,
  f32_softmax_xent_dense_fwd: rows,
  f32_softmax_xent_dense_bwd: rows,
  f32_sigmoid_xent_fwd: elements,
  f32_sigmoid_xent_bwd: elements,
  f32_squared_error_fwd: elements,
  f32_squared_error_bwd: elements,
  f32_clip_value: elements,
  f32_clip_norm: elements,
  f32_guard: nothing,
  f32_accumulate: elements,
  f32_sgd: elements,
  f32_rmsprop: elements,
  f32_adam: elements,
  f32_adamax: elements,
  f32_adadelta: elements,
  f32_lion: elements,
  f32_average: elements,
};
