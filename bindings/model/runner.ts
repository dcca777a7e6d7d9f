/** A compiled model at work on batches: one update or one evaluation, as programs that are traced once per batch shape. */
import { NonFiniteError } from "../errors.ts";
import { TracedFunction, recordGradients, type Compiled } from "../program/functions.ts";
import type { Steps, Tensor } from "../program/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { diagnose } from "./diagnose.ts";
import type { Module } from "./module.ts";
import { statefulStore } from "./states.ts";
import { scoreBatch, type Objective, type StepResult, type Weighting } from "./step.ts";
import type { Updater } from "./updater.ts";

/** Means so far: `loss` and every metric by its key. */
export type Logs = Record<string, number>;

/** Whole numbers from 0 to n − 1. */
export const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** How many sums each metric has. */
type PartCounts = readonly number[];

type StepFunction = (x: Tensor[], y: Tensor, steps: Steps, weighting: Weighting) => StepResult;

/** The program's function: the loss, then the sums of the metrics. */
const stepFunction = (model: Module, objective: Objective): StepFunction =>
  (x, y, steps, weighting) => scoreBatch(model, objective, { x, y, steps, ...weighting });

const partCounts = (result: unknown): PartCounts => (result as StepResult).parts.map(({ length }) => length);

/** Adds up what batches give: losses count by their rows, whatever is masked in them, as Keras has it; metrics by what counts. */
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
    const [loss, ...parts] = outputs;
    this.loss += loss.view[0] * rows;
    this.rows += rows;
    for (let i = 0; i < parts.length; i++) {
      const { view } = parts[i];
      const sum = (this.sums[i] ??= new Float64Array(view.length));
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
        const { loss } = result as StepResult;
        recordGradients("fit", trace, model, loss);
        updater.record(trace, loss);
        return { outputs: [], extra: partCounts(result) };
      },
    });
    this.test = new TracedFunction<PartCounts>("evaluate", model, fn, { stateful }, {
      extension: (_trace, _inputs, result) => ({ outputs: [], extra: partCounts(result) }),
    });
  }

  /** One update. @throws NonFiniteError; the weights are those before the batch then */
  step(data: Dataset, order: Int32Array, where: { epoch: number; batch: number }): Compiled<PartCounts> {
    const compiled = this.write(this.train, data, order);
    this.updater.before();
    this.train.replay(compiled);
    if (!this.updater.after()) {
      const { layer, what } = diagnose(this.model, this.objective, compiled.program.outputs[0].view[0], data.pick(order));
      throw new NonFiniteError(`fit: expected a finite loss and gradients, got ${what} in epoch ${where.epoch + 1}, batch ${where.batch + 1}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`, { ...where, layer });
    }
    return compiled;
  }

  private write(traced: TracedFunction<PartCounts>, data: Dataset, order: Int32Array): Compiled<PartCounts> {
    const compiled = traced.compile(data.slice(0, order.length).flatten());
    data.sources.forEach(([name, array], i) => compiled.program.inputs[i].writeRows(array.data, order, name));
    return compiled;
  }

  /**
   * Holds all rows to what the first batch's program trusts, so that a token out of range is found before a training, not
   * half-way through it.
   */
  check(kind: "train" | "test", data: Dataset, batchSize: number): void {
    const { program } = this[kind].compile(data.slice(0, Math.min(batchSize, data.rows)).flatten());
    data.sources.forEach(([name, array], i) => program.inputs[i].check(array.data, name));
  }

  /** Scores one batch after the other, with a chance to pause after each. */
  *scoring(data: Dataset, batchSize: number): Generator<void, Logs> {
    const scores = this.scores();
    const order = range(data.rows);
    for (let start = 0; start < data.rows; start += batchSize) {
      const batch = order.subarray(start, start + batchSize);
      const compiled = this.write(this.test, data, batch);
      this.test.replay(compiled);
      scores.add(compiled, batch.length);
      yield;
    }
    return scores.logs();
  }

  evaluate(data: Dataset, batchSize: number): Logs {
    this.check("test", data, batchSize);
    const scoring = this.scoring(data, batchSize);
    for (;;) {
      const { done, value } = scoring.next();
      if (done) return value;
    }
  }

  trainOnBatch(data: Dataset): Logs {
    const scores = this.scores();
    scores.add(this.step(data, range(data.rows), { epoch: 0, batch: 0 }), data.rows);
    return scores.logs();
  }

  scores(): Scores {
    return new Scores(this.objective);
  }
}
