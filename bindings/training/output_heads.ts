/** The outputs of a model, each with its targets, its loss and its metrics. */
import { OptionError, TraceError, nearest } from "../base/errors.ts";
import type { Loss } from "../losses/define_loss.ts";
import type { Metric } from "../metrics/define_metric.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { isRecord } from "../graph/pytree.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { byOutputName, namedOutputs, type IsOne, type PerOutput } from "./per_output.ts";
import type { LossMean } from "./training_options.ts";

/** For one output its metrics, for several a list of metrics for each. */
export type CompiledMetrics =
  readonly (Metric | readonly Metric[])[] | Readonly<Record<string, Metric | readonly Metric[]>>;

/** Losses and metrics as `compile` has checked them. */
export interface Objective {
  /** One for all outputs, or one for each; null for outputs that are not trained. */
  readonly loss: PerOutput<Loss | null>;
  readonly lossWeights: PerOutput<number> | undefined;
  readonly metrics: CompiledMetrics;
  /** Those that count samples and steps by their weights. */
  readonly weightedMetrics: CompiledMetrics;
  /** How the losses of batches become that of an epoch. */
  readonly lossMean: LossMean;
}

/** One output of a batch. */
export interface Head {
  /** Its name in the logs; empty when it is the only one. */
  readonly name: string;
  readonly yPred: Tensor;
  readonly y: Tensor;
  readonly loss: Loss | undefined;
  /** Factor of its loss in the sum over all outputs. */
  readonly weight: number;
  readonly metrics: readonly Metric[];
  /** Metrics that count samples and steps by their weights. */
  readonly weightedMetrics: readonly Metric[];
  readonly sampleWeight: Tensor | undefined;
}

type Outputs = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

export const isLoss: IsOne = (value) => typeof value === "function" || value === null;
const isNumber: IsOne = (value) => typeof value === "number";
const form = (value: Outputs): string =>
  isTensor(value)
    ? "one"
    : Array.isArray(value)
      ? `a list of ${value.length}`
      : `a record of ${Object.keys(value).join(", ")}`;

/**
 * Values by the names of outputs.
 *
 * @param what  what the values are, for errors: "losses"
 * @throws OptionError for values of other outputs than there are
 */
function matched<T>(what: string, given: PerOutput<T>, isOne: IsOne, outputs: Outputs): Map<string, T> {
  const names = namedOutputs<Tensor>(outputs, isTensor).map(([name]) => name);
  if (isOne(given)) return new Map(names.map((name) => [name, given as T]));
  const same = isTensor(outputs)
    ? false
    : Array.isArray(outputs)
      ? Array.isArray(given) && given.length === outputs.length
      : isRecord(given);
  const parts = namedOutputs(given, isOne);
  if (!same)
    throw new OptionError(
      `compile: expected ${what} for ${form(outputs)} output${isTensor(outputs) ? "" : "s"}, got ${Array.isArray(given) ? `a list of ${parts.length}` : "a record"}`,
    );
  const odd = parts.find(([name]) => !names.includes(name));
  if (odd)
    throw new OptionError(`compile: expected ${what} of ${names.join(", ")}, got "${odd[0]}"${nearest(odd[0], names)}`);
  return new Map(parts);
}

function metricsOf(metrics: CompiledMetrics, outputs: Outputs): Map<string, readonly Metric[]> {
  const list = Array.isArray(metrics) ? (metrics as readonly (Metric | readonly Metric[])[]) : undefined;
  if (list?.length === 0) return new Map();
  if (isTensor(outputs) && list?.every((metric) => !Array.isArray(metric)))
    return new Map([["", list as readonly Metric[]]]);
  const each = matched<Metric | readonly Metric[]>("metrics", metrics as PerOutput<Metric>, () => false, outputs);
  return new Map([...each].map(([name, some]) => [name, [some].flat() as Metric[]]));
}

