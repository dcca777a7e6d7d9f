/** Losses against PyTorch, which reduces over elements where Keras takes the mean of each sample first. */
import { losses, ops, valueAndGrad, type Loss, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";

/** PyTorch's reductions; `batchmean` is over rows. */
const REDUCTIONS = ["batchmean", "mean", "sum", "none"] as const;
type Reduction = (typeof REDUCTIONS)[number];

/** A loss with its reduction, with optional weights of elements, and the names of its predictions in order. */
type Row = [loss: (y: Tensor, p: Tensor, weight?: Tensor) => Tensor, ...predictions: string[]];

/** The last axis as one of samples with one feature each. */
const asSamples = (x: Tensor): Tensor => ops.reshape(x, [...x.shape, 1]);

/** A loss of every element by itself, from one that takes the mean of a sample. */
const ofElements =
  (loss: Loss): Loss =>
  (y, p) =>
    loss(asSamples(y), asSamples(p));

/** A loss of every element for each of the columns of the last axis. */
const ofColumns =
  (lossOf: (column: number) => Loss): Loss =>
  (y, p) => {
    const columns = Array.from({ length: p.shape.at(-1)! }, (_, k) =>
      ofElements(lossOf(k))(ops.gather(y, k, -1), ops.gather(p, k, -1)),
    );
    return ops.stack(columns, -1);
  };

/** Means and variances of every element by itself. */
const ofPairs =
  (loss: Loss): Loss =>
  (y, p) => {
    const n = p.shape.at(-1)! / 2;
    const half = (first: number): Tensor =>
      asSamples(ops.slice(p, [...p.shape.slice(1).map(() => 0), first], [...p.shape.slice(1).map(() => -1), n]));
    return loss(asSamples(y), ops.concat([half(0), half(n)]));
  };

/** Reduces losses of elements as PyTorch does, after it weighed them. */
const reduced =
  (loss: Loss, reduction: Reduction): Row[0] =>
  (y, p, weight) => {
    const each = weight ? ops.mul(loss(y, p), weight) : loss(y, p);
    return reduction === "none" ? each : reduction === "sum" ? ops.sum(each) : ops.mean(each);
  };

function lossOf({ config, tensors }: OracleCase): Row {
  const { fn, delta, beta, full, label_smoothing: labelSmoothing = 0, layout, target } = config;
  const name = fn.split("(")[0];
  const wanted: string = config.reduction ?? fn.match(/reduction=(\w+)/)?.[1] ?? "mean";
  const reduction = REDUCTIONS.find((known) => wanted.startsWith(known))!;
  const none = { reduction: "none" } as const;
  const options = { reduction: reduction === "batchmean" ? "mean" : reduction } as const;
  const elements = (loss: Loss): Row[0] => reduced(ofElements(loss), reduction);
  switch (name) {
    case "mse_loss":
      return [elements(losses.meanSquaredError(none)), "pred"];
    case "l1_loss":
      return [elements(losses.meanAbsoluteError(none)), "pred"];
    case "huber_loss":
      return [elements(losses.huber({ ...none, delta })), "pred"];
    case "smooth_l1_loss":
      return [elements(losses.smoothL1({ ...none, beta })), "pred"];
    case "gaussian_nll_loss": {
      const epsilon = config.eps ?? Number(fn.match(/eps=([\de.-]+)/)?.[1] ?? 1e-6);
      return [reduced(ofPairs(losses.gaussianNll({ ...none, full, epsilon })), reduction), "pred", "var"];
    }
    case "poisson_nll_loss":
      return [elements(losses.poisson({ ...none, logRate: config.log_input ?? true })), "pred"];
    case "binary_cross_entropy":
      return [elements(losses.binaryCrossentropy(none)), "prob"];
    case "binary_cross_entropy_with_logits": {
      const positive = tensors["input.pos_weight"]?.data;
      if (!positive) return [elements(losses.binaryCrossentropy({ ...none, fromLogits: true })), "logits"];
      const columns = ofColumns((k) =>
        losses.binaryCrossentropy({
          ...none,
          fromLogits: true,
          positiveWeight: positive.length === 1 ? positive[0] : positive[k],
        }),
      );
      return [reduced(columns, reduction), "logits"];
    }
    case "cross_entropy":
    case "nll_loss of log_softmax": {
      const weight = tensors["input.weight"];
      const rest = { ...options, fromLogits: true, labelSmoothing, classWeights: weight && Array.from(weight.data) };
      if (target) return [losses.categoricalCrossentropy(rest), "logits"];
      const ignoreIndex = config.ignore_index ?? (layout ? -100 : undefined);
      return [losses.sparseCategoricalCrossentropy({ ...rest, ignoreIndex }), "logits"];
    }
    case "kl_div": {
      const given = (y: Tensor): Tensor => (config.log_target ? ops.exp(y) : y);
      if (reduction === "none") {
        const each = elements(losses.klDivergence(none));
        return [(y, logits) => each(given(y), ops.softmax(logits)), "logits"];
      }
      const ofRows = losses.klDivergence({ reduction: reduction === "sum" ? "sum" : "mean", fromLogits: true });
      return [
        (y, logits) => ops.div(ofRows(given(y), logits), reduction === "mean" ? logits.shape.at(-1)! : 1),
        "logits",
      ];
    }
    default:
      throw new Error(`expected a loss of ours, got ${fn}`);
  }
}

/** A loss of one target and several predictions side by side, and their gradients. */
function reduce(oracle: OracleCase): void {
  const { tensors } = oracle;
  const [loss, ...names] = lossOf(oracle);
  const step = valueAndGrad(
    null,
    (yTrue: Tensor, parts: Tensor[], weight?: Tensor) => {
      const value = loss(yTrue, parts.length > 1 ? ops.concat(parts) : parts[0], weight);
      return [ops.sum(value), value];
    },
    { inputs: true, aux: true },
  );
  const { aux, inputGrads } = step(
    tensors["input.target"],
    names.map((name) => tensors[`input.${name}`]),
    tensors["input.weight"],
  );
  assertWithin(oracle, "output.loss", typeof aux === "number" ? [aux] : aux.data, "output");
  names.forEach((name, i) => assertWithin(oracle, `grad.${name}`, inputGrads[1][i].data, "gradient"));
}

/** 1 − cosine similarity of two predictions: each in turn is the target, which gets no gradient. */
function compareAngles(oracle: OracleCase): void {
  const [a, b] = [oracle.tensors["input.a"], oracle.tensors["input.b"]];
  const step = valueAndGrad(
    null,
    (yTrue: Tensor, yPred: Tensor) => ops.add(losses.cosineSimilarity()(yTrue, yPred), 1),
    { inputs: true },
  );
  const [toB, toA] = [step(a, b), step(b, a)];
  assertWithin(oracle, "output.loss", [toB.value], "output");
  assertWithin(oracle, "grad.b", toB.inputGrads[1].data, "gradient");
  assertWithin(oracle, "grad.a", toA.inputGrads[1].data, "gradient");
}

export const runLoss = (oracle: OracleCase): void =>
  (oracle.config.fn.includes("cosine_similarity") ? compareAngles : reduce)(oracle);
