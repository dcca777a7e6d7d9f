/** The options of `compile`, `fit` and `evaluate`, with their defaults. README.md says which file reads which. */
import type { Defaults, FilledOptions } from "../base/options.ts";
import type { ModelInput } from "../inference/model_inputs.ts";
import type { Loss, LossName } from "../losses/index.ts";
import type { Metric, MetricFunction, MetricName } from "../metrics/index.ts";
import type { Optimizer, OptimizerName } from "../optimizers/index.ts";
import type { Callback } from "./callback.ts";
import { BATCH_DEFAULTS, type BatchOptions, type Targets } from "./data/dataset.ts";
import type { BatchStream } from "./data/stream_batches.ts";
import type { PerOutput } from "./per_output.ts";

/** One metric: from `metrics.*`, its name, or a function of your own. */
export type MetricInput = Metric | MetricName | MetricFunction;

/** The metrics of one output: one, or a list. */
export type MetricsOf = MetricInput | readonly MetricInput[];

/** Metrics of `compile`: for one output a list; for several outputs a list or a record with the metrics of each. */
export type MetricsOption = readonly MetricsOf[] | Readonly<Record<string, MetricsOf>>;

/** How the losses of batches become that of an epoch. */
export type LossMean = "counted" | "batches";

/** Options of `compile`. */
export interface CompileOptions {
  /** From `optimizers.*`, or its name for the defaults. @default "adam" */
  optimizer?: Optimizer | OptimizerName;
  /**
   * From `losses.*`, its name, or a function of (yTrue, yPred) that gives a tensor. For a model of several outputs one loss for
   * all of them, or a list or a record with a loss for each; null for an output that is not trained.
   */
  loss: PerOutput<Loss | LossName | null>;
  /** Factor of each output's loss in the sum that is minimised, as a list or a record. @default 1 for every output */
  lossWeights?: PerOutput<number> | undefined;
  /**
   * Metrics to log, from `metrics.*`, by name, or functions of (yTrue, yPred) that give a tensor of one number per row or step,
   * logged under the function's name; for several outputs a list or a record with those of each. `sampleWeight` and `classWeight`
   * do not count in them. @default []
   */
  metrics?: MetricsOption | undefined;
  /**
   * The same, in which every row or step counts as much as its `sampleWeight` or `classWeight`. A name that `metrics` has as well
   * is logged as `weighted_<name>`. @default []
   */
  weightedMetrics?: MetricsOption | undefined;
  /**
   * What `loss` of an epoch or an evaluation is: "counted", the mean over all rows and steps that count, whatever the batch
   * size; or "batches", the mean of the batches' losses, each by its rows, as Keras has it. @default "counted"
   */
  lossMean?: LossMean | undefined;
}

export const COMPILE_DEFAULTS = {
  optimizer: "adam",
  loss: undefined,
  lossWeights: undefined,
  metrics: [],
  weightedMetrics: [],
  lossMean: "counted",
} satisfies Defaults<CompileOptions>;

/** Data to evaluate on after every epoch: `[x, y]`, `[x, y, { lengths, … }]`, or a stream of batches. */
export type ValidationData = readonly [x: ModelInput, y: Targets, options?: BatchOptions] | BatchStream;

/** Options of `fit` and `train`. */
export interface FitOptions extends BatchOptions {
  /** Epochs in all, `initialEpoch` included: with `initialEpoch` 0, the number of passes over the data. @default 1 */
  epochs?: number | undefined;
  /** Number of the first epoch, to go on with a former training. @default 0 */
  initialEpoch?: number | undefined;
  /** Rows per batch; every batch makes one update. @default 32 */
  batchSize?: number | undefined;
  /**
   * Visits the rows in a new random order every epoch, drawn from the model's seed. With stateful layers rows keep their order:
   * give false where there are several batches. @default true
   */
  shuffle?: boolean | undefined;
  /** Batches per epoch. @default all there are */
  stepsPerEpoch?: number | undefined;
  /**
   * Truncated back-propagation through time: sequences are cut into windows of so many steps, and every window makes one
   * update. States carry over from window to window, gradients do not. Every batch starts from states of zeros, but for
   * stateful layers. Targets are one per step: [batch, time, ..]. @default none: whole sequences
   */
  truncate?: number | undefined;
  /** Data to evaluate on after every epoch: `[x, y]`, `[x, y, { lengths, … }]`, or a stream of batches. @default none */
  validationData?: ValidationData | undefined;
  /** Share of the rows, 0…1, to evaluate on instead: the last ones, before any shuffling. @default none */
  validationSplit?: number | undefined;
  /** Rows per batch of the validation. @default `batchSize` */
  validationBatchSize?: number | undefined;
  /** Batches of a validation. @default all there are */
  validationSteps?: number | undefined;
  /** Called between batches and epochs, in this order. @default [] */
  callbacks?: readonly Callback[] | undefined;
  /** Ends the training after the present batch: `fit` rejects with the signal's reason, and the weights stay. @default none */
  signal?: AbortSignal | undefined;
  /** Shows the progress on the terminal. @default false */
  verbose?: boolean | number | undefined;
}

export const FIT_DEFAULTS = {
  epochs: 1,
  initialEpoch: 0,
  batchSize: 32,
  shuffle: true,
  stepsPerEpoch: undefined,
  truncate: undefined,
  validationData: undefined,
  validationSplit: undefined,
  validationBatchSize: undefined,
  validationSteps: undefined,
  callbacks: [],
  signal: undefined,
  verbose: 0,
  ...BATCH_DEFAULTS,
} satisfies Defaults<FitOptions>;

export type FilledFitOptions = FilledOptions<FitOptions, typeof FIT_DEFAULTS>;

/** Options of `evaluate`. */
export interface EvaluateOptions extends BatchOptions {
  /** Rows per batch. @default 32 */
  batchSize?: number | undefined;
  /** Batches to evaluate on. @default all there are */
  steps?: number | undefined;
}

export const EVALUATE_DEFAULTS = {
  batchSize: 32,
  steps: undefined,
  ...BATCH_DEFAULTS,
} satisfies Defaults<EvaluateOptions>;
