/** Activations as layer options take them: a name, or a name with parameters. */
import type { ActivationRecord } from "../abi/records.ts";
import { checkOptions, givenOptions, knownName, namesOf, type KnownName } from "../base/options.ts";
import {
  applied,
  ELEMENTWISE,
  elementwise,
  parametersOf,
  type ActivationParameters,
  type ElementwiseName,
} from "../ops/activations.ts";
import { logSoftmax, softmax } from "../ops/reduce.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Activations over the last axis. */
const ROWWISE = {
  softmax: (x: Tensor) => softmax(x),
  logSoftmax: (x: Tensor) => logSoftmax(x),
};

/** Names of activations; {@link ActivationInput} lists the parameters of those that have any. */
export type ActivationName = ElementwiseName | keyof typeof ROWWISE;

/**
 * An activation of a layer or of the gates of a cell: a name in camelCase or snake_case, or `{ name, alpha, beta }`.
 *
 * | name | parameters with their defaults, and equation |
 * |---|---|
 * | `leakyRelu` | alpha 0.2: x above 0, alpha·x below |
 * | `elu` | alpha 1: x above 0, alpha·(eˣ − 1) below |
 * | `celu` | alpha 1: x above 0, alpha·(e^(x/alpha) − 1) below |
 * | `hardSigmoid` | alpha 1/6, beta 0.5: max(0, min(1, alpha·x + beta)) |
 * | `affine` | alpha 1, beta 0: alpha·x + beta |
 * | `scaledTanh` | alpha 1, beta 1: alpha·tanh(beta·x) |
 * | `thresholdedRelu` | alpha 1: x above alpha, else 0 |
 * | `softShrink` | alpha 0.5: x moved towards 0 by alpha, 0 within ±alpha |
 * | `hardShrink` | alpha 0.5: x, 0 within ±alpha |
 * | `squareplus` | alpha 4: (x + √(x² + alpha)) / 2 |
 *
 * Without parameters: `linear`, `tanh`, `sigmoid`, `relu`, `exponential`, `selu`, `relu6`, `softplus`, `softsign`,
 * `hardSigmoidKeras2`, `silu`, `hardSilu`, `gelu`, `geluTanh`, `mish`, `logSigmoid`, `tanhshrink`; over the last axis
 * `softmax`, `logSoftmax`.
 */
export type ActivationInput = KnownName<ActivationName> | ActivationConfig;

/** An activation with parameters. */
export interface ActivationConfig extends ActivationParameters {
  /** In camelCase or snake_case. */
  readonly name: KnownName<ActivationName>;
}

const KNOWN: readonly ActivationName[] = [...namesOf(ELEMENTWISE), ...namesOf(ROWWISE)];

/** Keras' other names. */
const ALIASES: Readonly<Record<string, ActivationName>> = {
  swish: "silu",
  hardSwish: "hardSilu",
  hard_swish: "hardSilu",
  tanhShrink: "tanhshrink",
  tanh_shrink: "tanhshrink",
};

const isElementwise = (name: string): name is ElementwiseName => Object.hasOwn(ELEMENTWISE, name);

const split = (activation: ActivationInput): [name: string, parameters: ActivationParameters] => {
  if (typeof activation === "string") return [activation, {}];
  const { name, ...parameters } = activation;
  return [name, parameters];
};

/**
 * An activation in its canonical form: the camelCase name alone when it has no parameters of the caller's.
 *
 * @throws OptionError for an unknown name, with the nearest known one, and for a parameter unknown or out of range
 */
export function activationOf(subject: string, given: ActivationInput): ActivationInput {
  if (typeof given !== "object" || given === null) return knownName(subject, "activation", given, KNOWN, ALIASES);
  const name = knownName(subject, "activation", given.name, KNOWN, ALIASES);
  const parameters = isElementwise(name) ? parametersOf(name) : [];
  checkOptions(`${subject}: activation "${name}"`, given, ["name", ...parameters]);
  const canonical = { ...givenOptions(given), name };
  if (Object.keys(canonical).length === 1) return name;
  if (isElementwise(name)) elementwise(name, canonical, `${subject}: ${name}`);
  return canonical;
}

/** Applies an activation to a layer's output. */
export function activate(activation: ActivationInput, x: Tensor): Tensor {
  const [name, parameters] = split(activation);
  if (name === "linear") return x;
  return isElementwise(name) ? applied(name, x, parameters) : ROWWISE[name as keyof typeof ROWWISE](x);
}

/** An activation as the kernels of cells take it; undefined for one over the last axis, which they do not know. */
export function cellActivation(activation: ActivationInput): ActivationRecord | undefined {
  const [name, parameters] = split(activation);
  return isElementwise(name) ? elementwise(name, parameters) : undefined;
}
