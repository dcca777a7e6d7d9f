/** The GRU: the equations of a step, options, weights, and whole sequences by a kernel. */
import { GRU_GATES } from "../../abi/gates.ts";
import { resetAfterSequence, resetBeforeSequence } from "../../ops/recurrent/gru_sequence.ts";
import { add, affine, mul } from "../../ops/elementwise.ts";
import { linear, matmul } from "../../ops/linear.ts";
import { select, slice } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { columns, type StepOutput, type StepScope } from "./cell.ts";
import { biasOf, defineCell, kernels, stateH, type GatedCellOptions } from "./cell_options.ts";
import type { RecurrentOptions } from "./recurrent_layer.ts";

/**
 * One step, from h0, the state of the step before:
 *
 *     z = σ(xz + h0·Uz)    r = σ(xr + h0·Ur)
 *     n = tanh(xn + r⊙(h0·Un + bn)), or tanh(xn + (r⊙h0)·Un) without `resetAfter`
 *     h = z⊙h0 + (1 − z)⊙n
 *
 * @param x  x·W + b [batch, 3·units]
 */
function step(
  { config, weights, gate, candidate, dropped }: StepScope<GRUCellOptions>,
  x: Tensor,
  [h0]: readonly Tensor[],
): StepOutput {
  const { units, resetAfter } = config;
  const { recurrent_kernel: U, bias } = weights;
  const hd = dropped(h0);
  const hU = resetAfter ? linear(hd, U, bias && select(bias, 1, 0)) : matmul(hd, slice(U, [0, 0], [-1, 2 * units]));

  const z = gate("z", add(columns(x, 0, units), columns(hU, 0, units)));
  const r = gate("r", add(columns(x, 1, units), columns(hU, 1, units)));
  const reset = resetAfter ? mul(r, columns(hU, 2, units)) : matmul(mul(r, hd), columns(U, 2, units));
  const n = candidate("n", add(columns(x, 2, units), reset));
  const h = add(mul(z, h0), mul(affine(z, -1, 1), n));
  return [h, [h]];
}

/** Options of `cells.gru`. */
export interface GRUCellOptions extends GatedCellOptions {
  /** The reset gate acts after the recurrent product (Keras' default, PyTorch, cuDNN), or before it. @default true */
  resetAfter?: boolean;
}

/** Options of `layers.gru`. */
export interface GRUOptions extends GRUCellOptions, RecurrentOptions {}

/**
 * Gated recurrent unit (Cho et al. 2014). `layers.gru` takes a sequence [batch, time, features] and gives the last
 * output [batch, units] or, with `returnSequences`, all of them [batch, time, units]; `cells.gru` is one step of it.
 *
 *     z, r = σ(x·W + h·U + b)    n = tanh(x·Wn + r⊙(h·Un))    h = z⊙h + (1 − z)⊙n
 *
 * Weights: kernel [features, 3·units], recurrent_kernel [units, 3·units], bias [2, 3·units], or [3·units] without
 * `resetAfter`; gates in the order z r n. State: h [batch, units].
 */
export const gru = defineCell<GRUCellOptions>({
  type: "gru",
  prefix: "gru",
  defaults: { recurrentActivation: "sigmoid", resetAfter: true },
  gates: GRU_GATES,
  states: stateH,
  parameters: (config, features) => ({
    ...kernels(config, features, 3),
    ...biasOf(config, config.resetAfter ? [2, 3 * config.units] : [3 * config.units]),
  }),
  step,
  sequence({ trace, config, weights, drop, options }, x, [h0]) {
    const { recurrent_kernel: U, bias } = weights;
    return config.resetAfter
      ? resetAfterSequence(trace, [x, U, bias, h0, drop], options)
      : resetBeforeSequence(trace, [x, U, h0, drop], options);
  },
});
