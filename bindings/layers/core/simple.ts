/** Layers without time: embedding, dense, dropout, activation. */
import type { ConstraintInput } from "../constraints.ts";
import { OptionError, ValueError } from "../../base/errors.ts";
import type { InitializerInput } from "../initializers.ts";
import { checkCount } from "../../base/options.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { shown } from "../../base/formatting.ts";
import { dropout as drop } from "../../ops/dropout.ts";
import { linear } from "../../ops/linear.ts";
import { indicesOf } from "../../ops/operands.ts";
import { gather } from "../../ops/recurrent/packed_sequence.ts";
import { activate, activationOf, type ActivationInput } from "./activations.ts";
import { defineLayer, type CommonOptions } from "../definition.ts";

/** Extents are i32 in kernels. */
const MOST = 2 ** 31 - 1;

/** @throws OptionError unless value is a whole number ≥ 1, and not beyond reason */
export function positive(label: string, name: string, value: unknown, most = MOST): void {
  checkCount(label, name, value);
  if ((value as number) > most) throw new OptionError(`${label}: expected ${name} of 1…${most}, got ${shown(value)}`);
}

/** @throws OptionError unless 0 ≤ value < 1 */
export function rate(label: string, name: string, value: number): void {
  if (!(typeof value === "number" && value >= 0 && value < 1))
    throw new OptionError(`${label}: expected ${name} of 0 ≤ rate < 1, got ${shown(value)}`);
}

/** Options of `layers.embedding`. */
export interface EmbeddingOptions extends CommonOptions {
  /** Distinct tokens; the input holds 0…inputDim − 1. */
  inputDim: number;
  /** Numbers of a token's vector. */
  outputDim: number;
  /** Where the vectors start. @default "randomUniform" */
  embeddingsInitializer?: InitializerInput;
  /** A penalty on the vectors in the loss. */
  embeddingsRegularizer?: RegularizerInput | undefined;
  /** What holds for the vectors after every update. */
  embeddingsConstraint?: ConstraintInput | undefined;
  /** Token 0 is padding: steps that hold it are masked for the layers that follow. @default false */
  maskZero?: boolean;
}

/** Tokens [batch, time] to vectors [batch, time, outputDim]. Weights: embeddings [inputDim, outputDim]. */
export const embedding = defineLayer<EmbeddingOptions>({
  type: "embedding",
  prefix: "embedding",
  input: "tokens",
  defaults: {
    inputDim: undefined,
    outputDim: undefined,
    embeddingsInitializer: "randomUniform",
    embeddingsRegularizer: undefined,
    embeddingsConstraint: undefined,
    maskZero: false,
    name: undefined,
    trainable: true,
  },
  required: ["inputDim", "outputDim"],
  normalize(config, label) {
    positive(label, "inputDim", config.inputDim);
    positive(label, "outputDim", config.outputDim);
    return config;
  },
  parameters: ({ inputDim, outputDim, embeddingsInitializer, embeddingsRegularizer, embeddingsConstraint }) => ({
    embeddings: {
      shape: [inputDim, outputDim],
      initializer: embeddingsInitializer!,
      regularizer: embeddingsRegularizer,
      constraint: embeddingsConstraint,
      int8: "table",
    },
  }),
  call({ trace, config, weights, label }, x) {
    const tokens = indicesOf(trace, x, config.inputDim, `tokens for ${label}`);
    if (x.steps && config.maskZero)
      throw new ValueError(`${label}: expected lengths, a mask or maskZero, got two of them`);
    tokens.steps = config.maskZero ? { mask: tokens } : x.steps;
    return gather(weights.embeddings, tokens);
  },
});

/** Options of `layers.dense`. */
export interface DenseOptions extends CommonOptions {
  /** Outputs: extent of the last axis. */
  units: number;
  /** Applied to x·kernel + bias. @default "linear" */
  activation?: ActivationInput;
  /** Whether there is a bias. @default true */
  useBias?: boolean;
  /** Where the kernel starts. @default "glorotUniform" */
  kernelInitializer?: InitializerInput;
  /** Where the bias starts. @default "zeros" */
  biasInitializer?: InitializerInput;
  /** A penalty on the kernel in the loss. */
  kernelRegularizer?: RegularizerInput | undefined;
  /** A penalty on the bias in the loss. */
  biasRegularizer?: RegularizerInput | undefined;
  /** A penalty on the layer's output in the loss, over the rows of the batch. */
  activityRegularizer?: RegularizerInput | undefined;
  /** What holds for the kernel after every update. */
  kernelConstraint?: ConstraintInput | undefined;
  /** What holds for the bias after every update. */
  biasConstraint?: ConstraintInput | undefined;
}

/** activation(x·kernel + bias) over the last axis. Weights: kernel [features, units], bias [units]. */
export const dense = defineLayer<DenseOptions>({
  type: "dense",
  prefix: "dense",
  input: "features",
  defaults: {
    units: undefined,
    activation: "linear",
    useBias: true,
    kernelInitializer: "glorotUniform",
    biasInitializer: "zeros",
    kernelRegularizer: undefined,
    biasRegularizer: undefined,
    activityRegularizer: undefined,
    kernelConstraint: undefined,
    biasConstraint: undefined,
    name: undefined,
    trainable: true,
  },
  required: ["units"],
  normalize(config, label) {
    positive(label, "units", config.units);
    return { ...config, activation: activationOf(label, config.activation!) };
  },
  parameters: (config, features) => ({
    kernel: {
      shape: [features, config.units],
      initializer: config.kernelInitializer!,
      regularizer: config.kernelRegularizer,
      constraint: config.kernelConstraint,
      int8: "input",
    },
    ...(config.useBias
      ? {
          bias: {
            shape: [config.units],
            initializer: config.biasInitializer!,
            regularizer: config.biasRegularizer,
            constraint: config.biasConstraint,
          },
        }
      : {}),
  }),
  call({ config, weights }, x) {
    const y = activate(config.activation!, linear(x, weights.kernel, weights.bias));
    y.steps = x.steps;
    return y;
  },
});

/** Options of `layers.dropout`. */
export interface DropoutOptions extends CommonOptions {
  /** Share of elements zeroed in training, 0 ≤ rate < 1; the others are scaled up by 1 / (1 − rate). */
  rate: number;
}

/** Zeroes elements at random in training; passes everything on otherwise. */
export const dropout = defineLayer<DropoutOptions>({
  type: "dropout",
  prefix: "dropout",
  input: "any",
  defaults: { rate: undefined, name: undefined, trainable: true },
  required: ["rate"],
  normalize(config, label) {
    rate(label, "rate", config.rate);
    return config;
  },
  call: ({ config }, x) => drop(x, config.rate),
});

/** Options of `layers.activation`. */
export interface ActivationOptions extends CommonOptions {
  /** Applied to each element, or, softmax and logSoftmax, over the last axis. */
  activation: ActivationInput;
}

/** An activation on its own. */
export const activation = defineLayer<ActivationOptions>({
  type: "activation",
  prefix: "activation",
  input: "any",
  defaults: { activation: undefined, name: undefined, trainable: true },
  required: ["activation"],
  normalize: (config, label) => ({ ...config, activation: activationOf(label, config.activation) }),
  call({ config }, x) {
    const y = activate(config.activation, x);
    y.steps = x.steps;
    return y;
  },
});
