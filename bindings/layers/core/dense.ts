/** The fully connected layer. */
import { activate, activationOf, type ActivationInput } from "../activations.ts";
import { checkSize } from "../checks.ts";
import type { ConstraintInput } from "../constraints.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";
import type { InitializerInput } from "../initializers.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { linear } from "../../ops/linear.ts";

/** Options of `layers.dense`. */
export interface DenseOptions extends CommonOptions {
  /** Number of units: the extent of the last axis of the output. */
  units: number;
  /** Activation, applied to x·kernel + bias. @default "linear" */
  activation?: ActivationInput;
  /** Adds a bias. @default true */
  useBias?: boolean;
  /** Initializer of the kernel. @default "glorotUniform" */
  kernelInitializer?: InitializerInput;
  /** Initializer of the bias. @default "zeros" */
  biasInitializer?: InitializerInput;
  /** Penalty on the kernel, added to the loss. */
  kernelRegularizer?: RegularizerInput | undefined;
  /** Penalty on the bias, added to the loss. */
  biasRegularizer?: RegularizerInput | undefined;
  /** Penalty on the output, added to the loss and divided by the batch size. */
  activityRegularizer?: RegularizerInput | undefined;
  /** Constraint on the kernel, applied after every update. */
  kernelConstraint?: ConstraintInput | undefined;
  /** Constraint on the bias, applied after every update. */
  biasConstraint?: ConstraintInput | undefined;
}

/**
 * The fully connected layer, y = activation(x·kernel + bias), over the last axis: [batch, .., features] to
 * [batch, .., units]. Weights: kernel [features, units], bias [units].
 */
export const dense = defineLayer<DenseOptions>({
  type: "dense",
  prefix: "dense",
  input: "features",
  defaults: {
    units: REQUIRED,
    activation: "linear",
    useBias: true,
    kernelInitializer: "glorotUniform",
    biasInitializer: "zeros",
    kernelRegularizer: undefined,
    biasRegularizer: undefined,
    activityRegularizer: undefined,
    kernelConstraint: undefined,
    biasConstraint: undefined,
  },
  normalize(config, label) {
    checkSize(label, "units", config.units);
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
    ...(config.useBias && {
      bias: {
        shape: [config.units],
        initializer: config.biasInitializer!,
        regularizer: config.biasRegularizer,
        constraint: config.biasConstraint,
      },
    }),
  }),
  call({ config, weights }, x) {
    const y = activate(config.activation!, linear(x, weights.kernel, weights.bias));
    y.steps = x.steps;
    return y;
  },
});
