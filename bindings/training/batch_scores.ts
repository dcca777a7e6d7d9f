/** The scores of a batch: its losses and the sums of its metrics. */
import type { Sums } from "../metrics/define_metric.ts";
import type { Port } from "../program/port.ts";

/** Scores as tensors while they are traced, as the ports of a program afterwards. */
export interface BatchScores<T = Port> {
  /** The loss that is minimised: the sum of the weighted losses of all outputs, and penalties. */
  readonly loss: T;
  /** 0 when no output has a label that counts; absent where all labels count. */
  readonly counted: T | undefined;
  readonly outputs: readonly OutputScores<T>[];
  /** One for each mean in the loss, when these rows are a part of a batch; in the same order in all its parts. */
  readonly shares: readonly MeanShare<T>[];
}

/** Scores of one output. */
export interface OutputScores<T> {
  readonly name: string;
  /** Factor of its loss in the sum that is minimised. */
  readonly weight: number;
  readonly loss: T | undefined;
  /** The divisor of its loss where labels may be ignored: 0 when all of them are. */
  readonly counted: T | undefined;
  /** What its loss is a mean over: how many values count; undefined for a sum, and for a function that gives one number. */
  readonly divisor: T | number | undefined;
  readonly metrics: readonly MetricSums<T>[];
}

/** Sums of a metric over a batch. Over batches they are added up. */
export interface MetricSums<T> {
  readonly key: string;
  readonly sums: readonly T[];
  /** The value of the metric for sums over all batches. */
  result(sums: Sums): number;
}

/** What makes the mean over some rows of a batch their share of the mean over all rows. */
export interface MeanShare<T> {
  /** What the sum over these rows is multiplied by: 1 over the sum of all divisors. */
  readonly scale: T;
  /** What the sum over these rows alone would be divided by. */
  readonly divisor: T | number;
}

/** Adds up a scalar over the parts of a batch; undefined where no part has it. */
export function sumOver(
  parts: readonly BatchScores[],
  pick: (part: BatchScores) => Port | number | undefined,
): number | undefined {
  let sum: number | undefined;
  for (const part of parts) {
    const scalar = pick(part);
    if (scalar !== undefined) sum = (sum ?? 0) + (typeof scalar === "number" ? scalar : scalar.view[0]);
  }
  return sum;
}

/** The loss of a batch, in one part or several. */
export const batchLoss = (parts: readonly BatchScores[]): number => sumOver(parts, ({ loss }) => loss)!;

/** Whether a batch has no label that counts. */
export const allIgnored = (parts: readonly BatchScores[]): boolean => sumOver(parts, ({ counted }) => counted) === 0;
