/** Running means of losses and metrics over an epoch or an evaluation. */
import { ValueError } from "../base/errors.ts";
import type { Sums } from "../metrics/define_metric.ts";
import type { Port } from "../program/port.ts";
import { allIgnored, batchLoss, sumOver, type BatchScores, type MetricSums } from "./batch_scores.ts";
import type { Logs } from "./events.ts";
import type { LossMean } from "./training_options.ts";

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

/** The mean of one loss, and its factor in the sum that is minimised. */
interface OutputMean {
  readonly weight: number;
  readonly mean: WeightedMean;
}

export class ScoreMeans {
  private readonly lossMean: LossMean;
  /** The loss of each output, by its name. */
  private readonly outputs = new Map<string, OutputMean>();
  /** What is in the loss besides: penalties. */
  private readonly rest = new WeightedMean();
  private readonly metrics = new Map<string, { sums: Float64Array[]; result(sums: Sums): number }>();

  /** @param lossMean  whether losses are means over what counts in all batches, or means of the means of batches */
  constructor(lossMean: LossMean) {
    this.lossMean = lossMean;
  }

  /**
   * Adds the scores of a batch that has just run. A batch whose labels are all ignored does not count.
   *
   * @param parts  its scores, in one part or several
   * @param rows   how many rows it has
   */
  add(parts: readonly BatchScores[], rows: number): void {
    let rest = batchLoss(parts);
    parts[0].outputs.forEach(({ name, weight, loss, metrics }, i) => {
      if (loss) {
        const value = sumOver(parts, (part) => part.outputs[i].loss)!;
        rest -= weight * value;
        const counted = sumOver(parts, (part) => part.outputs[i].counted);
        const size = this.lossMean === "batches" ? undefined : sumOver(parts, (part) => part.outputs[i].divisor);
        this.addLoss(name, weight, value, counted === 0 ? 0 : (size ?? rows));
      }
      metrics.forEach((metric, k) => {
        for (const part of parts) this.addMetric(metric, part.outputs[i].metrics[k].sums);
      });
    });
    if (!allIgnored(parts)) this.rest.add(rest, rows);
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

  private addLoss(name: string, weight: number, value: number, size: number): void {
    let output = this.outputs.get(name);
    if (!output) this.outputs.set(name, (output = { weight, mean: new WeightedMean() }));
    output.mean.add(value, size);
  }

  /** The means so far; NaN for a loss without any label that counts. */
  logs(): Logs {
    const logs: Logs = { loss: this.rest.value };
    for (const [name, { weight, mean }] of this.outputs) {
      if (!mean.empty) logs.loss += weight * mean.value;
      if (this.outputs.size > 1) logs[`${name}_loss`] = mean.value;
    }
    for (const [key, { sums, result }] of this.metrics) logs[key] = result(sums);
    return logs;
  }

  /** The means of an evaluation. @throws ValueError when no label counted */
  checkedLogs(subject: string): Logs {
    if (this.rest.empty) throw new ValueError(`${subject}: expected a label that counts, got only ignored ones`);
    return this.logs();
  }
}
