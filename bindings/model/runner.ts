/** A compiled model at work on batches: one update or one evaluation, as programs that are traced once per batch shape. */
import { NonFiniteError, UnsupportedError, ValueError } from "../errors.ts";
import { TracedFunction, recordGradients, type Compiled, type Extension } from "../program/functions.ts";
import { div, mul } from "../ops/elementwise.ts";
import type { Port } from "../program/port.ts";
import type { Steps, Tensor } from "../program/tensor.ts";
import { StreamBatches, range, type ArrayBatches, type Batch } from "./batches.ts";
import type { Dataset } from "./dataset.ts";
import { diagnose } from "./diagnose.ts";
import type { Objective } from "./heads.ts";
import type { Module } from "./module.ts";
import type { Several } from "./several.ts";
import { statefulStore, windowStates } from "./states.ts";
import { scoreBatch, type StepResult, type Weighting } from "./step.ts";
import type { Updater } from "./updater.ts";

/** Means so far: `loss`, that of every output when there are several, and every metric by its key. */
export type Logs = Record<string, number>;

type StepFunction = (x: Tensor[], y: Several<Tensor>, steps: Steps, weighting: Weighting) => StepResult;

/** The program's function: the loss, then the sums of the metrics. */
const stepFunction = (model: Module, objective: Objective): StepFunction =>
  (x, y, steps, weighting) => scoreBatch(model, objective, { x, y, steps, ...weighting });

/** Where a program leaves the scores of a batch. */
const scoresOf = ({ ports }: Compiled<undefined>): StepResult<Port> => ports as StepResult<Port>;

const isZero = (port: Port | undefined): boolean => port?.view[0] === 0;

/** A mean over rows. */
class RowMean {
  private sum = 0;
  private rows = 0;

  add(value: number, rows: number): void {
    this.sum += value * rows;
    this.rows += rows;
  }

  get value(): number {
    return this.sum / this.rows;
  }

  get empty(): boolean {
    return this.rows === 0;
  }
}

/** Adds up what batches give: losses count by their rows, whatever is masked in them, as Keras has it; metrics by what counts. */
export class Scores {
  private readonly loss = new RowMean();
  private readonly losses = new Map<string, RowMean>();
  private readonly metrics = new Map<string, { sums: Float64Array[]; result(sums: Float64Array[]): number }>();

  /** Adds the batch that a program has just run. Where all labels are ignored its loss does not count. */
  add(compiled: Compiled<undefined>, rows: number): void {
    const { loss, counted, heads } = scoresOf(compiled);
    if (!isZero(counted)) this.loss.add(loss.view[0], rows);
    for (const head of heads) {
      if (head.loss && heads.length > 1) this.addLoss(`${head.name}_loss`, head.loss.view[0], isZero(head.counted) ? 0 : rows);
      for (const { key, parts, result } of head.metrics) {
        let metric = this.metrics.get(key);
        if (!metric) this.metrics.set(key, (metric = { sums: parts.map(({ size }) => new Float64Array(size)), result }));
        const { sums } = metric;
        parts.forEach(({ view }, i) => view.forEach((value, k) => { sums[i][k] += value; }));
      }
    }
  }

  private addLoss(key: string, value: number, rows: number): void {
    let mean = this.losses.get(key);
    if (!mean) this.losses.set(key, (mean = new RowMean()));
    mean.add(value, rows);
  }

  /** NaN for a loss of which nothing has counted. */
  logs(): Logs {
    const logs: Logs = { loss: this.loss.value };
    for (const [key, { value }] of this.losses) logs[key] = value;
    for (const [key, { sums, result }] of this.metrics) logs[key] = result(sums);
    return logs;
  }

  /** The logs of an evaluation. @throws ValueError when no label has counted */
  checked(subject: string): Logs {
    if (this.loss.empty) throw new ValueError(`${subject}: expected a label that counts, got only ignored ones`);
    return this.logs();
  }
}

/** A step function over a model and its objective, which traces once per batch shape. */
export class BatchRunner {
  private readonly model: Module;
  readonly objective: Objective;
  private readonly updater: Updater;
  private readonly train: TracedFunction;
  private readonly cut: TracedFunction;
  private readonly test: TracedFunction;

