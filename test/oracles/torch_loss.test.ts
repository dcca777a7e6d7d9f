/** Losses against PyTorch, which reduces over elements where Keras takes the mean of each sample first. */
import { losses, ops, valueAndGrad, type Loss, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { assertWithin, type OracleCase } from "../support/oracles.ts";
import { eachSupported } from "./left_out.ts";

/** A loss of every element by itself, as a sample with one feature. */
const ofElements = (loss: Loss): Loss => (target, prediction) => {
  const [y, p] = [target, prediction].map((x) => ops.reshape(x, [...x.shape, 1]));
  return loss(y, p);
};

const reductions = ["mean", "sum", "none"] as const;

function lossOf({ fn, reduction, target }: { fn: string; reduction: string; target?: string }): Loss {
  const options = { reduction: reductions.find((name) => reduction.startsWith(name))! };
  switch (fn) {
    case "mse_loss": return ofElements(losses.meanSquaredError(options));
    case "binary_cross_entropy": return ofElements(losses.binaryCrossentropy(options));
    case "binary_cross_entropy_with_logits": return ofElements(losses.binaryCrossentropy({ ...options, fromLogits: true }));
    case "nll_loss of log_softmax": return losses.sparseCategoricalCrossentropy({ ...options, fromLogits: true });
    case "cross_entropy":
      return target ? losses.categoricalCrossentropy({ ...options, fromLogits: true }) : losses.sparseCategoricalCrossentropy({ ...options, fromLogits: true });
    default: throw new Error(`expected a loss of ours, got ${fn}`);
  }
}

function run(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const prediction = ["logits", "prob", "pred"].find((name) => `input.${name}` in tensors)!;
  const loss = lossOf(config);
  const step = valueAndGrad(null, (yTrue: Tensor, yPred: Tensor) => {
    const value = loss(yTrue, yPred);
    return [ops.sum(value), value];
  }, { inputs: true, aux: true });
  const { aux, inputGrads } = step(tensors["input.target"], tensors[`input.${prediction}`]);
  assertWithin(oracle, "output.loss", typeof aux === "number" ? [aux] : aux.data, "output");
  assertWithin(oracle, `grad.${prediction}`, inputGrads[1].data, "gradient");
}

eachBackend("losses against PyTorch", (test) => eachSupported(test, "torch/loss", run));
