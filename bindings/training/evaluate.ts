/** `evaluate`: scores over batches, without updates. */
import { checkCount, withDefaults } from "../base/options.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { BatchRunner, ScoringKind } from "./batch_runner.ts";
import { ArrayBatches } from "./data/array_batches.ts";
import type { Batches } from "./data/batch.ts";
import { Dataset } from "./data/dataset.ts";
import { readArguments, type DataArguments } from "./data/given_data.ts";
import { StreamBatches } from "./data/stream_batches.ts";
import type { Logs } from "./events.ts";
import { EVALUATE_DEFAULTS, type EvaluateOptions } from "./training_options.ts";
import { yieldToHost } from "./yield_to_host.ts";

/** See {@link Module.evaluate}: arrays are evaluated at once, batches of a stream one by one. */
export function evaluate(
  model: ModuleBase,
  runner: BatchRunner,
  ...args: DataArguments<EvaluateOptions>
): Logs | Promise<Logs> {
  const { data, options } = readArguments("evaluate", args);
  const { batchSize, steps, ...batchOptions } = withDefaults("evaluate", options, EVALUATE_DEFAULTS);
  checkCount("evaluate", "batchSize", batchSize);
  if (steps !== undefined) checkCount("evaluate", "steps", steps);
  const inputs = model.inputConfigs;
  if ("stream" in data) {
    const { classWeight } = batchOptions;
    const stream = { steps, option: "steps", epochs: 1, classWeight, inputs } as const;
    return scoreBatches(runner, "test", new StreamBatches("evaluate", data.stream, stream), { subject: "evaluate" });
  }
  return evaluateArrays(runner, Dataset.of(data.x, data.y, batchOptions, "evaluate", inputs), batchSize, steps);
}

/** Scores of arrays in batches of `size` rows. @throws ValueError when no label counts */
export function evaluateArrays(runner: BatchRunner, data: Dataset, size: number, steps?: number): Logs {
  const batches = new ArrayBatches(data, size, { steps, option: "steps" });
  runner.check("test", batches);
  const means = runner.newMeans();
  for (const batch of batches.epoch(0)) runner.score("test", batch, means);
  return means.checkedLogs(data.subject);
}

/** Whose batches are scored, for errors; which epoch of them; and what ends it. */
interface Scoring {
  readonly subject: string;
  readonly epoch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Scores of batches, with pauses for the page between them. @throws ValueError when no label counts */
export async function scoreBatches(
  runner: BatchRunner,
  kind: ScoringKind,
  batches: Batches,
  { subject, epoch = 0, signal }: Scoring,
): Promise<Logs> {
  const means = runner.newMeans();
  for await (const batch of batches.epoch(epoch)) {
    runner.score(kind, batch, means);
    await yieldToHost();
    signal?.throwIfAborted();
  }
  return means.checkedLogs(subject);
}
