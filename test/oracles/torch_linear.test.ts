/** Dense layers against PyTorch's Linear. */
import { layers, ops, valueAndGrad, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { assertWithin, type OracleCase } from "../support/oracles.ts";
import { fromLinear, toLinear } from "../support/torch.ts";
import { eachSupported } from "./left_out.ts";

function run(oracle: OracleCase): void {
  const { tensors } = oracle;
  const [x, cotangent] = [tensors["input.x"], tensors["cotangent.y"]];
  const model = layers.dense({ units: tensors["param.bias"].shape[0] });
  const step = valueAndGrad(model, (input: Tensor, weight: Tensor) => {
    const y = model.call(input);
    return [ops.sum(ops.mul(y, weight)), y];
  }, { inputs: true, training: false, aux: true });
  step(x, cotangent); // builds the layer
  model.setWeights({ kernel: fromLinear(tensors["param.weight"]), bias: tensors["param.bias"] });

  const { aux, grads, inputGrads } = step(x, cotangent);
  assertWithin(oracle, "output.y", aux.data, "output");
  assertWithin(oracle, "grad.input.x", inputGrads[0].data, "gradient");
  assertWithin(oracle, "grad.param.weight", toLinear(grads.kernel), "gradient");
  assertWithin(oracle, "grad.param.bias", grads.bias.data, "gradient");
  model.dispose();
}

eachBackend("dense layers against PyTorch", (test) => eachSupported(test, "torch/linear", run));
