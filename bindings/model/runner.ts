/** A compiled model at work on batches: one update or one evaluation, as programs that are traced once per batch shape. */
import { NonFiniteError } from "../errors.ts";
import { TracedFunction, recordGradients, type Compiled } from "../program/functions.ts";
import type { Steps, Tensor } from "../program/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { diagnose } from "./diagnose.ts";
import type { Module } from "./module.ts";
import { statefulStore } from "./states.ts";
import { scoreBatch, type Objective } from "./step.ts";
import type { Updater } from "./updater.ts";

/** Means so far: `loss` and every metric by its key. */
export type Logs = Record<string, number>;

/** Whole numbers from start to end − 1. */
export const range = (start: number, end: number): Int32Array => Int32Array.from({ length: end - start }, (_, i) => start + i);

/** How many sums each metric has. */
type PartCounts = readonly number[];

type StepFunction = (x: Tensor[], y: Tensor, steps: Steps, sampleWeight?: Tensor) => { value: Tensor; parts: Tensor[][] };

/** The program's function: loss first, then the sums of the metrics. */
function stepFunction(model: Module, objective: Objective): StepFunction {
  return (x, y, steps, sampleWeight) => {
    const { loss, parts } = scoreBatch(model, objective, { x, y, steps, sampleWeight });
    return { value: loss, parts };
  };
}

/** Adds up what batches give. */
export class Scores {
  private readonly metrics: Objective["metrics"];
  private loss = 0;
  private rows = 0;
  private counts: PartCounts = [];
  private sums: Float64Array[] = [];

  constructor({ metrics }: Objective) {
    this.metrics = metrics;
  }

  /** Adds the batch that a program has just run: its outputs are the loss and the sums of the metrics. */
  add({ program: { outputs }, extra }: Compiled<PartCounts>, rows: number): void {
    this.counts = extra;
    this.loss += outputs[0].view[0] * rows;
    this.rows += rows;
    for (let i = 1; i < outputs.length; i++) {
      const { view } = outputs[i];
      const sum = (this.sums[i - 1] ??= new Float64Array(view.length));
      for (let k = 0; k < view.length; k++) sum[k] += view[k];
    }
  }

  logs(): Logs {
    const logs: Logs = { loss: this.loss / this.rows };
    let first = 0;
    this.metrics.forEach(({ metricName, result }, i) => {
      logs[metricName] = result(this.sums.slice(first, first + this.counts[i]));
      first += this.counts[i];
    });
    return logs;
  }
}

/** A step function over a model and its objective, which traces once per batch shape. */
export class BatchRunner {
  private readonly model: Module;
  readonly objective: Objective;
  private readonly updater: Updater;
  private readonly train: TracedFunction<PartCounts>;
  private readonly test: TracedFunction<PartCounts>;

  constructor(model: Module, objective: Objective, updater: Updater) {
    this.model = model;
    this.objective = objective;
    this.updater = updater;
    const stateful = statefulStore(model);
    const fn = stepFunction(model, objective) as never;
    this.train = new TracedFunction<PartCounts>("fit", model, fn, { training: true, gradients: true, stateful }, {
      extension: (trace, _inputs, result) => {
        const { value, parts } = result as ReturnType<StepFunction>;
        recordGradients("fit", trace, model, value);
        updater.record(trace, value);
        return { outputs: [], extra: parts.map(({ length }) => length) };
      },
    });
    this.test = new TracedFunction<PartCounts>("evaluate", model, fn, { stateful }, {
      extension: (_trace, _inputs, result) => ({ outputs: [], extra: (result as ReturnType<StepFunction>).parts.map(({ length }) => length) }),
    });
  }

  /** One update. @throws NonFiniteError; the weights are those before the batch then */
  step(data: Dataset, order: Int32Array, where: { epoch: number; batch: number }): Compiled<PartCounts> {
    const compiled = this.write(this.train, data, order);
    this.updater.before();
    this.train.replay(compiled);
    if (!this.updater.after()) {
      const { layer, what } = diagnose(this.model, compiled.program.outputs[0].view[0], data, order);
      throw new NonFiniteError(`fit: expected a finite loss and gradients, got ${what} in epoch ${where.epoch + 1}, batch ${where.batch + 1}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`, { ...where, layer });
    }
    return compiled;
  }

  private write(traced: TracedFunction<PartCounts>, data: Dataset, order: Int32Array): Compiled<PartCounts> {
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
