/** An activation as a layer. */
import { activate, activationOf, type ActivationInput } from "../activations.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";

/** Options of `layers.activation`. */
export interface ActivationOptions extends CommonOptions {
  /** The activation, by name or with parameters; `softmax`, `logSoftmax` act over the last axis, others by elements. */
  activation: ActivationInput;
}

/** Applies an activation; the shape stays the same. */
export const activation = defineLayer<ActivationOptions>({
  type: "activation",
  prefix: "activation",
  input: "any",
  defaults: { activation: REQUIRED },
  normalize: (config, label) => ({ ...config, activation: activationOf(label, config.activation) }),
  call({ config }, x) {
    const y = activate(config.activation, x);
    y.steps = x.steps;
    return y;
  },
});