  constructor(model: Module, objective: Objective, updater: Updater) {
    this.model = model;
    this.objective = objective;
    this.updater = updater;
    const stateful = statefulStore(model);
    const fn = stepFunction(model, objective) as never;
    this.train = new TracedFunction("fit", model, fn, { training: true, gradients: true, stateful }, { extension: this.update });
    this.cut = new TracedFunction("fit", model, fn, { training: true, gradients: true, stateful, windows: windowStates(model) }, { extension: this.update });
    this.test = new TracedFunction("evaluate", model, fn, { stateful });
  }

  /** Records gradients and update. A batch in which no label counts makes none: 0/0 is as little finite as a loss of NaN. */
  private readonly update: Extension<undefined> = (trace, _inputs, result) => {
    const { loss, counted } = result as StepResult;
    recordGradients("fit", trace, this.model, loss);
    this.updater.record(trace, counted ? mul(loss, div(counted, counted)) : loss);
    return { outputs: [], extra: undefined };
  };

  /** One update. @throws NonFiniteError, ValueError when no label counts; the weights are those before the batch then */
  step({ data, rows, window }: Batch, where: { epoch: number; batch: number }): Compiled<undefined> {
    const traced = window === undefined ? this.train : this.cut;
    const compiled = this.write(traced, data, rows);
    if (window === 0) this.startWindows();
    this.updater.before();
    traced.replay(compiled);
    if (!this.updater.after()) this.explain(compiled, data.pick(rows), where);
    return compiled;
  }

  /** Why a batch made no update. */
  private explain(compiled: Compiled<undefined>, batch: Dataset, where: { epoch: number; batch: number }): never {
    const { loss, counted } = scoresOf(compiled);
    const place = `epoch ${where.epoch + 1}, batch ${where.batch + 1}`;
    if (isZero(counted)) throw new ValueError(`fit: expected a label that counts, got only ignored ones in ${place}; the weights are those before that batch`);
    const { layer, what } = diagnose(this.model, this.objective, loss.view[0], batch);
    throw new NonFiniteError(`fit: expected a finite loss and gradients, got ${what} in ${place}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`, { ...where, layer });
  }

  /** @throws UnsupportedError when nothing is carried from window to window, as in loops over time of one's own */
  private startWindows(): void {
    const states = windowStates(this.model);
    if (states.size === 0 && statefulStore(this.model).size === 0) {
      throw new UnsupportedError("fit: expected a recurrent layer, whose state goes on from window to window with truncate, got a model without");
    }
    states.reset();
  }

  private write(traced: TracedFunction, data: Dataset, rows: Int32Array): Compiled<undefined> {
    const compiled = traced.compile(data.slice(0, rows.length).flatten());
    data.sources.forEach(([name, array], i) => compiled.program.inputs[i].writeRows(array.data, rows, name));
    return compiled;
  }

  /**
   * Holds all rows to what the first batch's program trusts, so that a token out of range is found before a training, not
   * half-way through it.
   *
   * @param truncate  steps of a window, when sequences are cut
   */
  check(kind: "train" | "test", batches: ArrayBatches | StreamBatches, truncate?: number): void {
    if (batches instanceof StreamBatches) return; // theirs are checked one by one
    const { data, size } = batches;
    const batch = data.slice(0, Math.min(size, data.rows));
    const first = truncate === undefined ? batch : batch.window(0, Math.min(truncate, data.time));
    if (!first) return; // no row has begun yet
    const { program } = (truncate === undefined ? this[kind] : this.cut).compile(first.flatten());
    data.sources.forEach(([name, array], i) => {
      // lengths have been held to the whole sequence already
      if (!name.endsWith(": lengths")) program.inputs[i].check(array.data, name, array.shape);
    });
  }

  /** Adds the scores of one batch. */
  score({ data, rows }: Batch, scores: Scores): void {
    const compiled = this.write(this.test, data, rows);
    this.test.replay(compiled);
    scores.add(compiled, rows.length);
  }

  evaluate(batches: ArrayBatches): Logs {
    this.check("test", batches);
    const scores = new Scores();
    for (const batch of batches.epoch(0)) this.score(batch, scores);
    return scores.checked(batches.data.subject);
  }

  trainOnBatch(data: Dataset): Logs {
    const scores = new Scores();
    scores.add(this.step({ data, rows: range(data.rows) }, { epoch: 0, batch: 0 }), data.rows);
    return scores.logs();
  }

  /** What comes after the last step of a training: the averages of the weights, where they are kept, become the weights. */
  finish(): void {
    this.updater.finish();
  }

  /** Frees its programs; it may not be used any more. */
  dispose(): void {
    this.train.dispose();
    this.test.dispose();
  }
}
