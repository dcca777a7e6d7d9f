/** The three cells: their weights, their equations as sequence ops, the names of their gates and states. */
import type { ConstraintInput } from "../constraints.ts";
import { initializerOf, type InitializerInput } from "../initializers.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { project } from "../ops/project.ts";
import {
  gruAfterSequence, gruBeforeSequence, lstmSequence, simpleRnnSequence, type Sequence, type SequenceConfig,
} from "../ops/recurrent.ts";
import type { Rows } from "../ops/rows.ts";
import type { Tensor } from "../program/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { activationOf, cellActivation, type ActivationInput } from "./activations.ts";
import type { CommonOptions, ParameterSpec } from "./definition.ts";
import { positive, rate } from "./simple.ts";

export interface CellOptions extends CommonOptions {
  units: number;
  activation?: ActivationInput;
  useBias?: boolean;
  kernelInitializer?: InitializerInput;
  recurrentInitializer?: InitializerInput;
  biasInitializer?: InitializerInput;
  kernelRegularizer?: RegularizerInput | undefined;
  recurrentRegularizer?: RegularizerInput | undefined;
  biasRegularizer?: RegularizerInput | undefined;
  activityRegularizer?: RegularizerInput | undefined;
  kernelConstraint?: ConstraintInput | undefined;
  recurrentConstraint?: ConstraintInput | undefined;
  biasConstraint?: ConstraintInput | undefined;
  /** Share of input features zeroed in training, the same ones at every step. */
  dropout?: number;
  /** Share of the state zeroed in the recurrent product in training, the same units at every step. */
  recurrentDropout?: number;
}

export interface SimpleRNNCellOptions extends CellOptions {}

export interface LSTMCellOptions extends CellOptions {
  recurrentActivation?: ActivationInput;
  /** Adds 1 to the initial bias of the forget gate. */
  unitForgetBias?: boolean;
  /** Gates also see the cell state (Gers and Schmidhuber 2000). */
  peepholes?: boolean;
}

export interface GRUCellOptions extends CellOptions {
  recurrentActivation?: ActivationInput;
  /** Reset gate after the recurrent product (Keras' default, PyTorch, cuDNN), or on its input. */
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
}

/** A cell's options and equations, shared by its layer, its place in `rnn`, and its single step. */
export interface CellKind<C extends CellOptions> {
  readonly type: string;
  readonly prefix: string;
  readonly defaults: { readonly [K in keyof Required<C>]: C[K] | undefined };
  /** Names of its states, output first. */
  readonly states: readonly string[];
  /** Names of its gates in memory order. */
  gates(config: C): readonly string[];
  normalize(config: C, label: string): C;
  parameters(config: C, features: number): Record<string, ParameterSpec>;
  run(config: C, run: CellRun): Sequence;
}

const common = {
  units: undefined, activation: "tanh", useBias: true, kernelInitializer: "glorotUniform", recurrentInitializer: "orthogonal",
  biasInitializer: "zeros", kernelRegularizer: undefined, recurrentRegularizer: undefined, biasRegularizer: undefined, activityRegularizer: undefined,
  kernelConstraint: undefined, recurrentConstraint: undefined, biasConstraint: undefined, dropout: 0, recurrentDropout: 0, name: undefined, trainable: true,
} as const;

function normalizeCommon<C extends CellOptions & { recurrentActivation?: ActivationInput }>(config: C, label: string): C {
  positive(label, "units", config.units);
  rate(label, "dropout", config.dropout!);
  rate(label, "recurrentDropout", config.recurrentDropout!);
  const canonical = { ...config, activation: activationOf(label, config.activation!) };
  cellActivation(label, canonical.activation);
  if (config.recurrentActivation !== undefined) {
    canonical.recurrentActivation = activationOf(label, config.recurrentActivation);
    cellActivation(label, canonical.recurrentActivation);
  }
  return canonical;
}

/** Kernel and recurrent kernel of G gates. */
const matrices = (config: CellOptions, features: number, G: number): Record<string, ParameterSpec> => ({
  kernel: {
    shape: [features, G * config.units], initializer: config.kernelInitializer!,
    regularizer: config.kernelRegularizer, constraint: config.kernelConstraint,
  },
  recurrent_kernel: {
    shape: [config.units, G * config.units], initializer: config.recurrentInitializer!,
    regularizer: config.recurrentRegularizer, constraint: config.recurrentConstraint,
  },
});

