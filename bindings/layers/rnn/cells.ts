/** The three cells: their weights, their equations as sequence ops, the names of their gates and states. */
import { GRU_GATES, LSTM_GATES } from "../../abi/gates.ts";
import type { ConstraintInput } from "../constraints.ts";
import { OptionError } from "../../base/errors.ts";
import { initializerOf, type InitializerInput } from "../initializers.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { shown } from "../../base/formatting.ts";
import { project } from "../../ops/recurrent/input_projection.ts";
import { resetAfterSequence, resetBeforeSequence } from "../../ops/recurrent/gru_sequence.ts";
import { lstmSequence } from "../../ops/recurrent/lstm_sequence.ts";
import type { Sequence, SequenceConfig } from "../../ops/recurrent/recurrent_config.ts";
import { simpleRnnSequence } from "../../ops/recurrent/simple_rnn_sequence.ts";
import type { Rows } from "../../ops/recurrent/packed_sequence.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { activationOf, cellActivation, type ActivationInput } from "../core/activations.ts";
import type { CommonOptions, ParameterSpec } from "../definition.ts";
import { gruStep, lstmStep, simpleRnnStep, type Equations } from "./equations.ts";
import { positive, rate } from "../core/simple.ts";
import type { CellStep } from "./stepwise_stage.ts";

/** Options that all cells have. */
export interface CellOptions extends CommonOptions {
  /** Size of the state. */
  units: number;
  /** Of the candidate and, in LSTM, of the cell state on its way out. @default "tanh" */
  activation?: ActivationInput;
  /** Whether there is a bias. @default true */
  useBias?: boolean;
  /** Where the weights of the input start. @default "glorotUniform" */
  kernelInitializer?: InitializerInput;
  /** Where the weights of the state start. @default "orthogonal" */
  recurrentInitializer?: InitializerInput;
  /** Where the bias starts. @default "zeros" */
  biasInitializer?: InitializerInput;
  /** A penalty on the weights of the input in the loss. */
  kernelRegularizer?: RegularizerInput | undefined;
  /** A penalty on the weights of the state in the loss. */
  recurrentRegularizer?: RegularizerInput | undefined;
  /** A penalty on the bias in the loss. */
  biasRegularizer?: RegularizerInput | undefined;
  /** A penalty on the layer's output in the loss, over the rows of the batch. */
  activityRegularizer?: RegularizerInput | undefined;
  /** What holds for the weights of the input after every update. */
  kernelConstraint?: ConstraintInput | undefined;
  /** What holds for the weights of the state after every update. */
  recurrentConstraint?: ConstraintInput | undefined;
  /** What holds for the bias after every update. */
  biasConstraint?: ConstraintInput | undefined;
  /** Share of input features zeroed in training, the same ones at every step. @default 0 */
  dropout?: number;
  /** Share of the state zeroed in the recurrent product in training, the same units at every step. @default 0 */
  recurrentDropout?: number;
  /** What goes into the activations of gates is held within ±cellClip first (ONNX' `clip`); its gradient is 0 beyond. */
  cellClip?: number | undefined;
}

/** Options of `cells.simpleRNN`. */
export interface SimpleRNNCellOptions extends CellOptions {}

/** A state of a cell. */
export interface StateSpec {
  readonly name: string;
  readonly size: number;
}

/** Options of `cells.lstm`. */
export interface LSTMCellOptions extends CellOptions {
  /** Of the gates. @default "sigmoid" */
  recurrentActivation?: ActivationInput;
  /** The bias of the forget gate starts from 1 (Jozefowicz et al. 2015). @default true */
  unitForgetBias?: boolean;
  /** Gates also see the cell state (Gers and Schmidhuber 2000). @default false */
  peepholes?: boolean;
  /** The forget gate is 1 − input gate (ONNX' `input_forget`); its columns of the weights are not used. @default false */
  coupledInputForget?: boolean;
  /** Size of the output and of the state h: h = (o⊙tanh(c))·projection_kernel (Sak et al. 2014, PyTorch's `proj_size`). */
  projection?: number | undefined;
}

/** Options of `cells.gru`. */
export interface GRUCellOptions extends CellOptions {
  /** Of the gates. @default "sigmoid" */
  recurrentActivation?: ActivationInput;
  /** Reset gate after the recurrent product (Keras' default, PyTorch, cuDNN), or on its input. @default true */
  resetAfter?: boolean;
}

