/** The elementwise half of a time step, which the int8 module imports from the other: kernels/recurrent/steps.ts. */

// @ts-ignore: decorator
@external("env", "f32_simple_rnn_step")
export declare function simpleRnnStep(B: usize, H: usize, gates: usize, h: usize, acts: usize): void;

// @ts-ignore: decorator
@external("env", "f32_lstm_step")
export declare function lstmStep(
  B: usize,
  H: usize,
  c0: usize,
  peep_i: usize,
  peep_f: usize,
  peep_o: usize,
  gates: usize,
  pre: usize,
  h: usize,
  c: usize,
  keep: usize,
  acts: usize,
): void;

// @ts-ignore: decorator
@external("env", "f32_gru_reset_after_step")
export declare function gruStep(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  hn: usize,
  h: usize,
  keep: usize,
  acts: usize,
): void;

// @ts-ignore: decorator
@external("env", "f32_gru_reset_step")
export declare function resetStep(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  rh: usize,
  acts: usize,
): void;

// @ts-ignore: decorator
@external("env", "f32_gru_blend_step")
export declare function blendStep(
  B: usize,
  H: usize,
  h0: usize,
  a: usize,
  gates: usize,
  pre: usize,
  h: usize,
  acts: usize,
): void;
