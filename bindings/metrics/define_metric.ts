/** What a metric is: sums over what counts, which batches add up, and the number they become. */
import { OptionError } from "../base/errors.ts";
import { spread, type LossFactory, type Terms } from "../losses/define_loss.ts";
import { withDefaults, type Defaults } from "../base/options.ts";
import { quoted, shown } from "../base/formatting.ts";
import { describe, sameShape } from "../base/shape.ts";
import { warnOnce } from "../base/warning.ts";
import { mul } from "../ops/elementwise.ts";
import { mean, sum } from "../ops/reduce.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { currentTrace } from "../graph/trace.ts";

/** Sums of an epoch so far, in the order of a metric's parts. */
export type Sums = readonly ArrayLike<number>[];

/** A metric as `compile` takes it. */
export interface Metric {
  /** Key in history and scores. */
  readonly metricName: string;
  /**
   * Sums of a batch.
   *
   * @param weights  what each sample [batch] or step [batch, time] counts; undefined when all count 1
   * @internal
   */
  sums(yTrue: Tensor, yPred: Tensor, weights: Tensor | undefined): Tensor[];
  /** The number that sums over batches stand for. @internal */
  result(sums: Sums): number;
}

/** Options that all metrics have. */
export interface MetricOptions {
  /** Key in history and scores. The default is Keras' name of the metric. */
  name?: string | undefined;
}

/** Options of metrics of yes and no. */
export interface ThresholdOptions {
  /** Predictions above it are a yes. @default 0.5 */
  threshold?: number;
}

/**
 * A factory of metrics, whose options are held to their names.
 *
 * @param defaults  every option but `name`; undefined for those that may be left out
 */
export function metricFactory<O extends object>(
  name: string,
  defaults: Defaults<O>,
  make: (options: O) => Metric,
): (options?: O & MetricOptions) => Metric {
  return (options = {} as O & MetricOptions) => {
    const subject = `metrics.${name}`;
    const { name: key, ...own } = withDefaults(subject, options as object, { ...defaults, name: undefined }) as O &
      MetricOptions;
    if (key !== undefined && (typeof key !== "string" || key === ""))
      throw new OptionError(`${subject}: expected name to be some text, got ${quoted(key)}`);
    const metric = make(own as unknown as O);
    return key === undefined ? metric : { ...metric, metricName: key };
  };
}

/** A threshold that was given. @throws OptionError unless it is a number */
export function thresholdOf(subject: string, name: string, threshold: unknown): number {
  if (typeof threshold === "number" && Number.isFinite(threshold)) return threshold;
  throw new OptionError(
    `${subject}: expected ${name} to be a number, got ${Array.isArray(threshold) ? "a list; give one metric for each" : shown(threshold)}`,
  );
}

/** Σ values over what counts. */
export const total = (values: Tensor, weights: Tensor | undefined): Tensor =>
  sum(weights ? mul(values, spread(weights, values)) : values);

/** How many values count. */
export function count(values: Tensor, weights: Tensor | undefined): Tensor {
  const trace = currentTrace("metrics");
  if (!weights) return trace.constant(Float32Array.of(values.size), []);
  return mul(sum(weights), values.size / weights.size);
}

/** a / b, 0 where nothing counts. */
export const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** The mean of one number per sample or step, over what counts. */
export function meanMetric(
  metricName: string,
  terms: (yTrue: Tensor, yPred: Tensor) => Tensor | Terms,
  finish = (mean: number) => mean,
): Metric {
  return {
    metricName,
    sums(yTrue, yPred, weights) {
      const each = terms(yTrue, yPred);
      if (!("values" in each)) return [total(each, weights), count(each, weights)];
      return [total(each.values, weights), each.weights ? total(each.weights, weights) : count(each.values, weights)];
    },
    result: ([sums, counts]) => finish(ratio(sums[0], counts[0])),
  };
}

/** A metric of your own: one number for each row or step, or one in all, of constants `yTrue` and predictions. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** The mean of what a function gives; of single numbers, by the rows of batches. */
export function functionMetric(fn: MetricFunction): Metric {
  const metricName = fn.name || "metric";
  return {
    ...meanMetric(metricName, fn),
    sums(yTrue, yPred, weights) {
      const value: unknown = fn(yTrue, yPred);
      if (!isTensor(value))
        throw new OptionError(`compile: expected ${metricName} to give a tensor, got ${shown(value)}`);
      const [rows] = yPred.shape;
      const each = value.rank > 1 && value.rank === yPred.rank ? mean(value, { axis: -1 }) : value;
      const perRow = each.rank > 0 && each.shape[0] === rows;
      const fits = !weights || (perRow && sameShape(weights.shape, each.shape.slice(0, weights.rank)));
      if (!fits)
        warnOnce(
          `expected ${metricName} to give one number per row or step ${describe(weights.shape)}, got ${describe(value.shape)}; ` +
            "padding and weights count in it as in the function itself",
        );
      if (perRow) return [total(each, fits ? weights : undefined), count(each, fits ? weights : undefined)];
      const trace = currentTrace("metrics");
      trace.needsWholeBatch("a metric of your own that gives one number");
      return [mul(mean(each), rows), trace.constant(Float32Array.of(rows), [])];
    },
  };
}

/** The mean of a loss that has no options here. */
export const meanOf = (name: string, key: string, loss: LossFactory<object>): ((options?: MetricOptions) => Metric) =>
  metricFactory<object>(name, {}, () => meanMetric(key, loss().terms!));