/** What a cell computes with besides its weights. */
export interface CellRun {
  readonly trace: Trace;
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Input [B, T, I]. */
  readonly x: Tensor;
  readonly rows: Rows;
  /** Initial states [B, H] in sorted order, as many as the cell has, or none. */
  readonly states: readonly Tensor[];
  /** Recurrent dropout mask [B, H]. */
  readonly drop: Tensor | undefined;
  /** Where the outputs go [B·T, H]; a place of their own when absent. */
  readonly into?: Tensor | undefined;
}

/** A cell's options and equations, shared by its layer, its place in `rnn`, and its single step. */
export interface CellKind<C extends CellOptions> {
  readonly type: string;
  readonly prefix: string;
  readonly defaults: { readonly [K in keyof Required<C>]: C[K] | undefined };
  /** Its states, the output first. */
  states(config: C): readonly StateSpec[];
  /** Names of its gates in memory order. */
  gates(config: C): readonly string[];
  normalize(config: C, label: string): C;
  parameters(config: C, features: number): Record<string, ParameterSpec>;
  /** Whether kernels know these options: then `run` does whole sequences by them, else `step` is repeated. */
  fused(config: C): boolean;
  run(config: C, run: CellRun): Sequence;
  step(equations: Equations<C>): CellStep;
}

const common = {
  units: undefined,
  activation: "tanh",
  useBias: true,
  kernelInitializer: "glorotUniform",
  recurrentInitializer: "orthogonal",
  biasInitializer: "zeros",
  kernelRegularizer: undefined,
  recurrentRegularizer: undefined,
  biasRegularizer: undefined,
  activityRegularizer: undefined,
  kernelConstraint: undefined,
  recurrentConstraint: undefined,
  biasConstraint: undefined,
  dropout: 0,
  recurrentDropout: 0,
  cellClip: undefined,
  name: undefined,
  trainable: true,
} as const;

function normalizeCommon<C extends CellOptions & { recurrentActivation?: ActivationInput }>(
  config: C,
  label: string,
): C {
  positive(label, "units", config.units);
  rate(label, "dropout", config.dropout!);
  rate(label, "recurrentDropout", config.recurrentDropout!);
  const { cellClip, activation, recurrentActivation } = config;
  if (cellClip !== undefined && !(Number.isFinite(cellClip) && cellClip > 0))
    throw new OptionError(`${label}: expected cellClip > 0, got ${shown(cellClip)}`);
  return {
    ...config,
    activation: activationOf(label, activation!),
    ...(recurrentActivation === undefined ? {} : { recurrentActivation: activationOf(label, recurrentActivation) }),
  };
}

/** Whether kernels know what all cells have: elementwise activations, no clipping. */
const fusedCommon = ({
  cellClip,
  activation,
  recurrentActivation,
}: CellOptions & { recurrentActivation?: ActivationInput }): boolean =>
  cellClip === undefined &&
  [activation!, recurrentActivation].every((input) => input === undefined || cellActivation(input) !== undefined);

/** A state h as wide as the cell. */
const stateH = ({ units }: CellOptions): StateSpec[] => [{ name: "h", size: units }];

/** Kernel and recurrent kernel of G gates. */
const matrices = (
  config: CellOptions,
  features: number,
  G: number,
  outputs = config.units,
): Record<string, ParameterSpec> => ({
  kernel: {
    shape: [features, G * config.units],
    initializer: config.kernelInitializer!,
    regularizer: config.kernelRegularizer,
    constraint: config.kernelConstraint,
    int8: "input",
  },
  recurrent_kernel: {
    shape: [outputs, G * config.units],
    initializer: config.recurrentInitializer!,
    regularizer: config.recurrentRegularizer,
    constraint: config.recurrentConstraint,
    int8: "state",
  },
});

/** The bias, when the cell has one. */
const biasOf = (
  config: CellOptions,
  shape: readonly number[],
  initializer = config.biasInitializer!,
): Record<string, ParameterSpec> =>
  config.useBias
    ? { bias: { shape, initializer, regularizer: config.biasRegularizer, constraint: config.biasConstraint } }
    : {};

/** The bias of four gates as `initializer` gives it, with ones for the forget gate (Jozefowicz et al. 2015). */
function forgetBias(initializer: InitializerInput, units: number): InitializerInput {
  return (shape, random) => initializerOf("biasInitializer", initializer)(shape, random).fill(1, units, 2 * units);
}

/** A vector as the only row of a matrix, for initializers that know matrices only, such as orthogonal ones. */
const asRow =
  (initializer: InitializerInput): InitializerInput =>
  (shape, random) =>
    initializerOf("kernelInitializer", initializer)([1, ...shape], random);

