/** The batches of `fit`: those to train on, and those to validate on. */
import { OptionError } from "../../base/errors.ts";
import { checkCount, checkNumber } from "../../base/options.ts";
import { Random } from "../../base/random.ts";
import type { ModelInput } from "../../inference/model_inputs.ts";
import type { ModuleBase } from "../../module/module_base.ts";
import { statefulStore } from "../../module/state_stores.ts";
import type { FilledFitOptions, ValidationData } from "../training_options.ts";
import { ArrayBatches } from "./array_batches.ts";
import type { Batches } from "./batch.ts";
import { Dataset, type BatchOptions, type Targets } from "./dataset.ts";
import type { GivenData } from "./given_data.ts";
import { StreamBatches, isStream } from "./stream_batches.ts";
import { WindowBatches } from "./window_batches.ts";

/** @throws OptionError, ShapeError, ValueError for options and arrays that do not go together */
export function fitBatches(
  model: ModuleBase,
  data: GivenData,
  options: FilledFitOptions,
): { training: Batches; validation: Batches | undefined } {
  const { batchSize, truncate, validationData, validationSplit, validationSteps } = options;
  checkCounts(options);
  if (validationData !== undefined && validationSplit !== undefined)
    throw new OptionError("fit: expected validationData or validationSplit, got both");
  const { training, rest } = trainingBatches(model, data, options);
  const size = options.validationBatchSize ?? batchSize;
  const validation =
    validationData !== undefined
      ? validationBatches(model, validationData, size, options)
      : rest && new ArrayBatches(rest, size, { steps: validationSteps, option: "validationSteps" });
  if (validationSteps !== undefined && !validation)
    throw new OptionError(
      `fit: expected validationData with validationSteps, got validationSteps ${validationSteps} alone`,
    );
  return { training: truncate === undefined ? training : new WindowBatches(model, training, truncate), validation };
}

function checkCounts(options: FilledFitOptions): void {
  const { batchSize, validationBatchSize, stepsPerEpoch, validationSteps } = options;
  const counts = { batchSize, validationBatchSize, stepsPerEpoch, validationSteps };
  for (const [name, count] of Object.entries(counts)) if (count !== undefined) checkCount("fit", name, count);
}

/** The batches to train on, and the rows that `validationSplit` keeps for the validation. */
function trainingBatches(
  model: ModuleBase,
  data: GivenData,
  options: FilledFitOptions,
): { training: Batches; rest?: Dataset | undefined } {
  const { stepsPerEpoch, classWeight, epochs, initialEpoch, lengths, mask, sampleWeight } = options;
  const steps = { steps: stepsPerEpoch, option: "stepsPerEpoch" } as const;
  const inputs = model.inputConfigs;
  if ("stream" in data) {
    const stream = { ...steps, epochs: epochs - initialEpoch, classWeight, inputs };
    return { training: new StreamBatches("fit", data.stream, stream) };
  }
  const arrays = Dataset.of(data.x, data.y, { lengths, mask, sampleWeight, classWeight }, "fit", inputs);
  const { train, rest } = split(arrays, options.validationSplit);
  const shuffle = (epoch: number): Random | undefined =>
    options.shuffle && statefulStore(model).size === 0 ? new Random(model.seed).fork(`shuffle ${epoch}`) : undefined;
  return { training: new ArrayBatches(train, options.batchSize, { ...steps, shuffle }), rest };
}

function validationBatches(
  model: ModuleBase,
  data: ValidationData,
  size: number,
  { validationSteps, epochs, initialEpoch }: FilledFitOptions,
): Batches {
  const subject = "fit: validationData";
  const inputs = model.inputConfigs;
  const steps = { steps: validationSteps, option: "validationSteps" } as const;
  if (isStream(data)) return new StreamBatches(subject, data, { ...steps, epochs: epochs - initialEpoch, inputs });
  if (!Array.isArray(data))
    throw new OptionError(
      `fit: expected validationData as [x, y] or [x, y, options], or a stream of batches, got ${typeof data}`,
    );
  const [x, y, options = {}] = data as readonly [ModelInput, Targets, BatchOptions?];
  return new ArrayBatches(Dataset.of(x, y, options, subject, inputs), size, steps);
}

/** Keeps the last rows for the validation, where class weights do not count, as in Keras. */
function split(data: Dataset, share: number | undefined): { train: Dataset; rest: Dataset | undefined } {
  if (share === undefined || share === 0) return { train: data, rest: undefined };
  checkNumber("fit", "validationSplit", share);
  const end = Math.floor(data.rows * (1 - share));
  if (!(share > 0 && share < 1) || end === 0 || end === data.rows)
    throw new OptionError(`fit: expected validationSplit to leave rows on both sides of ${data.rows}, got ${share}`);
  return { train: data.slice(0, end), rest: data.unweighted.slice(end, data.rows) };
}
