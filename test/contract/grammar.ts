/** How kernels are named: <dtype>_<op>[_<variant>][_<phase>][_acc], every part from a closed list. */

export const DTYPES = ["f32", "i32", "q8", "abi"];

/** What is computed. A new op is entered here; one that no kernel has any more is taken out. */
export const OPS = [
  // about the module itself
  "version",
  "relaxed",
  "dot",
  // moving
  "copy",
  "copy_strided",
  "fill",
  "flush",
  "one_hot",
  "to_f32",
  "to_i32",
  "gather",
  "gather_rows",
  "scatter_rows",
  "shift_rows",
  // elementwise
  "unary",
  "vadd",
  "vsub",
  "vmul",
  "vdiv",
  "vmaximum",
  "vminimum",
  "vgreater",
  "vgreater_equal",
  "vequal",
  "vselect",
  "vaffine",
  "vaxpy",
  "vscale",
  // reductions
  "rsum",
  "rsum_rows",
  "rmax",
  "rdot",
  "rsumsq",
  "rargmax",
  "repeat",
  // products
  "gemm",
  "gemv",
  "pack",
  "pack_gates",
  "permute_gates",
  "unpermute_gate",
  "unpermute_gates",
  // layers
  "simple_rnn",
  "lstm",
  "gru",
  "gru_reset",
  "gru_blend",
  "softmax",
  "log_softmax",
  "dropout",
  "dropout_mask",
  // ragged batches
  "pack_rows",
  "unique",
  "valid_steps",
  // training
  "softmax_xent",
  "sigmoid_xent",
  "squared_error",
  "clip_value",
  "clip_norm",
  "guard",
  "accumulate",
  "sgd",
  "rmsprop",
  "adam",
  "adamax",
  "adadelta",
  "lion",
  "average",
];

/** How operands are stored; which GRU; a step or a whole sequence; what targets look like. */
export const VARIANTS = ["nn", "nt", "tn", "reset_after", "reset_before", "step", "seq", "sparse", "dense"];

export const PHASES = ["fwd", "bwd"];

/** Ops whose gradient is the op itself, applied to dy. */
export const OWN_GRADIENT = ["dropout"];

export interface KernelName {
  dtype: string;
  op: string;
  variants: string[];
  phase?: string;
  acc: boolean;
}

/** Takes a name apart; undefined when a part is in no list. */
export function parse(name: string): KernelName | undefined {
  const dtype = DTYPES.find((each) => name.startsWith(`${each}_`));
  if (dtype === undefined) return undefined;
  let rest = name.slice(dtype.length + 1);
  const take = (words: string[]): string | undefined => {
    const word = words.find((each) => rest.endsWith(`_${each}`));
    if (word !== undefined) rest = rest.slice(0, -word.length - 1);
    return word;
  };
  const acc = take(["acc"]) !== undefined;
  const phase = take(PHASES);
  const variants: string[] = [];
  for (let word = take(VARIANTS); word !== undefined; word = take(VARIANTS)) variants.unshift(word);
  return OPS.includes(rest) ? { dtype, op: rest, variants, phase, acc } : undefined;
}
