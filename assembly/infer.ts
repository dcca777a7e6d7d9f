/** The kernels that running a model needs: the module behind `gatewise/infer` and `gatewise/worklet`. */
export { abi_relaxed, abi_version } from "./kernels/abi";
export {
  f32_copy,
  f32_copy_strided,
  f32_fill,
  f32_flush,
  f32_one_hot,
  f32_to_i32,
  i32_to_f32,
} from "./kernels/elementwise/copy";
export { f32_gather_rows, i32_gather } from "./kernels/rows/gather";
export { f32_gemm_nn, f32_gemv_nn } from "./kernels/linear/gemm";
export { f32_gru_reset_after_seq_fwd } from "./kernels/recurrent/gru_reset_after";
export { f32_gru_reset_before_seq_fwd } from "./kernels/recurrent/gru_reset_before";
export { f32_lstm_seq_fwd } from "./kernels/recurrent/lstm";
export { f32_pack_gates_nn, f32_pack_nn, f32_permute_gates, f32_unpermute_gate } from "./kernels/linear/pack";
export { f32_valid_steps, i32_pack_rows, i32_unique } from "./kernels/rows/pack_rows";
export { f32_simple_rnn_seq_fwd } from "./kernels/recurrent/simple_rnn";
export {
  f32_gru_blend_step,
  f32_gru_reset_after_step,
  f32_gru_reset_step,
  f32_lstm_step,
  f32_simple_rnn_step,
} from "./kernels/recurrent/steps";
export { f32_log_softmax_fwd, f32_softmax_fwd } from "./kernels/reduction/softmax";
export {
  f32_vadd,
  f32_vaffine,
  f32_vdiv,
  f32_vequal,
  f32_vgreater,
  f32_vgreater_equal,
  f32_vmaximum,
  f32_vminimum,
  f32_vmul,
  f32_vmul_acc,
  f32_vselect,
  f32_vsub,
} from "./kernels/elementwise/vec_binary";
export { f32_repeat, f32_rmax_fwd, f32_rsum, i32_rargmax } from "./kernels/reduction/vec_reduce";
export { f32_unary_fwd } from "./kernels/elementwise/vec_unary";
