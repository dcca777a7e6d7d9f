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

/** Loss and names of its predictions, one after the other. */
function lossOf({ config, tensors }: OracleCase): [Loss, ...predictions: string[]] {
  const { fn, reduction = "mean", target, delta, beta, label_smoothing: labelSmoothing = 0, ignore_index: ignoreIndex } = config;
  const options = { reduction: reductions.find((name) => reduction.startsWith(name)) };
  const weights = tensors["input.weight"] && Array.from(tensors["input.weight"].data);
  const positiveWeight = tensors["input.pos_weight"] && Array.from(tensors["input.pos_weight"].data);
  const sparse = losses.sparseCategoricalCrossentropy({
    ...options, fromLogits: true, labelSmoothing, classWeights: weights, ignoreIndex: ignoreIndex ?? (config.layout ? -100 : undefined),
  });
  switch (fn.split("(")[0]) {
    case "mse_loss": return [ofElements(losses.meanSquaredError(options)), "pred"];
    case "l1_loss": return [ofElements(losses.meanAbsoluteError(options)), "pred"];
    case "huber_loss": return [losses.huber({ ...options, delta }), "pred"];
    case "smooth_l1_loss": return [losses.smoothL1({ ...options, beta }), "pred"];
    case "gaussian_nll_loss": return [losses.gaussianNll(), "pred", "var"];
    case "binary_cross_entropy": return [ofElements(losses.binaryCrossentropy(options)), "prob"];
    case "binary_cross_entropy_with_logits": return [(positiveWeight ? same : ofElements)(losses.binaryCrossentropy({ ...options, fromLogits: true, positiveWeight })), "logits"];
    case "nll_loss of log_softmax": return [sparse, "logits"];
    case "cross_entropy": return [target ? losses.categoricalCrossentropy({ ...options, fromLogits: true }) : sparse, "logits"];
    case "kl_div": return [(y, logits) => losses.klDivergence()(y, ops.softmax(logits)), "logits"];
    default: throw new Error(`expected a loss of ours, got ${fn}`);
  }
}

const same = (loss: Loss): Loss => loss;

/** A loss of one target and several predictions side by side, and their gradients. */
function run(oracle: OracleCase): void {
  const { tensors } = oracle;
  const [loss, ...names] = lossOf(oracle);
  const step = valueAndGrad(null, (yTrue: Tensor, parts: Tensor[]) => {
    const value = loss(yTrue, parts.length > 1 ? ops.concat(parts) : parts[0]);
    return [ops.sum(value), value];
  }, { inputs: true, aux: true });
  const { aux, inputGrads } = step(tensors["input.target"], names.map((name) => tensors[`input.${name}`]));
  assertWithin(oracle, "output.loss", typeof aux === "number" ? [aux] : aux.data, "output");
  names.forEach((name, i) => assertWithin(oracle, `grad.${name}`, inputGrads[1][i].data, "gradient"));
}

/** 1 − cosine similarity of two predictions: each in turn is the target, which gets no gradient. */
function compareAngles(oracle: OracleCase): void {
  const [a, b] = [oracle.tensors["input.a"], oracle.tensors["input.b"]];
  const step = valueAndGrad(null, (yTrue: Tensor, yPred: Tensor) => ops.add(losses.cosineSimilarity()(yTrue, yPred), 1), { inputs: true });
  const [toB, toA] = [step(a, b), step(b, a)];
  assertWithin(oracle, "output.loss", [toB.value], "output");
  assertWithin(oracle, "grad.b", toB.inputGrads[1].data, "gradient");
  assertWithin(oracle, "grad.a", toA.inputGrads[1].data, "gradient");
}

eachBackend("losses against PyTorch", (test) =>
  eachSupported(test, "torch/loss", (oracle) => (oracle.name === "cosine_embedding" ? compareAngles(oracle) : run(oracle))));
