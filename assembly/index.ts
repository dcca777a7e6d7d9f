/** Every kernel: the module behind `gatewise`. */
export * from "./kernels/clip";
export * from "./kernels/copy";
export * from "./kernels/dropout";
export * from "./kernels/gather";
export * from "./kernels/gemm";
export * from "./kernels/gru_reset_after";
export * from "./kernels/gru_reset_before";
export * from "./kernels/loss";
export * from "./kernels/lstm";
export * from "./kernels/optimizer";
export * from "./kernels/pack";
export * from "./kernels/rows";
export * from "./kernels/shift_rows";
export * from "./kernels/simple_rnn";
export * from "./kernels/softmax";
export * from "./kernels/softmax_xent";
export * from "./kernels/vec_unary";
