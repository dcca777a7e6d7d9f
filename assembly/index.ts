/** Every kernel: the module behind `gatewise`. */
export * from "./kernels/copy";
export * from "./kernels/dropout";
export * from "./kernels/gather";
export * from "./kernels/gemm";
export * from "./kernels/loss";
export * from "./kernels/pack";
export * from "./kernels/rows";
export * from "./kernels/softmax";
export * from "./kernels/softmax_xent";
export * from "./kernels/vec_unary";
