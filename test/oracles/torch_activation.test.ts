/** Activations against PyTorch: values and derivatives, by name or out of others. */
import { jit, layers, ops, valueAndGrad, type ActivationInput, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { assertWithin, type OracleCase } from "../support/oracles.ts";
import { eachSupported } from "./left_out.ts";

const named = (activation: ActivationInput) => (x: Tensor): Tensor => layers.activation({ activation }).call(x);

/** Those whose name is another here, or that are a line of ops. */
const ACTIVATIONS: Record<string, (x: Tensor) => Tensor> = {
  "hard_sigmoid_0.2x_plus_half": named("hard_sigmoid_keras2"),
  hard_sigmoid_x_over_6_plus_half: named("hard_sigmoid"),
  log_softmax_last_axis: named("log_softmax"),
  softmax_last_axis: named("softmax"),
  "leaky_relu_0.01": named({ name: "leaky_relu", alpha: 0.01 }),
  gelu_erf: named("gelu"),
};

function run(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const activation = ACTIVATIONS[config.kind] ?? named(config.kind);
  const [x, cotangent] = [tensors["input.x"], tensors["cotangent.y"]];
  assertWithin(oracle, "output.y", jit(null, activation)(x).data, "output");
  const weighted = valueAndGrad(null, (input: Tensor, weight: Tensor) => ops.sum(ops.mul(activation(input), weight)), { inputs: true });
  assertWithin(oracle, "grad.input.x", weighted(x, cotangent).inputGrads[0].data, "gradient");
}

eachBackend("activations against PyTorch", (test) => eachSupported(test, "torch/activation", run));
