/** A compiled model at work on batches: one update or one evaluation, as programs that are traced once per batch shape. */
import { NonFiniteError } from "../errors.ts";
import { TracedFunction, recordGradients, type Compiled } from "../program/functions.ts";
import type { Steps, Tensor } from "../program/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { diagnose } from "./diagnose.ts";
import type { Module } from "./module.ts";
import { statefulStore } from "./states.ts";
import { scoreBatch, type Objective, type StepResult } from "./step.ts";
import type { Updater } from "./updater.ts";

/** Means so far: `loss` and every metric by its key. */
export type Logs = Record<string, number>;

/** Whole numbers from start to end − 1. */
export const range = (start: number, end: number): Int32Array => Int32Array.from({ length: end - start }, (_, i) => start + i);

type StepFunction = (x: Tensor[], y: Tensor, steps: Steps, sampleWeight?: Tensor) => { value: Tensor; aux: StepResult["metrics"] };

/** The program's function: loss first, then the tallies of the metrics. */
function stepFunction(model: Module, objective: Objective): StepFunction {
  return (x, y, steps, sampleWeight) => {
    const { loss, metrics } = scoreBatch(model, objective, { x, y, steps, sampleWeight });
    return { value: loss, aux: metrics };
  };
}

/** Runs batches and keeps the means of what they give. */
export class Scores {
  private readonly keys: readonly string[];
  private loss = 0;
  private rows = 0;
  private tallies: [total: number, count: number][];

  constructor({ metrics }: Objective) {
    this.keys = metrics.map(({ metricName }) => metricName);
    this.tallies = metrics.map(() => [0, 0]);
  }

  /** Adds the batch that a program has just run: its outputs are the loss and a total and count per metric. */
  add({ program: { outputs } }: Compiled<unknown>, rows: number): void {
    this.loss += outputs[0].view[0] * rows;
    this.rows += rows;
    this.tallies.forEach((tally, i) => {
      tally[0] += outputs[1 + 2 * i].view[0];
      tally[1] += outputs[2 + 2 * i].view[0];
    });
  }

  logs(): Logs {
    const logs: Logs = { loss: this.loss / this.rows };
    this.keys.forEach((key, i) => (logs[key] = this.tallies[i][0] / Math.max(1, this.tallies[i][1])));
    return logs;
  }
}

/** A step function over a model and its objective, which traces once per batch shape. */
export class BatchRunner {
  private readonly model: Module;
  readonly objective: Objective;
  private readonly updater: Updater;
  private readonly train: TracedFunction<undefined>;
  private readonly test: TracedFunction<undefined>;

  constructor(model: Module, objective: Objective, updater: Updater) {
    this.model = model;
    this.objective = objective;
    this.updater = updater;
    const stateful = statefulStore(model);
    const fn = stepFunction(model, objective) as never;
    this.train = new TracedFunction<undefined>("fit", model, fn, { training: true, gradients: true, stateful }, {
      extension: (trace, _inputs, result) => {
        const { value } = result as { value: Tensor };
        recordGradients("fit", trace, model, value);
        updater.record(trace, value);
        return { outputs: [], extra: undefined };
      },
    });
    this.test = new TracedFunction<undefined>("evaluate", model, fn, { stateful });
  }

  /** One update. @throws NonFiniteError; the weights are those before the batch then */
  step(data: Dataset, order: Int32Array, where: { epoch: number; batch: number }): Compiled<undefined> {
    const compiled = this.write(this.train, data, order);
    this.updater.before();
    this.train.replay(compiled);
    if (!this.updater.after()) {
      const { layer, what } = diagnose(this.model, compiled.program.outputs[0].view[0], data, order);
      throw new NonFiniteError(`fit: expected a finite loss and gradients, got ${what} in epoch ${where.epoch + 1}, batch ${where.batch + 1}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`, { ...where, layer });
    }
    return compiled;
  }

  private write(traced: TracedFunction<undefined>, data: Dataset, order: Int32Array): Compiled<undefined> {
    const compiled = traced.compile(data.slice(0, order.length).flatten("fit"));
    data.sources.forEach(({ data: source }, i) => compiled.program.inputs[i].writeRows(source, order, i === 0 ? "fit: x" : "fit"));
    return compiled;
  }

  evaluate(data: Dataset, batchSize: number): Logs {
    const scores = new Scores(this.objective);
    for (let start = 0; start < data.rows; start += batchSize) {
      const order = range(start, Math.min(data.rows, start + batchSize));
      const compiled = this.write(this.test, data, order);
      this.test.replay(compiled);
      scores.add(compiled, order.length);
    }
    return scores.logs();
  }

  trainOnBatch(data: Dataset): Logs {
    const scores = new Scores(this.objective);
    scores.add(this.step(data, range(0, data.rows), { epoch: 0, batch: 0 }), data.rows);
    return scores.logs();
  }

  scores(): Scores {
    return new Scores(this.objective);
  }
}