/** Targets or weights by output; those for one output are for all when `shared`. @throws OptionError when they are for others */
function given(
  model: ModuleBase,
  what: string,
  arrays: PerOutput<Tensor>,
  outputs: Outputs,
  shared: boolean,
): Map<string, Tensor> {
  const names = namedOutputs<Tensor>(outputs, isTensor).map(([name]) => name);
  if (isTensor(arrays) && (shared || isTensor(outputs))) return new Map(names.map((name) => [name, arrays]));
  const parts = namedOutputs(arrays, isTensor);
  const fits =
    !isTensor(arrays) &&
    !isTensor(outputs) &&
    Array.isArray(arrays) === Array.isArray(outputs) &&
    (Array.isArray(arrays) ? parts.length === names.length : parts.every(([name]) => names.includes(name)));
  if (fits) return new Map(parts);
  const hint = isTensor(arrays) && Array.isArray(outputs) ? "; to train on the first alone, leave returnState out" : "";
  throw new OptionError(
    `${model.describe()}: expected ${what} for ${form(outputs)} output${isTensor(outputs) ? "" : "s"}, got ${form(arrays)}${hint}`,
  );
}

/** @throws TraceError unless a call gave tensors */
function checkOutputs(model: ModuleBase, outputs: unknown): asserts outputs is Outputs {
  const some = isTensor(outputs) || Array.isArray(outputs) || isRecord(outputs);
  const parts = some ? namedOutputs<unknown>(outputs as PerOutput<unknown>, isTensor) : [];
  if (parts.length > 0 && parts.every(([, part]) => isTensor(part))) return;
  const got = some
    ? `${Array.isArray(outputs) ? "a list" : "a record"} of other things`
    : outputs === null
      ? "null"
      : typeof outputs;
  throw new TraceError(
    `${model.describe()}: expected call to give a tensor, or a list or a record of tensors, got ${got}`,
  );
}

/** @throws OptionError, TraceError when outputs, targets and what was compiled do not go together */
export function headsOf(
  model: ModuleBase,
  compiled: Objective,
  results: unknown,
  y: PerOutput<Tensor>,
  sampleWeight: PerOutput<Tensor> | undefined,
): Head[] {
  checkOutputs(model, results);
  const { outputNames } = model;
  const named = <T>(values: PerOutput<T>): PerOutput<T> => byOutputName(values, outputNames);
  const outputs = named<Tensor>(results);
  const [metrics, weighted] = [compiled.metrics, compiled.weightedMetrics].map((some) =>
    metricsOf(named(some as PerOutput<Metric>) as CompiledMetrics, outputs),
  );
  const losses = matched("losses", named(compiled.loss), isLoss, outputs);
  const weights =
    compiled.lossWeights === undefined
      ? undefined
      : matched("lossWeights", named(compiled.lossWeights), isNumber, outputs);
  const targets = given(model, "y", named(y), outputs, false);
  const sampleWeights = sampleWeight && given(model, "sampleWeight", named(sampleWeight), outputs, true);
  const heads: Head[] = [];
  for (const [name, yPred] of namedOutputs<Tensor>(outputs, isTensor)) {
    const loss = losses.get(name) ?? undefined;
    const [scored, weightedMetrics] = [metrics.get(name) ?? [], weighted.get(name) ?? []];
    if (!loss && scored.length + weightedMetrics.length === 0) continue;
    const target = targets.get(name);
    if (!target)
      throw new OptionError(`${model.describe()}: expected y of ${name}, which has a loss or metrics, got none`);
    heads.push({
      name,
      yPred,
      y: target,
      loss,
      weight: weights?.get(name) ?? 1,
      metrics: scored,
      weightedMetrics,
      sampleWeight: sampleWeights?.get(name),
    });
  }
  if (!heads.some(({ loss }) => loss))
    throw new OptionError("compile: expected a loss of at least one output, got none");
  return heads;
}
