/** Running means of losses and metrics over an epoch or an evaluation. */
import { ValueError } from "../base/errors.ts";
import type { Sums } from "../metrics/define_metric.ts";
import type { Port } from "../program/port.ts";
import { allIgnored, batchLoss, sumOver, type BatchScores, type MetricSums } from "./batch_scores.ts";
import type { Logs } from "./events.ts";

class WeightedMean {
  private sum = 0;
  private weight = 0;

  add(value: number, weight: number): void {
    this.sum += value * weight;
    this.weight += weight;
  }

  /** NaN when nothing has been added. */
  get value(): number {
    return this.sum / this.weight;
  }

  get empty(): boolean {
    return this.weight === 0;
  }
}

/** Losses are averaged by the weights of batches, whatever their masks leave out, as in Keras; metrics by what counts in them. */
export class ScoreMeans {
  private readonly loss = new WeightedMean();
  private readonly outputLosses = new Map<string, WeightedMean>();
  private readonly metrics = new Map<string, { sums: Float64Array[]; result(sums: Sums): number }>();

  /**
   * Adds the scores of a batch that has just run. A batch whose labels are all ignored does not count.
   *
   * @param parts   its scores, in one part or several
   * @param weight  weight of the batch in the means of losses
   */
  add(parts: readonly BatchScores[], weight: number): void {
    if (!allIgnored(parts)) this.loss.add(batchLoss(parts), weight);
    const { outputs } = parts[0];
    outputs.forEach(({ name, loss, metrics }, i) => {
      if (loss && outputs.length > 1) {
        const ignored = sumOver(parts, (part) => part.outputs[i].counted) === 0;
        this.addLoss(
          `${name}_loss`,
          sumOver(parts, (part) => part.outputs[i].loss)!,
          ignored ? 0 : weight,
        );
      }
      metrics.forEach((metric, k) => {
        for (const part of parts) this.addMetric(metric, part.outputs[i].metrics[k].sums);
      });
    });
  }

  private addMetric({ key, result }: MetricSums<Port>, ports: readonly Port[]): void {
    let metric = this.metrics.get(key);
    if (!metric) this.metrics.set(key, (metric = { sums: ports.map(({ size }) => new Float64Array(size)), result }));
    const { sums } = metric;
    ports.forEach(({ view }, i) =>
      view.forEach((value, k) => {
        sums[i][k] += value;
      }),
    );
  }

  private addLoss(key: string, value: number, weight: number): void {
    let mean = this.outputLosses.get(key);
    if (!mean) this.outputLosses.set(key, (mean = new WeightedMean()));
    mean.add(value, weight);
  }

  /** The means so far; NaN for a loss without any label that counts. */
  logs(): Logs {
    const logs: Logs = { loss: this.loss.value };
    for (const [key, { value }] of this.outputLosses) logs[key] = value;
    for (const [key, { sums, result }] of this.metrics) logs[key] = result(sums);
    return logs;
  }

  /** The means of an evaluation. @throws ValueError when no label counted */
  checkedLogs(subject: string): Logs {
    if (this.loss.empty) throw new ValueError(`${subject}: expected a label that counts, got only ignored ones`);
    return this.logs();
  }
}
