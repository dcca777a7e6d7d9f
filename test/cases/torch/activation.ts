/** Activations against PyTorch: values and derivatives, by name or out of others. */
import { jit, layers, ops, valueAndGrad, type ActivationInput, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";

const named =
  (activation: ActivationInput) =>
  (x: Tensor): Tensor =>
    layers.activation({ activation }).call(x);

/** Those whose name is another here. */
const NAMES: Record<string, string> = {
  "hard_sigmoid_0.2x_plus_half": "hard_sigmoid_keras2",
  hard_sigmoid_x_over_6_plus_half: "hard_sigmoid",
  log_softmax_last_axis: "log_softmax",
  softmax_last_axis: "softmax",
  gelu_erf: "gelu",
};

/** The activation of a case: parameters stand beside its name, or one of them at the end of it. */
function activationOf({ kind, alpha, beta }: { kind: string; alpha?: number; beta?: number }): (x: Tensor) => Tensor {
  const [, base = kind, number] = /^([a-z_]+?\d?)_(\d[\d.]*)$/.exec(kind) ?? [];
  if (kind in NAMES)
    return named(alpha === undefined ? NAMES[kind] : ({ name: NAMES[kind], alpha, beta } as ActivationInput));
  const parameters = { alpha: number === undefined ? alpha : Number(number), beta };
  return named(parameters.alpha === undefined ? base : ({ name: base, ...parameters } as ActivationInput));
}

export function runActivation(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const activation = activationOf(config);
  const [x, cotangent] = [tensors["input.x"], tensors["cotangent.y"]];
  assertWithin(oracle, "output.y", jit(null, activation)(x).data, "output");
  const weighted = valueAndGrad(null, (input: Tensor, weight: Tensor) => ops.sum(ops.mul(activation(input), weight)), {
    inputs: true,
  });
  assertWithin(oracle, "grad.input.x", weighted(x, cotangent).inputGrads[0].data, "gradient");
}