/** Sequence options; activations only when they are not the pair that kernels have fused. */
function sequenceConfig(
  { rows, into }: CellRun,
  { units, activation, recurrentActivation }: CellOptions & { recurrentActivation?: ActivationInput },
): SequenceConfig {
  const usual = activation === "tanh" && (recurrentActivation === undefined || recurrentActivation === "sigmoid");
  const inputs = recurrentActivation === undefined ? [activation!] : [activation!, recurrentActivation];
  return usual
    ? { rows, H: units, into }
    : { rows, H: units, into, activations: inputs.map((input) => cellActivation(input)!) };
}

/** h = activation(x·W + b + h·U) (Elman 1990). */
export const simpleRnnCell: CellKind<SimpleRNNCellOptions> = {
  type: "simpleRNN",
  prefix: "simple_rnn",
  defaults: common,
  states: stateH,
  gates: () => [],
  normalize: normalizeCommon,
  fused: fusedCommon,
  step: simpleRnnStep,
  parameters: (config, features) => ({
    ...matrices(config, features, 1),
    ...biasOf(config, [config.units]),
  }),
  run(config, run) {
    const { trace, weights, x, rows, states, drop } = run;
    const z = project(trace, x, weights.kernel, weights.bias, rows, { G: 1, H: config.units });
    return simpleRnnSequence(trace, [z, weights.recurrent_kernel, states[0], drop], sequenceConfig(run, config));
  },
};

/** i, f, o = σ(x·W + h·U + b), g = tanh(…); c = f⊙c + i⊙g, h = o⊙tanh(c) (Hochreiter and Schmidhuber 1997, Gers et al. 2000). */
export const lstmCell: CellKind<LSTMCellOptions> = {
  type: "lstm",
  prefix: "lstm",
  defaults: {
    ...common,
    recurrentActivation: "sigmoid",
    unitForgetBias: true,
    peepholes: false,
    coupledInputForget: false,
    projection: undefined,
  },
  states: ({ units, projection }) => [
    { name: "h", size: projection ?? units },
    { name: "c", size: units },
  ],
  gates: () => LSTM_GATES,
  normalize(config, label) {
    if (config.projection !== undefined) positive(label, "projection", config.projection);
    return normalizeCommon(config, label);
  },
  fused: (config) => fusedCommon(config) && !config.coupledInputForget && config.projection === undefined,
  step: lstmStep,
  parameters(config, features) {
    const { units, biasInitializer, kernelInitializer, unitForgetBias, peepholes, projection } = config;
    const bias = unitForgetBias ? forgetBias(biasInitializer!, units) : biasInitializer!;
    const peephole = { shape: [units], initializer: asRow(kernelInitializer!) };
    return {
      ...matrices(config, features, 4, projection),
      ...biasOf(config, [4 * units], bias),
      ...(peepholes ? { peephole_i: peephole, peephole_f: peephole, peephole_o: peephole } : {}),
      ...(projection === undefined
        ? {}
        : { projection_kernel: { shape: [units, projection], initializer: kernelInitializer!, int8: "input" } }),
    };
  },
  run(config, run) {
    const { trace, weights, x, rows, states, drop } = run;
    const z = project(trace, x, weights.kernel, weights.bias, rows, { G: 4, H: config.units });
    const { recurrent_kernel: u, peephole_i: pi, peephole_f: pf, peephole_o: po } = weights;
    return lstmSequence(trace, [z, u, states[0], states[1], drop, pi, pf, po], sequenceConfig(run, config));
  },
};

/** z, r = σ(…), n = tanh(x·Wn + r⊙(h·Un)) or tanh(x·Wn + (r⊙h)·Un); h = z⊙h + (1 − z)⊙n (Cho et al. 2014). */
export const gruCell: CellKind<GRUCellOptions> = {
  type: "gru",
  prefix: "gru",
  defaults: { ...common, recurrentActivation: "sigmoid", resetAfter: true },
  states: stateH,
  gates: () => GRU_GATES,
  normalize: normalizeCommon,
  fused: fusedCommon,
  step: gruStep,
  parameters(config, features) {
    const { units, resetAfter } = config;
    return { ...matrices(config, features, 3), ...biasOf(config, resetAfter ? [2, 3 * units] : [3 * units]) };
  },
  run(config, run) {
    const { trace, weights, x, rows, states, drop } = run;
    const { kernel, recurrent_kernel: u, bias } = weights;
    const z = project(trace, x, kernel, bias, rows, { G: 3, H: config.units });
    const options = sequenceConfig(run, config);
    return config.resetAfter
      ? resetAfterSequence(trace, [z, u, bias, states[0], drop], options)
      : resetBeforeSequence(trace, [z, u, states[0], drop], options);
  },
};

export const cellKinds = { simpleRNN: simpleRnnCell, lstm: lstmCell, gru: gruCell } as const;
