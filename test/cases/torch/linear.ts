/** Dense layers against PyTorch's Linear. */
import { layers, ops, valueAndGrad, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";
import { fromLinear, toLinear } from "./weights.ts";

export function runLinear(oracle: OracleCase): void {
  const { tensors } = oracle;
  const [x, cotangent] = [tensors["input.x"], tensors["cotangent.y"]];
  const { "param.weight": weight, "param.bias": bias } = tensors;
  const model = layers.dense({ units: weight.shape[0], useBias: bias !== undefined });
  const step = valueAndGrad(
    model,
    (input: Tensor, given: Tensor) => {
      const y = model.call(input);
      return [ops.sum(ops.mul(y, given)), y];
    },
    { inputs: true, training: false, aux: true },
  );
  step(x, cotangent); // builds the layer
  model.setWeights({ kernel: fromLinear(weight), ...(bias && { bias }) });

  const { aux, grads, inputGrads } = step(x, cotangent);
  assertWithin(oracle, "output.y", aux.data, "output");
  assertWithin(oracle, "grad.input.x", inputGrads[0].data, "gradient");
  assertWithin(oracle, "grad.param.weight", toLinear(grads.kernel), "gradient");
  if (bias) assertWithin(oracle, "grad.param.bias", grads.bias.data, "gradient");
  model.dispose();
}
