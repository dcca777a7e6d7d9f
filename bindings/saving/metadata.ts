/** What a saved file says besides its weights: one JSON text in the metadata of a safetensors file. */
import { FormatError } from "../base/errors.ts";
import { CONFIG_VERSION, checkConfig, type ModelConfig } from "../module/config.ts";
import type { SavedOptimizer } from "../optimizers/saved_optimizer.ts";

/** Raised when files of this version can no longer be read by former ones. */
export const FILE_VERSION = 2;

/** Key of the JSON text in the file's metadata. */
export const METADATA_KEY = "gatewise";

export interface SavedFile {
  readonly version: number;
  readonly seed: number;
  /** Runs that drew random numbers so far. */
  readonly runs: number;
  /** Absent for a Module of the user's own class. */
  readonly model?: ModelConfig | undefined;
  readonly optimizer?: SavedOptimizer;
  /** What names of the optimizer's arrays begin with; {@link SLOTS} when absent. */
  readonly slots?: string;
}

/** What names of the optimizer's arrays begin with, unless a weight's name does. */
export const SLOTS = "optimizer/";

/** Where a slot of a weight is in the file, behind what all slots begin with. */
export const slotName = (slot: string, weight: string): string => `${slot}/${weight}`;
/** Where the scales of an int8 weight are. */
export const scaleName = (weight: string): string => `${weight}/scale`;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws FormatError when the text is not what {@link SavedFile} says, or of a newer version */
export function parseMetadata(text: string | undefined): SavedFile {
  if (text === undefined)
    throw new FormatError("load: expected a file saved by gatewise, got safetensors without its metadata");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError("load: expected JSON in the file's metadata, got something else");
  }
  if (!isObject(value) || !Number.isInteger(value.version))
    throw new FormatError("load: expected a version in the file's metadata, got none");
  if ((value.version as number) > FILE_VERSION) {
    throw new FormatError(
      `load: expected a file of version ${FILE_VERSION} or older, got version ${value.version as number}; ` +
        "a newer gatewise reads it",
    );
  }
  if (!Number.isSafeInteger(value.seed) || !Number.isSafeInteger(value.runs))
    throw new FormatError("load: expected seed and runs in the file's metadata, got none");
  if (value.optimizer !== undefined) checkOptimizer(value.optimizer);
  if (value.slots !== undefined && typeof value.slots !== "string")
    throw new FormatError(`load: expected a text as slots in the file's metadata, got ${typeof value.slots}`);
  if (value.model === undefined) return value as unknown as SavedFile;
  const model: unknown = value.version === 1 ? upgraded(value.model, value.seed as number) : value.model;
  checkConfig("load", model);
  return { ...(value as unknown as SavedFile), model };
}

/** The config of a file of version 1, which held chains only: `{ inputShape, layers, quantized }`. */
function upgraded(model: unknown, seed: number): unknown {
  if (!isObject(model)) return model;
  const { inputShape, ...rest } = model;
  return { version: CONFIG_VERSION, seed, inputs: [{ name: "input", shape: inputShape }], ...rest };
}

function checkOptimizer(optimizer: unknown): void {
  const good =
    isObject(optimizer) &&
    typeof optimizer.kind === "string" &&
    Number.isInteger(optimizer.step) &&
    Array.isArray(optimizer.slots);
  if (!good)
    throw new FormatError(
      "load: expected kind, step and slots of the optimizer in the file's metadata, got something else",
    );
}
