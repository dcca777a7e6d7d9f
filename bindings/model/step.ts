/** What one batch computes in training and evaluation: loss and metrics over what counts, as a traced function. */
import { OptionError, ShapeError, TraceError } from "../errors.ts";
import { alignLabels, weightedMean, type Loss } from "../losses/define.ts";
import { spread, type Metric } from "../metrics/define.ts";
import { add, div, mul } from "../ops/elementwise.ts";
import { floatsOf } from "../ops/operands.ts";
import { argmax, mean, sum } from "../ops/reduce.ts";
import { gather, validSteps } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { describe, isTensor, type Steps, type Tensor } from "../program/tensor.ts";
import { currentTrace } from "../program/trace.ts";
import { attachSteps } from "./inputs.ts";
import type { Network } from "./network.ts";

/** What `compile` settled. */
export interface Objective {
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** What parts of a batch weigh in the loss, if not all the same. */
export interface Weighting {
  /** [batch] or [batch, time] */
  readonly sampleWeight?: Tensor;
  /** By class number, as JSON; others weigh 1. */
  readonly classWeight?: string;
}

/** A batch inside the trace. */
export interface Batch extends Weighting {
  readonly x: Tensor[];
  readonly y: Tensor;
  readonly steps: Steps;
}

export interface StepResult {
  readonly loss: Tensor;
  /** Sums of every metric. */
  readonly parts: Tensor[][];
}

/** 1 at valid steps [batch, time], 0 at others; undefined when all count alike. */
const stepWeights = ({ steps, shape, rank }: Tensor): Tensor | undefined =>
  (steps && rank > 2 ? validSteps(currentTrace("loss"), steps, shape[0], shape[1]) : undefined);

/** Sample weights in the shape of the values: one per sample, or one per step. */
function fitted(weight: Tensor, values: Tensor): Tensor {
  const fits = weight.shape.every((extent, i) => extent === values.shape[i]) && weight.rank <= values.rank;
  if (!fits) throw new ShapeError(`sampleWeight: expected [batch] or ${describe(values.shape)}, got ${describe(weight.shape)}`);
  return spread(weight, values);
}

/** Weights of samples or steps by their classes: labels, or rows that are largest at the class. */
function classWeights(classWeight: string, y: Tensor, yPred: Tensor): Tensor {
  const trace = currentTrace("classWeight");
  const weights = JSON.parse(classWeight) as Record<string, number>;
  const classes = Math.max(2, yPred.shape.at(-1)!);
  const table = Float32Array.from({ length: classes }, (_, k) => weights[k] ?? 1);
  const odd = Object.keys(weights).find((label) => !(Number(label) in table));
  if (odd !== undefined) throw new OptionError(`classWeight: expected weights of the classes 0…${classes - 1}, got one of "${odd}"`);
  const rows = y.rank === yPred.rank && y.shape.at(-1)! > 1;
  return gather(trace.constant(table), rows ? argmax(floatsOf(trace, y)) : alignLabels(y, yPred));
}

/** The loss over what counts: sample weights multiply, the divisor stays the number of valid values. */
function lossOf(loss: Loss, { y, sampleWeight, classWeight }: Batch, yPred: Tensor): Tensor {
  if (!loss.terms) {
    if (sampleWeight ?? classWeight) throw new OptionError("fit: expected a loss from losses.* with weights of samples or classes, got a function of your own, whose parts cannot be weighted");
    const value = loss(y, yPred);
    return value.size === 1 ? reshape(value, []) : mean(value);
  }
  const { values, weights } = loss.terms(y, yPred);
  const valid = values.rank > 1 ? stepWeights(yPred) : undefined;
  const weight = classWeight ? classWeights(classWeight, y, yPred) : sampleWeight;
  const weighted = weight ? mul(values, fitted(weight, values)) : values;
  const total = sum(valid ? mul(weighted, valid) : weighted);
  if (loss.reduction === "sum") return total;
  const counted = weights && valid ? mul(weights, valid) : weights ?? valid;
  return counted ? weightedMean(total, counted) : div(total, values.size);
}

/** The loss with what regularizers add to it. */
const penalised = (loss: Tensor): Tensor =>
  [...currentTrace("loss").penalties.values()].reduce((total, penalty) => add(total, penalty()), loss);

/** Runs the model on a batch and scores it. */
export function scoreBatch(model: Network, { loss, metrics }: Objective, batch: Batch): StepResult {
  attachSteps(batch.x, batch.steps);
  const yPred: unknown = model.call(...batch.x);
  if (Array.isArray(yPred)) throw new OptionError(`${model.describe()}: expected one output to train on, got ${yPred.length}; leave returnState out, or write the step with trainStep`);
  if (!isTensor(yPred)) throw new TraceError(`${model.describe()}: expected call to give a tensor, got ${yPred === null ? "null" : typeof yPred}`);
  return {
    loss: penalised(lossOf(loss, batch, yPred)),
    parts: metrics.map((metric) => metric.parts(batch.y, yPred, stepWeights(yPred))),
  };
}
