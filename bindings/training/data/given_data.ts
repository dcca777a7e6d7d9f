/** The data of `fit` and `evaluate` as they are given: arrays x and y, or a stream of batches. */
import { OptionError } from "../../base/errors.ts";
import { checkRecord } from "../../base/options.ts";
import type { ModelInput } from "../../inference/model_inputs.ts";
import type { Targets } from "./dataset.ts";
import { isStream, type BatchStream } from "./stream_batches.ts";

/** Arrays, or a stream of batches. */
export type GivenData = { readonly x: ModelInput; readonly y: Targets } | { readonly stream: BatchStream };

/** The arguments (x, y, options) or (stream, options). */
export type DataArguments<O extends ArrayOptions> =
  | readonly [x: ModelInput, y: Targets, options?: O]
  | readonly [stream: BatchStream, options?: O]
  | readonly [x: ModelInput | BatchStream, second?: Targets | O, options?: O];

/** Tells arrays and streams apart. @throws OptionError for targets or options of arrays beside a stream */
export function readArguments<O extends ArrayOptions>(
  subject: string,
  [x, second, third]: DataArguments<O>,
): { data: GivenData; options: O } {
  if (!isStream(x)) {
    const options = third ?? ({} as O);
    checkRecord(subject, options);
    return { data: { x, y: second as Targets }, options };
  }
  if (third !== undefined && second !== undefined)
    throw new OptionError(`${subject}: expected a stream of batches [x, y] and options, got a y beside them`);
  const options = third ?? (second as O | undefined) ?? ({} as O);
  checkRecord(subject, options);
  refuseArrayOptions(subject, options);
  return { data: { stream: x }, options };
}

/** Options that say how arrays become batches. */
const ARRAYS_ONLY = ["batchSize", "shuffle", "validationSplit", "lengths", "mask", "sampleWeight"] as const;

type ArrayOptions = { readonly [K in (typeof ARRAYS_ONLY)[number]]?: unknown };

/** @throws OptionError for options that have no meaning for a stream of ready batches */
function refuseArrayOptions(subject: string, options: ArrayOptions): void {
  const odd = ARRAYS_ONLY.find((name) => options[name] !== undefined);
  if (odd)
    throw new OptionError(
      `${subject}: expected ${odd} with arrays only, got it with a stream; every batch [x, y, { lengths, mask, sampleWeight }] of a stream says all of itself`,
    );
}
