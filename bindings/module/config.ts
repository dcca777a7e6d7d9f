/** A model as plain JSON: its layers with their options, and how they are joined. */
import { FormatError, OptionError, nearest } from "../base/errors.ts";
import type { DType } from "../base/shape.ts";
import type { Activations } from "../graph/int8_weight.ts";

/** Raised when a config of this version can no longer be read by former ones. */
export const CONFIG_VERSION = 1;

/** A tensor of a model: an input by its name, or an output of a call of a layer. */
export type TensorSource = readonly [name: string, call: number, output: number];

/** An input of a model. */
export interface InputConfig {
  /** What records of inputs call it. */
  readonly name: string;
  /** Without the batch, null for any extent; null as a whole while a `sequential` has not seen its input. */
  readonly shape: readonly (number | null)[] | null;
  /** Integers are tokens. When absent, what the first layer takes. */
  readonly dtype?: Exclude<DType, "i8"> | undefined;
}

/**
 * What a record gives for each input, in the order of the inputs.
 *
 * @param expected  how errors begin: "predict: expected x"
 * @throws OptionError for a model whose inputs have no names, a name it does not have, and an input that is missing
 */
export function byName<T>(
  expected: string,
  given: Readonly<Record<string, T>>,
  inputs: readonly InputConfig[] | undefined,
): T[] {
  if (!inputs)
    throw new OptionError(`${expected} as an array or a list of them, for a Module of your own, got a record`);
  const names = inputs.map(({ name }) => name);
  const odd = Object.keys(given).find((name) => !names.includes(name));
  if (odd !== undefined)
    throw new OptionError(`${expected} of ${names.join(", ")}, got "${odd}"${nearest(odd, names)}`);
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw new OptionError(`${expected} of ${names.join(", ")}, got none for "${missing}"`);
  return names.map((name) => given[name]);
}

/** A layer: the name of its factory, and its options; layers and cells among these are configs again. */
export interface LayerConfig {
  /** `"lstm"` of `layers.lstm`, `"cells.gru"` of `cells.gru`; `"model"` for a model inside another, whose config is its own. */
  readonly layer: string;
  /** Options of the factory, `name` among them. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** One use of a layer. A shared layer has several. */
export interface CallConfig {
  /** Name of the layer. */
  readonly layer: string;
  /** Its input, or a list of them for layers that take a list. */
  readonly inputs: TensorSource | readonly TensorSource[];
  /** States that a recurrent layer starts from. */
  readonly initialState?: readonly TensorSource[] | undefined;
  /** Valid steps [batch, time]. */
  readonly mask?: TensorSource | undefined;
  /** Valid steps of each row [batch]. */
  readonly lengths?: TensorSource | undefined;
}

/** How the weights of a quantised model are kept. */
export interface QuantizedConfig {
  /** Bits of a weight. */
  readonly bits: 8;
  /** Bits of what weights are multiplied with. */
  readonly activations: Activations;
}

/** One output, or a list or a record of them. */
export type OutputsConfig = TensorSource | readonly TensorSource[] | Readonly<Record<string, TensorSource>>;

/**
 * What a model is, without its weights: a graph of layers. `sequential` is the chain, which has no `calls`.
 *
 * @example
 * const twin = modelFromConfig(model.getConfig(), model.getWeights());
 */
export interface ModelConfig {
  /** Version of this form. */
  readonly version: number;
  /** Where everything random in the model starts from: initial weights, dropout, the order of rows. */
  readonly seed: number;
  /** What it takes. */
  readonly inputs: readonly InputConfig[];
  /** Every layer once, in the order of first use. */
  readonly layers: readonly LayerConfig[];
  /** Uses of the layers in the order in which they run. When absent, each layer is used once, on the output of the one before. */
  readonly calls?: readonly CallConfig[] | undefined;
  /** When absent, the output of the last layer. */
  readonly outputs?: OutputsConfig | undefined;
  /** Of a model that `quantize` made: weights with scales are kept in 8 bits. */
  readonly quantized?: QuantizedConfig | undefined;
}

/** Whether a value is a source, and not a list of them. */
export const isSource = (value: unknown): value is TensorSource =>
  Array.isArray(value) && value.length === 3 && typeof value[0] === "string";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isExtents = (value: unknown): boolean =>
  Array.isArray(value) && value.every((extent) => extent === null || (Number.isInteger(extent) && extent > 0));

/** Whether a value has the form of an input's config. */
export const isInput = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.name === "string" &&
  (value.shape === null || isExtents(value.shape)) &&
  [undefined, "f32", "i32"].includes(value.dtype as DType);

/** Whether a value has the form of a layer's config. */
export const isLayer = (value: unknown): value is LayerConfig =>
  isObject(value) && typeof value.layer === "string" && isObject(value.config);

const isSources = (value: unknown): boolean => isSource(value) || (Array.isArray(value) && value.every(isSource));

const isCall = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.layer === "string" &&
  isSources(value.inputs) &&
  (value.initialState === undefined || (Array.isArray(value.initialState) && value.initialState.every(isSource))) &&
  [value.mask, value.lengths].every((source) => source === undefined || isSource(source));

const isOutputs = (value: unknown): boolean =>
  isSources(value) || (isObject(value) && Object.values(value).every(isSource));

const isQuantized = (value: unknown): boolean =>
  isObject(value) && value.bits === 8 && ["mixed", 7, 14].includes(value.activations as Activations);

/** What each part of a config must be. */
const PARTS: readonly [part: keyof ModelConfig, expected: string, good: (value: unknown) => boolean][] = [
  ["version", "a whole number", Number.isInteger],
  ["seed", "a whole number", Number.isSafeInteger],
  ["inputs", "a list of { name, shape, dtype } of at least one", (value) => isFilled(value, isInput)],
  ["layers", "a list of { layer, config } of at least one", (value) => isFilled(value, isLayer)],
  ["calls", "a list of { layer, inputs }", (value) => value === undefined || isFilled(value, isCall)],
  ["outputs", "sources [name, call, output]", (value) => value === undefined || isOutputs(value)],
  ["quantized", "{ bits: 8, activations }", (value) => value === undefined || isQuantized(value)],
];

const isFilled = (value: unknown, good: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(good);

/** Objects and lists inside each other, at most: a hundred layers within layers. */
const DEEPEST = 300;

/** @throws FormatError for a config that is nested so deeply that reading it would end the stack */
function checkDepth(subject: string, config: object): void {
  let level: object[] = [config];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST)
      throw new FormatError(`${subject}: expected layers within layers, got more than ${DEEPEST} levels`);
    level = level.flatMap((value) =>
      Object.values(value).filter((inner): inner is object => typeof inner === "object" && inner !== null),
    );
  }
}

/**
 * Holds a value to the form of a config, not to the layers that there are.
 *
 * @param subject  who was given it, for errors: "modelFromConfig"
 * @throws FormatError naming the part that is wrong
 */
export function checkConfig(subject: string, config: unknown): asserts config is ModelConfig {
  if (!isObject(config)) throw new FormatError(`${subject}: expected a config as getConfig gives it, got none`);
  checkDepth(subject, config);
  for (const [part, expected, good] of PARTS) {
    if (!good(config[part])) throw new FormatError(`${subject}: expected ${expected} as ${part} of the config`);
  }
  if ((config.version as number) > CONFIG_VERSION)
    throw new FormatError(
      `${subject}: expected a config of version ${CONFIG_VERSION} or older, got version ${config.version as number}; a newer gatewise reads it`,
    );
}
