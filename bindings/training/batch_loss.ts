/** Loss and metrics of one batch, over the samples and steps that count, as a function of tensors. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { alignLabels, meanOver, spread, validTerms, type Loss, type Terms } from "../losses/define_loss.ts";
import type { Metric } from "../metrics/define_metric.ts";
import { add, div, mul } from "../ops/elementwise.ts";
import { floatsOf } from "../ops/operands.ts";
import { argmax, mean, sum } from "../ops/reduce.ts";
import { gather } from "../ops/recurrent/packed_sequence.ts";
import { reshape } from "../ops/shape.ts";
import { axesOfSteps, validSteps } from "../ops/valid_steps.ts";
import { describe, sameShape } from "../base/shape.ts";
import { warnOnce } from "../base/warning.ts";
import { isTensor, type Tensor, type ValidSteps } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { shown } from "../base/formatting.ts";
import { headsOf, type Head, type Objective } from "./output_heads.ts";
import { attachSteps } from "../inference/model_inputs.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { BatchScores, MeanShare, MetricSums, OutputScores } from "./batch_scores.ts";
import type { ClassWeight } from "./data/dataset.ts";
import type { PerOutput } from "./per_output.ts";

/** A batch while it is traced. */
export interface TracedBatch {
  readonly x: Tensor[];
  readonly y: PerOutput<Tensor>;
  readonly steps: ValidSteps;
  /** [batch] or [batch, time], one for all outputs or one for each; all weigh 1 when absent. */
  readonly sampleWeight: PerOutput<Tensor> | undefined;
  /** All weigh 1 when absent. */
  readonly classWeight: ClassWeight | undefined;
}

/** Gives an output the steps that the caller named, when it has those steps and has lost sight of them on its way. */
function keepGivenSteps(yPred: Tensor): void {
  const given = currentTrace("loss").givenSteps;
  if (given && !yPred.steps && yPred.rank > 2 && sameShape(yPred.shape.slice(0, 2), given.shape))
    yPred.steps = given.steps;
}

/** Weights of steps [batch, time]: 1 at valid ones, 0 at others; undefined when all are valid. */
const stepWeights = (yPred: Tensor): Tensor | undefined =>
  yPred.steps && yPred.rank > axesOfSteps(yPred).length
    ? validSteps(currentTrace("metrics"), yPred.steps, yPred.shape)
    : undefined;

/** Sample weights in the shape of the values: one per sample, or one per step. */
function fitted(weight: Tensor, values: Tensor): Tensor {
  const fits = weight.shape.every((extent, i) => extent === values.shape[i]) && weight.rank <= values.rank;
  if (!fits)
    throw new ShapeError(`sampleWeight: expected [batch] or ${describe(values.shape)}, got ${describe(weight.shape)}`);
  return spread(weight, values);
}

/** Weights of samples or steps by their class: the label, or the largest element of a row of targets. */
function weightsByClass(classWeight: ClassWeight, y: Tensor, yPred: Tensor): Tensor {
  const trace = currentTrace("classWeight");
  const classes = Math.max(2, yPred.shape.at(-1)!);
  const table = Float32Array.from({ length: classes }, (_, k) => classWeight[k] ?? 1);
  const odd = Object.keys(classWeight).find((label) => !(Number(label) in table));
  if (odd !== undefined)
    throw new OptionError(`classWeight: expected weights of the classes 0…${classes - 1}, got one of "${odd}"`);
  const rows = y.rank === yPred.rank && y.shape.at(-1)! > 1;
  return gather(trace.constant(table), rows ? argmax(floatsOf(trace, y)) : alignLabels("classWeight", y, yPred));
}

/** The loss of an output; when it is a mean and these rows are a part of a batch, with its share in the mean over all rows. */
type OutputLoss = Pick<OutputScores<Tensor>, "loss" | "counted" | "divisor"> & {
  readonly share?: MeanShare<Tensor> | undefined;
};

/**
 * The parts of a loss; of one of your own, when it gives a number for each row or step.
 *
 * @returns the single number that it gives otherwise
 */
function termsOf(loss: Loss, y: Tensor, yPred: Tensor): Terms | Tensor {
  if (loss.terms) return loss.terms(y, yPred);
  const trace = currentTrace("loss");
  trace.paddingLeftOut = false;
  const value: unknown = loss(y, yPred);
  if (!isTensor(value)) throw new OptionError(`compile: expected a loss that gives a tensor, got ${shown(value)}`);
  const [rows] = yPred.shape;
  if (value.size > 1 || (value.rank > 0 && rows === 1))
    return { values: value.rank > 1 && value.rank === yPred.rank ? mean(value, { axis: -1 }) : value };
  if (yPred.steps && !trace.paddingLeftOut)
    warnOnce(
      `expected a loss of one number per step ${describe(axesOfSteps(yPred))} where sequences are padded, got a function ` +
        "of your own that gives one number in all; the padding counts as that function has it",
    );
  return value;
}

/** The loss of an output: values are multiplied by sample weights, and the divisor is the number of valid values. */
function outputLoss({ loss, y, yPred, sampleWeight }: Head, classWeight: ClassWeight | undefined): OutputLoss {
  if (!loss) return { loss: undefined, counted: undefined, divisor: undefined };
  const terms = termsOf(loss, y, yPred);
  if (isTensor(terms)) {
    if (sampleWeight ?? classWeight)
      throw new OptionError(
        "fit: expected a loss of one number per row or step with weights of samples or classes, " +
          "got a function of your own that gives one number in all",
      );
    currentTrace("loss").needsWholeBatch("a loss of your own that gives one number");
    return { loss: reshape(terms, []), counted: undefined, divisor: undefined };
  }
  const { values, weights } = validTerms(terms, yPred);
  const weight = classWeight ? weightsByClass(classWeight, y, yPred) : sampleWeight;
  const total = sum(weight ? mul(values, fitted(weight, values)) : values);
  const counting = weights && sum(weights);
  const divisor = counting ?? values.size;
  const counted = terms.weights && counting;
  if (loss.reduction === "sum") return { loss: total, counted, divisor: undefined };
  return { ...averaged(total, divisor), counted, divisor };
}