/** The bias, when the cell has one. */
const biasOf = (config: CellOptions, shape: readonly number[], initializer = config.biasInitializer!): Record<string, ParameterSpec> =>
  (config.useBias ? { bias: { shape, initializer, regularizer: config.biasRegularizer, constraint: config.biasConstraint } } : {});

/** The bias of four gates as `initializer` gives it, with ones for the forget gate (Jozefowicz et al. 2015). */
function forgetBias(initializer: InitializerInput, units: number): InitializerInput {
  return (shape, random) => initializerOf("biasInitializer", initializer)(shape, random).fill(1, units, 2 * units);
}

/** Sequence options; activations only when they are not the pair that kernels have fused. */
function sequenceConfig(rows: Rows, { units, activation, recurrentActivation }: CellOptions & { recurrentActivation?: ActivationInput }): SequenceConfig {
  const usual = activation === "tanh" && (recurrentActivation === undefined || recurrentActivation === "sigmoid");
  const names = recurrentActivation === undefined ? [activation!] : [activation!, recurrentActivation];
  return usual ? { rows, H: units } : { rows, H: units, activations: names.map((name) => cellActivation("cell", name)) };
}

/** h = activation(x·W + b + h·U) (Elman 1990). */
export const simpleRnnCell: CellKind<SimpleRNNCellOptions> = {
  type: "simpleRNN",
  prefix: "simple_rnn",
  defaults: common,
  states: ["h"],
  gates: () => [],
  normalize: normalizeCommon,
  parameters: (config, features) => ({
    ...matrices(config, features, 1),
    ...biasOf(config, [config.units]),
  }),
  run(config, { trace, weights, x, rows, states, drop }) {
    const z = project(trace, x, weights.kernel, weights.bias, rows, { G: 1, H: config.units });
    return simpleRnnSequence(trace, [z, weights.recurrent_kernel, states[0], drop], sequenceConfig(rows, config));
  },
};

/** i, f, o = σ(x·W + h·U + b), g = tanh(…); c = f⊙c + i⊙g, h = o⊙tanh(c) (Hochreiter and Schmidhuber 1997, Gers et al. 2000). */
export const lstmCell: CellKind<LSTMCellOptions> = {
  type: "lstm",
  prefix: "lstm",
  defaults: { ...common, recurrentActivation: "sigmoid", unitForgetBias: true, peepholes: false },
  states: ["h", "c"],
  gates: () => ["i", "f", "g", "o"],
  normalize: normalizeCommon,
  parameters(config, features) {
    const { units, biasInitializer, kernelInitializer, unitForgetBias, peepholes } = config;
    const bias = unitForgetBias ? forgetBias(biasInitializer!, units) : biasInitializer!;
    const peephole = { shape: [units], initializer: kernelInitializer! };
    return {
      ...matrices(config, features, 4),
      ...biasOf(config, [4 * units], bias),
      ...(peepholes ? { peephole_i: peephole, peephole_f: peephole, peephole_o: peephole } : {}),
    };
  },
  run(config, { trace, weights, x, rows, states, drop }) {
    const z = project(trace, x, weights.kernel, weights.bias, rows, { G: 4, H: config.units });
    const { recurrent_kernel: u, peephole_i: pi, peephole_f: pf, peephole_o: po } = weights;
    return lstmSequence(trace, [z, u, states[0], states[1], drop, pi, pf, po], sequenceConfig(rows, config));
  },
};

/** z, r = σ(…), n = tanh(x·Wn + r⊙(h·Un)) or tanh(x·Wn + (r⊙h)·Un); h = z⊙h + (1 − z)⊙n (Cho et al. 2014). */
export const gruCell: CellKind<GRUCellOptions> = {
  type: "gru",
  prefix: "gru",
  defaults: { ...common, recurrentActivation: "sigmoid", resetAfter: true },
  states: ["h"],
  gates: () => ["z", "r", "n"],
  normalize: normalizeCommon,
  parameters(config, features) {
    const { units, resetAfter } = config;
    return { ...matrices(config, features, 3), ...biasOf(config, resetAfter ? [2, 3 * units] : [3 * units]) };
  },
  run(config, { trace, weights, x, rows, states, drop }) {
    const { kernel, recurrent_kernel: u, bias } = weights;
    const z = project(trace, x, kernel, bias, rows, { G: 3, H: config.units });
    const options = sequenceConfig(rows, config);
    return config.resetAfter
      ? gruAfterSequence(trace, [z, u, bias, states[0], drop], options)
      : gruBeforeSequence(trace, [z, u, states[0], drop], options);
  },
};

export const cellKinds = { simpleRNN: simpleRnnCell, lstm: lstmCell, gru: gruCell } as const;
