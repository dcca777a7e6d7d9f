/** The simple RNN: the equations of a step, options, weights, and whole sequences by a kernel. */
import { simpleRnnSequence } from "../../ops/recurrent/simple_rnn_sequence.ts";
import { add } from "../../ops/elementwise.ts";
import { matmul } from "../../ops/linear.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { StepOutput, StepScope } from "./cell.ts";
import { biasOf, defineCell, kernels, stateH, type CellOptions } from "./cell_options.ts";
import type { RecurrentOptions } from "./recurrent_layer.ts";

/**
 * One step, from h0, the state of the step before: h = tanh(x·W + b + h0·U).
 *
 * @param x  x·W + b [batch, units]
 */
function step({ weights, candidate, dropped }: StepScope<CellOptions>, x: Tensor, [h0]: readonly Tensor[]): StepOutput {
  const h = candidate("h", add(x, matmul(dropped(h0), weights.recurrent_kernel)));
  return [h, [h]];
}

/** Options of `cells.simpleRNN`. */
export interface SimpleRNNCellOptions extends CellOptions {}

/** Options of `layers.simpleRNN`. */
export interface SimpleRNNOptions extends SimpleRNNCellOptions, RecurrentOptions {}

/**
 * The simple recurrent network (Elman 1990). `layers.simpleRNN` takes a sequence [batch, time, features] and gives the
 * last output [batch, units] or, with `returnSequences`, all of them [batch, time, units]; `cells.simpleRNN` is one
 * step of it.
 *
 *     h = tanh(x·W + h·U + b)
 *
 * Weights: kernel [features, units], recurrent_kernel [units, units], bias [units]. State: h [batch, units].
 */
export const simpleRNN = defineCell<SimpleRNNCellOptions>({
  type: "simpleRNN",
  prefix: "simple_rnn",
  defaults: {},
  gates: [],
  states: stateH,
  parameters: (config, features) => ({ ...kernels(config, features, 1), ...biasOf(config, [config.units]) }),
  step,
  sequence: ({ trace, weights, drop, options }, x, [h0]) =>
    simpleRnnSequence(trace, [x, weights.recurrent_kernel, h0, drop], options),
});