/** A sum over a divisor; for a part of a batch, its share in the mean over all rows. */
function averaged(total: Tensor, divisor: Tensor | number): { loss: Tensor; share?: MeanShare<Tensor> } {
  const trace = currentTrace("loss");
  if (!trace.options.shard)
    return { loss: typeof divisor === "number" ? div(total, divisor) : meanOver(total, divisor) };
  const scale = trace.pinned([]);
  return { loss: mul(total, scale), share: { scale, divisor } };
}

/** Metrics with their keys in the logs, numbered as in Keras where they have the same name: mse, mse_1. */
function withKeys(name: string, metrics: readonly Metric[]): [key: string, metric: Metric][] {
  const uses = new Map<string, number>();
  return metrics.map((metric) => {
    const { metricName } = metric;
    const before = uses.get(metricName) ?? 0;
    uses.set(metricName, before + 1);
    return [`${name && `${name}_`}${metricName}${before > 0 ? `_${before}` : ""}`, metric];
  });
}

/** Weights of samples or steps and those of steps that are valid or not, in one. */
const product = (weight: Tensor | undefined, valid: Tensor | undefined): Tensor | undefined =>
  weight && valid ? mul(valid, weight.rank < valid.rank ? spread(weight, valid) : weight) : (weight ?? valid);

/** The sums of all metrics of an output. */
function metricSums(head: Head, classWeight: ClassWeight | undefined): MetricSums<Tensor>[] {
  const { name, y, yPred, metrics, weightedMetrics, sampleWeight } = head;
  if (metrics.length + weightedMetrics.length === 0) return [];
  const valid = stepWeights(yPred);
  const plain = withKeys(name, metrics);
  const keys = plain.map(([key]) => key);
  const sumsOf = (key: string, metric: Metric, weights: Tensor | undefined): MetricSums<Tensor> => ({
    key,
    sums: metric.sums(y, yPred, weights),
    result: (sums) => metric.result(sums),
  });
  const all = plain.map(([key, metric]) => sumsOf(key, metric, valid));
  if (weightedMetrics.length === 0) return all;
  const weights = product(classWeight ? weightsByClass(classWeight, y, yPred) : sampleWeight, valid);
  const weighted = withKeys(name, weightedMetrics).map(([key, metric]) =>
    sumsOf(keys.includes(key) ? `${name && `${name}_`}weighted_${metric.metricName}` : key, metric, weights),
  );
  return [...all, ...weighted];
}

const addAll = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => add(total, tensor));

/**
 * The penalties of regularizers. Those on weights are counted once, with the first part of a batch; those on outputs are
 * divided by the rows of the batch, as in Keras.
 */
function penaltiesOf(rows: number): { losses: Tensor[]; share?: MeanShare<Tensor> | undefined } {
  const {
    penalties,
    options: { shard },
  } = currentTrace("loss");
  const all = [...penalties];
  const values = (some: typeof all): Tensor[] => some.map(([value, penalty]) => penalty(value));
  const onWeights = shard && shard.index > 0 ? [] : values(all.filter(([{ origin }]) => origin.has("parameter")));
  const onOutputs = values(all.filter(([{ origin }]) => !origin.has("parameter")));
  if (onOutputs.length === 0) return { losses: onWeights };
  const { loss, share } = averaged(addAll(onOutputs), rows);
  return { losses: [...onWeights, loss], share };
}

/** What `fit` and `evaluate` trace. Its arguments are those of {@link Dataset.arguments}, `classWeight` as it is. */
export const stepFunction =
  (model: ModuleBase, objective: Objective) =>
  (
    x: Tensor[],
    y: PerOutput<Tensor>,
    steps: ValidSteps,
    sampleWeight: PerOutput<Tensor> | undefined,
    classWeight: ClassWeight | undefined,
  ): BatchScores<Tensor> =>
    scoreBatch(model, objective, { x, y, steps, sampleWeight, classWeight });

/** Runs the model on a batch and scores it. */
function scoreBatch(
  model: ModuleBase,
  objective: Objective,
  { x, y, steps, sampleWeight, classWeight }: TracedBatch,
): BatchScores<Tensor> {
  attachSteps(x, steps);
  const heads = headsOf(model, objective, model.call(...x), y, sampleWeight);
  for (const { yPred } of heads) keepGivenSteps(yPred);
  const outputLosses = heads.map((head) => outputLoss(head, classWeight));
  const outputs = heads.map((head, i): OutputScores<Tensor> => {
    const { loss, counted, divisor } = outputLosses[i];
    return { name: head.name, weight: head.weight, loss, counted, divisor, metrics: metricSums(head, classWeight) };
  });
  const losses = outputs.flatMap(({ loss }, i) =>
    loss ? [heads[i].weight === 1 ? loss : mul(loss, heads[i].weight)] : [],
  );
  const counted = outputs.filter(({ loss }) => loss).map((output) => output.counted);
  const penalty = penaltiesOf(x[0].shape[0]);
  return {
    loss: addAll([...losses, ...penalty.losses]),
    counted: counted.every((count) => count !== undefined) ? addAll(counted) : undefined,
    outputs,
    shares: [...outputLosses, penalty].flatMap(({ share }) => share ?? []),
  };
}
