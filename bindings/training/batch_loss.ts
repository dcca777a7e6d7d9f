/** What one batch computes in training and evaluation: loss and metrics over what counts, as a traced function. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { alignLabels, meanOver } from "../losses/define.ts";
import { spread, type Metric, type Sums } from "../metrics/define.ts";
import { add, div, mul } from "../ops/elementwise.ts";
import { floatsOf } from "../ops/operands.ts";
import { argmax, sum } from "../ops/reduce.ts";
import { gather, validSteps } from "../ops/recurrent/packed_sequence.ts";
import { reshape } from "../ops/shape.ts";
import { describe } from "../base/shape.ts";
import { isTensor, type ValidSteps, type Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";
import { shown } from "../base/formatting.ts";
import { headsOf, type Head, type Objective } from "./output_heads.ts";
import { attachSteps } from "../inference/model_inputs.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { Several } from "./per_output.ts";

/** What parts of a batch weigh in the loss, if not all the same. */
export interface Weighting {
  /** [batch] or [batch, time], one for all outputs or one for each */
  readonly sampleWeight?: Several<Tensor>;
  /** By class number, as JSON; others weigh 1. */
  readonly classWeight?: string;
}

/** A batch inside the trace. */
export interface Batch extends Weighting {
  readonly x: Tensor[];
  readonly y: Several<Tensor>;
  readonly steps: ValidSteps;
}

/** Sums of one metric, and the number that they become when batches have been added up. */
export interface MetricScore<T = Tensor> {
  readonly key: string;
  readonly parts: readonly T[];
  result(sums: Sums): number;
}

/** What makes the loss of some rows of a batch their share of the loss of all. */
export interface Share<T = Tensor> {
  /** What the loss has been multiplied with: 1 over the sum of all divisors. */
  readonly scale: T;
  /** What the loss of these rows alone would be divided by. */
  readonly divisor: T | number;
}

/** Scores of one output: tensors while it is traced, their ports afterwards. */
export interface HeadScore<T = Tensor> {
  readonly name: string;
  readonly loss: T | undefined;
  /** What its loss is divided by where labels may be ignored: 0 when all of them are. */
  readonly counted: T | undefined;
  readonly metrics: readonly MetricScore<T>[];
}

export interface StepResult<T = Tensor> {
  /** What is minimised: the sum of the losses by their weights, and penalties. */
  readonly loss: T;
  /** 0 when no output has a label that counts; absent where all count. */
  readonly counted: T | undefined;
  readonly heads: readonly HeadScore<T>[];
  /** Of all means in the loss, where the batch is divided; in the same order for all its parts. */
  readonly shares: readonly Share<T>[];
}

/** 1 at valid steps [batch, time], 0 at others; undefined when all count alike. */
const stepWeights = ({ steps, shape, rank }: Tensor): Tensor | undefined =>
  steps && rank > 2 ? validSteps(currentTrace("loss"), steps, shape[0], shape[1]) : undefined;

/** Sample weights in the shape of the values: one per sample, or one per step. */
function fitted(weight: Tensor, values: Tensor): Tensor {
  const fits = weight.shape.every((extent, i) => extent === values.shape[i]) && weight.rank <= values.rank;
  if (!fits)
    throw new ShapeError(`sampleWeight: expected [batch] or ${describe(values.shape)}, got ${describe(weight.shape)}`);
  return spread(weight, values);
}

/** Weights of samples or steps by their classes: labels, or rows that are largest at the class. */
function classWeights(classWeight: string, y: Tensor, yPred: Tensor): Tensor {
  const trace = currentTrace("classWeight");
  const weights = JSON.parse(classWeight) as Record<string, number>;
  const classes = Math.max(2, yPred.shape.at(-1)!);
  const table = Float32Array.from({ length: classes }, (_, k) => weights[k] ?? 1);
  const odd = Object.keys(weights).find((label) => !(Number(label) in table));
  if (odd !== undefined)
    throw new OptionError(`classWeight: expected weights of the classes 0…${classes - 1}, got one of "${odd}"`);
  const rows = y.rank === yPred.rank && y.shape.at(-1)! > 1;
  return gather(trace.constant(table), rows ? argmax(floatsOf(trace, y)) : alignLabels("classWeight", y, yPred));
}

/** The loss of an output, and its share in that of all rows, where the batch is divided and the loss is a mean. */
type HeadLoss = Pick<HeadScore, "loss" | "counted"> & { readonly share?: Share | undefined };

