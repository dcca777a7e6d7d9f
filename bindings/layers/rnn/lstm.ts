/** The LSTM: the equations of a step, options, weights, and whole sequences by a kernel. */
import { LSTM_GATES } from "../../abi/gates.ts";
import { activate } from "../activations.ts";
import { checkSize } from "../checks.ts";
import type { ParameterSpec } from "../definition.ts";
import { initializerOf, type InitializerInput } from "../initializers.ts";
import { lstmSequence } from "../../ops/recurrent/lstm_sequence.ts";
import { add, affine, mul } from "../../ops/elementwise.ts";
import { matmul } from "../../ops/linear.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { columns, type StepOutput, type StepScope } from "./cell.ts";
import { biasOf, defineCell, kernels, type GatedCellOptions } from "./cell_options.ts";
import type { RecurrentOptions } from "./recurrent_layer.ts";

/**
 * One step, from h0 and c0, the states of the step before:
 *
 *     z = x·W + b + h0·U
 *     i = σ(zi + pi⊙c0)    f = σ(zf + pf⊙c0)    g = tanh(zg)    c = f⊙c0 + i⊙g
 *     o = σ(zo + po⊙c)     h = o⊙tanh(c), or (o⊙tanh(c))·P with a projection
 *
 * Peepholes p are 0 unless the cell has them.
 *
 * @param x  x·W + b [batch, 4·units]
 */
function step(
  { config, weights, gate, candidate, dropped, expose }: StepScope<LSTMCellOptions>,
  x: Tensor,
  [h0, c0]: readonly Tensor[],
): StepOutput {
  const { units, activation, coupledInputForget } = config;
  const { recurrent_kernel: U, peephole_i: pi, peephole_f: pf, peephole_o: po, projection_kernel: P } = weights;
  const z = add(x, matmul(dropped(h0), U));
  const withPeephole = (k: number, p: Tensor | undefined, c: Tensor): Tensor =>
    p ? add(columns(z, k, units), mul(c, p)) : columns(z, k, units);

  const i = gate("i", withPeephole(0, pi, c0));
  const f = coupledInputForget ? affine(i, -1, 1) : gate("f", withPeephole(1, pf, c0));
  const g = candidate("g", columns(z, 2, units));
  const c = add(mul(f, c0), mul(i, g));
  const o = gate("o", withPeephole(3, po, c));
  const y = mul(o, activate(activation!, c));
  const h = P ? matmul(y, P) : y;
  if (coupledInputForget) expose("f", f); // no gate of its own
  return [h, [h, c]];
}

/** Options of `cells.lstm`. */
export interface LSTMCellOptions extends GatedCellOptions {
  /** Initializes the bias of the forget gate with 1 (Jozefowicz et al. 2015). @default true */
  unitForgetBias?: boolean;
  /** Adds peephole connections: the gates see the cell state (Gers and Schmidhuber 2000). @default false */
  peepholes?: boolean;
  /** The forget gate is 1 − input gate (ONNX' `input_forget`); its columns of weights are not used. @default false */
  coupledInputForget?: boolean;
  /** Size of h by a projection, h = (o⊙tanh(c))·projection_kernel (Sak et al. 2014, PyTorch's `proj_size`). */
  projection?: number | undefined;
}

/** Options of `layers.lstm`. */
export interface LSTMOptions extends LSTMCellOptions, RecurrentOptions {}

/** An initializer of the bias that gives ones to the forget gate. */
const withForgetBias =
  (initializer: InitializerInput, units: number): InitializerInput =>
  (shape, random) =>
    initializerOf("biasInitializer", initializer)(shape, random).fill(1, units, 2 * units);

/** Initializes a vector as a matrix of one row: orthogonal initializers take matrices only. */
const asRow =
  (initializer: InitializerInput): InitializerInput =>
  (shape, random) =>
    initializerOf("kernelInitializer", initializer)([1, ...shape], random);

function parameters(config: LSTMCellOptions, features: number): Record<string, ParameterSpec> {
  const { units, biasInitializer, kernelInitializer, unitForgetBias, peepholes, projection } = config;
  const bias = unitForgetBias ? withForgetBias(biasInitializer!, units) : biasInitializer!;
  const peephole = { shape: [units], initializer: asRow(kernelInitializer!) };
  return {
    ...kernels(config, features, 4, projection),
    ...biasOf(config, [4 * units], bias),
    ...(peepholes ? { peephole_i: peephole, peephole_f: peephole, peephole_o: peephole } : {}),
    ...(projection === undefined
      ? {}
      : { projection_kernel: { shape: [units, projection], initializer: kernelInitializer!, int8: "input" } }),
  };
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). `layers.lstm`
 * takes a sequence [batch, time, features] and gives the last output [batch, units] or, with `returnSequences`, all of
 * them [batch, time, units]; `cells.lstm` is one step of it.
 *
 *     i, f, o = σ(x·W + h·U + b)    g = tanh(x·Wg + h·Ug + bg)    c = f⊙c + i⊙g    h = o⊙tanh(c)
 *
 * Weights: kernel [features, 4·units], recurrent_kernel [units, 4·units], bias [4·units]; gates in the order i f g o.
 * With `peepholes` peephole_i, peephole_f, peephole_o [units]; with `projection` projection_kernel [units, projection],
 * and h, the outputs and the rows of recurrent_kernel are `projection` wide. States: h, c [batch, units].
 */
export const lstm = defineCell<LSTMCellOptions>({
  type: "lstm",
  prefix: "lstm",
  defaults: {
    recurrentActivation: "sigmoid",
    unitForgetBias: true,
    peepholes: false,
    coupledInputForget: false,
    projection: undefined,
  },
  check: ({ projection }, label) => projection !== undefined && checkSize(label, "projection", projection),
  gates: LSTM_GATES,
  states: ({ units, projection = units }) => [
    { name: "h", size: projection },
    { name: "c", size: units },
  ],
  parameters,
  step,
  sequence({ trace, weights, drop, options }, x, [h0, c0]) {
    const { recurrent_kernel: U, peephole_i: pi, peephole_f: pf, peephole_o: po } = weights;
    return lstmSequence(trace, [x, U, h0, c0, drop, pi, pf, po], options);
  },
  unfused: ({ coupledInputForget, projection }) => coupledInputForget === true || projection !== undefined,
});
