/** `compile`: losses, metrics and optimizer by name or as they are, for one output or for several. */
import { OptionError, StateError } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";
import { withDefaults, type FilledOptions } from "../base/options.ts";
import { lossOf, type Loss } from "../losses/index.ts";
import { metricOf, type Metric } from "../metrics/index.ts";
import { isRecord } from "../graph/pytree.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { optimizerOf } from "../optimizers/index.ts";
import { BatchRunner } from "./batch_runner.ts";
import type { CompiledMetrics, Objective } from "./output_heads.ts";
import { mapOutputs, type PerOutput } from "./per_output.ts";
import { COMPILE_DEFAULTS, type CompileOptions } from "./training_options.ts";

const isLoss = (value: unknown): boolean => value === null || (!Array.isArray(value) && !isRecord(value));
const isMetric = (value: unknown): boolean =>
  typeof value === "string" ||
  (isRecord(value) && typeof value.sums === "function") ||
  (!Array.isArray(value) && !isRecord(value));

/**
 * See {@link Module.compile}.
 *
 * @param former  what the model was compiled to before
 */
export function compile(model: ModuleBase, options: CompileOptions, former: BatchRunner | undefined): BatchRunner {
  const settings = withDefaults("compile", options, COMPILE_DEFAULTS);
  const objective = objectiveOf(settings);
  if (former?.fitting) throw new StateError("compile: this model is training; await its fit, or abort it");
  const runner = new BatchRunner(model, objective, optimizerOf(settings.optimizer));
  former?.dispose();
  return runner;
}

/** @throws OptionError for unknown names, and for what is no loss, metric or weight */
function objectiveOf({
  loss,
  lossWeights,
  metrics,
  weightedMetrics,
  lossMean,
}: FilledOptions<CompileOptions, typeof COMPILE_DEFAULTS>): Objective {
  if (loss === undefined)
    throw new OptionError('compile: expected a loss, such as "mse" or losses.meanSquaredError(), got none');
  if (lossMean !== "counted" && lossMean !== "batches")
    throw new OptionError(`compile: expected lossMean "counted" or "batches", got ${quoted(lossMean)}`);
  return {
    loss: mapOutputs<Loss | string | null, Loss | null>(loss, isLoss, (one) => (one === null ? null : lossOf(one))),
    lossWeights:
      lossWeights === undefined
        ? undefined
        : mapOutputs(lossWeights, (value) => typeof value === "number", checkWeight),
    metrics: metricsOf("metrics", metrics),
    weightedMetrics: metricsOf("weightedMetrics", weightedMetrics),
    lossMean,
  };
}

/** @throws OptionError for what is no list of metrics, and for names of none */
function metricsOf(option: string, given: unknown): CompiledMetrics {
  if (isMetric(given)) throw new OptionError(`compile: expected a list of ${option}, got ${typeof given}`);
  const some = (value: unknown): Metric | Metric[] =>
    Array.isArray(value) ? value.map((metric) => metricOf(metric as Metric)) : metricOf(value as Metric);
  return mapOutputs(given as PerOutput<unknown>, isMetric, some) as CompiledMetrics;
}

function checkWeight(weight: number, path: string): number {
  if (!Number.isFinite(weight))
    throw new OptionError(
      `compile: expected finite numbers as lossWeights, got ${shown(weight)}${path ? ` at ${path}` : ""}`,
    );
  return weight;
}
