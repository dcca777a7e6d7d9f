/** What batches are worth: losses and sums of metrics, added up over an epoch or an evaluation. */
import { ValueError } from "../base/errors.ts";
import type { Port } from "../program/port.ts";
import type { MetricScore, StepResult } from "./batch_loss.ts";

/** Means so far: `loss`, that of every output when there are several, and every metric by its key. */
export type Logs = Record<string, number>;

/** Where a program leaves the scores of its rows. */
export type BatchScores = StepResult<Port>;

type Picked = (part: BatchScores) => Port | undefined;

/** A scalar of a batch: the sum of what its parts have; undefined where they have none. */
function sumOf(parts: readonly BatchScores[], pick: Picked): number | undefined {
  let sum: number | undefined;
  for (const part of parts) {
    const port = pick(part);
    if (port) sum = (sum ?? 0) + port.view[0];
  }
  return sum;
}

/** The loss of a batch. */
export const lossOf = (parts: readonly BatchScores[]): number => sumOf(parts, ({ loss }) => loss)!;

/** Whether none of its labels counts. */
export const allIgnored = (parts: readonly BatchScores[]): boolean => sumOf(parts, ({ counted }) => counted) === 0;

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

  /** Adds a batch of so many rows that has just run, in one part or several. Where all labels are ignored its loss does not count. */
  add(parts: readonly BatchScores[], rows: number): void {
    if (!allIgnored(parts)) this.loss.add(lossOf(parts), rows);
    const { heads } = parts[0];
    heads.forEach(({ name, loss, metrics }, i) => {
      if (loss && heads.length > 1) {
        const ignored = sumOf(parts, (part) => part.heads[i].counted) === 0;
        this.addLoss(
          `${name}_loss`,
          sumOf(parts, (part) => part.heads[i].loss)!,
          ignored ? 0 : rows,
        );
      }
      metrics.forEach((metric, k) => {
        for (const part of parts) this.addMetric(metric, part.heads[i].metrics[k].parts);
      });
    });
  }

  private addMetric({ key, result }: MetricScore<Port>, parts: readonly Port[]): void {
    let metric = this.metrics.get(key);
    if (!metric) this.metrics.set(key, (metric = { sums: parts.map(({ size }) => new Float64Array(size)), result }));
    const { sums } = metric;
    parts.forEach(({ view }, i) =>
      view.forEach((value, k) => {
        sums[i][k] += value;
      }),
    );
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
