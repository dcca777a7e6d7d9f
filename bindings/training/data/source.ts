/** What a training or an evaluation is given, settled as batches: arrays or a stream, and what to validate on. */
import { OptionError } from "../../base/errors.ts";
import { checkCount, checkNumber, checkRecord } from "../../base/options.ts";
import { Random } from "../../base/random.ts";
import { ArrayBatches, StreamBatches, isStream, type BatchStream } from "./batches.ts";
import { Dataset, type BatchOptions, type Targets } from "./dataset.ts";
import type { ModelInput } from "../../inference/model_inputs.ts";
import type { ModuleBase } from "../../module/module_base.ts";
import type { FitOptions } from "../fit.ts";

/** Arrays, or a stream of batches. */
export type Source = { readonly x: ModelInput; readonly y: Targets } | { readonly stream: BatchStream };

/** What to evaluate on after every epoch: `[x, y]`, `[x, y, { lengths, … }]`, or a stream of batches. */
export type ValidationData = readonly [x: ModelInput, y: Targets, options?: BatchOptions] | BatchStream;

export type AnyBatches = ArrayBatches | StreamBatches;

/** Arguments (x, y, options) or (stream, options) as one thing. @throws OptionError for targets beside a stream */
export function sourceOf<O extends object>(
  subject: string,
  x: unknown,
  second: unknown,
  third: O | undefined,
): { source: Source; options: O } {
  const arrays = !isStream(x);
  if (!arrays && third !== undefined && second !== undefined)
    throw new OptionError(`${subject}: expected a stream of batches [x, y] and options, got a y beside them`);
  const options = (arrays ? third : (third ?? (second as O | undefined))) ?? ({} as O);
  checkRecord(subject, options);
  return { source: arrays ? { x: x as ModelInput, y: second as Targets } : { stream: x }, options };
}

/** Options that say how arrays are cut into batches. */
const CUTS = ["batchSize", "shuffle", "validationSplit", "lengths", "mask", "sampleWeight"] as const;

/** @throws OptionError for options that a stream of ready batches leaves no room for */
export function refuseCuts(subject: string, options: Readonly<Partial<Record<(typeof CUTS)[number], unknown>>>): void {
  const odd = CUTS.find((name) => options[name] !== undefined);
  if (odd)
    throw new OptionError(
      `${subject}: expected ${odd} with arrays only, got it with a stream; every batch [x, y, { lengths, mask, sampleWeight }] of a stream says all of itself`,
    );
}

/** The batches to train on, and those to validate on. */
export function prepare(
  model: ModuleBase,
  source: Source,
  options: FitOptions,
): { training: AnyBatches; validation: AnyBatches | undefined } {
  const {
    epochs = 1,
    initialEpoch = 0,
    batchSize = 32,
    stepsPerEpoch,
    validationData,
    validationSplit,
    validationBatchSize = batchSize,
    validationSteps,
  } = options;
  checkCount("fit", "batchSize", batchSize);
  checkCount("fit", "validationBatchSize", validationBatchSize);
  if (stepsPerEpoch !== undefined) checkCount("fit", "stepsPerEpoch", stepsPerEpoch);
  if (validationSteps !== undefined) checkCount("fit", "validationSteps", validationSteps);
  if (validationData && validationSplit !== undefined)
    throw new OptionError("fit: expected validationData or validationSplit, got both");
  const ahead = epochs - initialEpoch;
  let training: AnyBatches;
  let rest: Dataset | undefined;
  if ("stream" in source) {
    refuseCuts("fit", options);
    training = new StreamBatches("fit", source.stream, {
      steps: stepsPerEpoch,
      option: "stepsPerEpoch",
      epochs: ahead,
      classWeight: options.classWeight,
      inputs: model.inputConfigs,
    });
  } else {
    const { lengths, mask, sampleWeight, classWeight, shuffle = true } = options;
    const cut = split(
      Dataset.of(source.x, source.y, { lengths, mask, sampleWeight, classWeight }, "fit", model.inputConfigs),
      validationSplit,
    );
    rest = cut.rest;
    training = new ArrayBatches(cut.data, batchSize, {
      steps: stepsPerEpoch,
      ...(shuffle ? { shuffle: (epoch) => new Random(model.seed).fork(`shuffle ${epoch}`) } : {}),
    });
  }
  const validation =
    validationData === undefined
      ? rest && new ArrayBatches(rest, validationBatchSize, { steps: validationSteps, option: "validationSteps" })
      : validationOf(model, validationData, validationBatchSize, validationSteps, ahead);
  if (validationSteps !== undefined && !validation)
    throw new OptionError(
      `fit: expected validationData with validationSteps, got validationSteps ${validationSteps} alone`,
    );
  return { training, validation };
}

function validationOf(
  model: ModuleBase,
  data: ValidationData,
  batchSize: number,
  steps: number | undefined,
  epochs: number,
): AnyBatches {
  const subject = "fit: validationData";
  if (isStream(data))
    return new StreamBatches(subject, data, { steps, option: "validationSteps", epochs, inputs: model.inputConfigs });
  if (!Array.isArray(data))
    throw new OptionError(
      `fit: expected validationData as [x, y] or [x, y, options], or a stream of batches, got ${typeof data}`,
    );
  const [x, y, options = {}] = data as readonly [ModelInput, Targets, BatchOptions?];
  return new ArrayBatches(Dataset.of(x, y, options, subject, model.inputConfigs), batchSize, {
    steps,
    option: "validationSteps",
  });
}

/** Cuts rows off the end, which class weights then leave alone as in Keras. */
function split(data: Dataset, share: number | undefined): { data: Dataset; rest: Dataset | undefined } {
  if (share === undefined || share === 0) return { data, rest: undefined };
  checkNumber("fit", "validationSplit", share);
  const cut = Math.floor(data.rows * (1 - share));
  if (!(share > 0 && share < 1) || cut === 0 || cut === data.rows) {
    throw new OptionError(`fit: expected validationSplit to leave rows on both sides of ${data.rows}, got ${share}`);
  }
  return { data: data.slice(0, cut), rest: data.unweighted.slice(cut, data.rows) };
}
