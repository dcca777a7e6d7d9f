/** The ops of models written by hand: NumPy's names and broadcasting, recorded while a function is traced. */
export {
  abs,
  add,
  affine,
  clip,
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./elementwise.ts";
export { concat, reshape, slice, split, stack, stopGradient, transpose, zeros } from "./shape.ts";
export { argmax, logSoftmax, max, mean, min, softmax, sum } from "./reduce.ts";
export { matmul } from "./linear.ts";
export { gather, oneHot } from "./recurrent/packed_sequence.ts";
export {
  celu,
  elu,
  gelu,
  geluTanh,
  hardShrink,
  hardSigmoid,
  hardSilu,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  scaledTanh,
  selu,
  silu,
  softplus,
  softShrink,
  softsign,
  squareplus,
  tanhshrink,
  thresholdedRelu,
} from "./activations.ts";
export { checkpoint } from "./checkpoint.ts";
export { dropout } from "./dropout.ts";
