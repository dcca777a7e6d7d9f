/** What `compile` is given, checked: losses and metrics by name or as they are, for one output or for several. */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { lossOf, type Loss } from "../losses/index.ts";
import { metricOf, type Metric } from "../metrics/index.ts";
import { isRecord } from "../graph/pytree.ts";
import type { Objective } from "./output_heads.ts";
import type { CompileOptions } from "../models/module.ts";
import { mapSeveral, type Several } from "./per_output.ts";

const isLoss = (value: unknown): boolean => value === null || (!Array.isArray(value) && !isRecord(value));
const isMetric = (value: unknown): boolean =>
  typeof value === "string" ||
  (isRecord(value) && typeof value.parts === "function") ||
  (!Array.isArray(value) && !isRecord(value));

/** @throws OptionError for unknown names, and for what is no loss, metric or weight */
export function objectiveOf({ loss, lossWeights, metrics = [] }: CompileOptions): Objective {
  if (loss === undefined)
    throw new OptionError('compile: expected a loss, such as "mse" or losses.meanSquaredError(), got none');
  if (isMetric(metrics)) throw new OptionError(`compile: expected a list of metrics, got ${typeof metrics}`);
  const some = (given: unknown): Metric | Metric[] =>
    Array.isArray(given) ? given.map((metric) => metricOf(metric as Metric)) : metricOf(given as Metric);
  return {
    loss: mapSeveral<Loss | string | null, Loss | null>(loss, isLoss, (one) => (one === null ? null : lossOf(one))),
    lossWeights:
      lossWeights === undefined
        ? undefined
        : mapSeveral(lossWeights, (value) => typeof value === "number", checkWeight),
    metrics: mapSeveral(metrics as Several<unknown>, isMetric, some) as Objective["metrics"],
  };
}

function checkWeight(weight: number, path: string): number {
  if (!Number.isFinite(weight))
    throw new OptionError(
      `compile: expected finite numbers as lossWeights, got ${shown(weight)}${path ? ` at ${path}` : ""}`,
    );
  return weight;
}
