/** What one batch computes in training and evaluation: loss and metrics over what counts, as a traced function. */
import { OptionError, ShapeError } from "../errors.ts";
import { weightedMean, type Loss } from "../losses/define.ts";
import type { Metric } from "../metrics.ts";
import { add, div, mul } from "../ops/elementwise.ts";
import { mean, sum } from "../ops/reduce.ts";
import { validSteps } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { describe, type Steps, type Tensor } from "../program/tensor.ts";
import { currentTrace } from "../program/trace.ts";
import { attachSteps } from "./inputs.ts";
import type { Network } from "./network.ts";

/** What `compile` settled. */
export interface Objective {
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** A batch inside the trace. */
export interface Batch {
  readonly x: Tensor[];
  readonly y: Tensor;
  readonly steps: Steps;
  /** [batch] or [batch, time] */
  readonly sampleWeight?: Tensor;
}

/** Sum of a metric over a batch, and how much went into it. */
export interface Tally {
  readonly total: Tensor;
  readonly count: Tensor;
}

export interface StepResult {
  readonly loss: Tensor;
  readonly metrics: Tally[];
}

/** Weights of per-sample values: 1 at valid steps, 0 at others; undefined when all count alike. */
function validity(values: Tensor, yPred: Tensor): Tensor | undefined {
  if (!yPred.steps || values.rank < 2) return undefined;
  return validSteps(currentTrace("loss"), yPred.steps, values.shape[0], values.shape[1]);
}

/** Sample weights in the shape of the values: one per sample, or one per step. */
function spread(weight: Tensor, values: Tensor): Tensor {
  const fits = weight.shape.every((extent, i) => extent === values.shape[i]) && weight.rank <= values.rank;
  if (!fits) throw new ShapeError(`sampleWeight: expected [batch] or ${describe(values.shape)}, got ${describe(weight.shape)}`);
  return reshape(weight, [...weight.shape, ...values.shape.slice(weight.rank).map(() => 1)]);
}

function tally(values: Tensor, yPred: Tensor): Tally {
  const valid = validity(values, yPred);
  const count = valid ? sum(valid) : currentTrace("metrics").constant(Float32Array.of(values.size), []);
  return { total: sum(valid ? mul(values, valid) : values), count };
}

/** The loss over what counts: sample weights multiply, the divisor stays the number of valid values. */
function lossOf(loss: Loss, { y, sampleWeight }: Batch, yPred: Tensor): Tensor {
  if (!loss.terms) {
    if (sampleWeight) throw new OptionError("fit: expected a loss from losses.* with sample weights, got a function of your own, whose parts cannot be weighted");
    const value = loss(y, yPred);
    return value.size === 1 ? reshape(value, []) : mean(value);
  }
  const { values, weights } = loss.terms(y, yPred);
  const valid = validity(values, yPred);
  const weighted = sampleWeight ? mul(values, spread(sampleWeight, values)) : values;
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
  const yPred = model.call(...batch.x) as Tensor;
  if (Array.isArray(yPred)) throw new OptionError(`${model.describe()}: expected one output to train on, got ${yPred.length}; leave returnState out, or write the step with trainStep`);
  const value = lossOf(loss, batch, yPred);
  return {
    loss: penalised(value),
    metrics: metrics.map((metric) => tally(metric.values(batch.y, yPred), yPred)),
  };
}
