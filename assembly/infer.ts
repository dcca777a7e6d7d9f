/** The kernels that running a model needs: the module behind `gatewise/infer` and `gatewise/worklet`. */
export { f32_copy, f32_fill } from "./kernels/copy";