/** The loss over what counts: sample weights multiply, the divisor stays the number of valid values. */
function lossOf({ loss, y, yPred, sampleWeight }: Head, classWeight: string | undefined): HeadLoss {
  if (!loss) return { loss: undefined, counted: undefined };
  if (!loss.terms) {
    if (sampleWeight ?? classWeight)
      throw new OptionError(
        "fit: expected a loss from losses.* with weights of samples or classes, got a function of your own, whose parts cannot be weighted",
      );
    const value: unknown = loss(y, yPred);
    if (!isTensor(value)) throw new OptionError(`compile: expected a loss that gives a tensor, got ${shown(value)}`);
    if (value.size > 1) return { ...averaged(sum(value), value.size), counted: undefined };
    currentTrace("loss").needsWholeBatch("a loss of your own that gives one number");
    return { loss: reshape(value, []), counted: undefined };
  }
  const { values, weights } = loss.terms(y, yPred);
  const valid = values.rank > 1 ? stepWeights(yPred) : undefined;
  const weight = classWeight ? classWeights(classWeight, y, yPred) : sampleWeight;
  const weighted = weight ? mul(values, fitted(weight, values)) : values;
  const total = sum(valid ? mul(weighted, valid) : weighted);
  const counting = weights && valid ? mul(weights, valid) : (weights ?? valid);
  const counted = counting && sum(counting);
  const result = loss.reduction === "sum" ? { loss: total } : averaged(total, counted ?? values.size);
  return { ...result, counted: weights && counted };
}

/** A mean; of some rows of a batch, their share of it. */
function averaged(total: Tensor, divisor: Tensor | number): { loss: Tensor; share?: Share } {
  const trace = currentTrace("loss");
  if (!trace.options.shard)
    return { loss: typeof divisor === "number" ? div(total, divisor) : meanOver(total, divisor) };
  const scale = trace.pinned([]);
  return { loss: mul(total, scale), share: { scale, divisor } };
}

/** Keys of metrics in the logs, numbered as in Keras where several have one name: mse, mse_1. */
function keysOf({ name, metrics }: Head): string[] {
  const uses = new Map<string, number>();
  return metrics.map(({ metricName }) => {
    const before = uses.get(metricName) ?? 0;
    uses.set(metricName, before + 1);
    return `${name && `${name}_`}${metricName}${before > 0 ? `_${before}` : ""}`;
  });
}

const scored = (metric: Metric, key: string, { y, yPred }: Head): MetricScore => ({
  key,
  parts: metric.parts(y, yPred, stepWeights(yPred)),
  result: (sums) => metric.result(sums),
});

const added = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => add(total, tensor));

/**
 * What regularizers add to the loss: penalties on weights once, with the first rows, where the batch is divided; penalties on
 * outputs divided by its rows, as in Keras.
 */
function penaltiesOf(rows: number): { losses: Tensor[]; share?: Share | undefined } {
  const {
    penalties,
    options: { shard },
  } = currentTrace("loss");
  const all = [...penalties];
  const values = (some: typeof all): Tensor[] => some.map(([value, penalty]) => penalty(value));
  const onWeights = shard && shard.index > 0 ? [] : values(all.filter(([{ origin }]) => origin.has("parameter")));
  const onOutputs = values(all.filter(([{ origin }]) => !origin.has("parameter")));
  if (onOutputs.length === 0) return { losses: onWeights };
  const { loss, share } = averaged(added(onOutputs), rows);
  return { losses: [...onWeights, loss], share };
}

/** Runs the model on a batch and scores it. */
export function scoreBatch(
  model: ModuleBase,
  objective: Objective,
  { x, y, steps, sampleWeight, classWeight }: Batch,
): StepResult {
  attachSteps(x, steps);
  const heads = headsOf(model, objective, model.call(...x), y, sampleWeight);
  const losing = heads.map((head) => lossOf(head, classWeight));
  const scores = heads.map((head, i): HeadScore => {
    const keys = keysOf(head);
    const { loss, counted } = losing[i];
    return { name: head.name, loss, counted, metrics: head.metrics.map((metric, k) => scored(metric, keys[k], head)) };
  });
  const losses = scores.flatMap(({ loss }, i) =>
    loss ? [heads[i].weight === 1 ? loss : mul(loss, heads[i].weight)] : [],
  );
  const counted = scores.filter(({ loss }) => loss).map((score) => score.counted);
  const penalty = penaltiesOf(x[0].shape[0]);
  return {
    loss: added([...losses, ...penalty.losses]),
    counted: counted.every((count) => count !== undefined) ? added(counted) : undefined,
    heads: scores,
    shares: [...losing, penalty].flatMap(({ share }) => share ?? []),
  };
}
