/** Activations as layer options take them: a name, or a name with parameters. */
import type { ActivationRecord } from "../abi/records.ts";
import { checkOptions, givenOptions, knownName, namesOf } from "../base/options.ts";
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

/**
 * An activation of a layer or of a slot of a cell: its name, in camelCase or snake_case, or `{ name, alpha, beta }`.
 *
 * | name | parameters, with their defaults |
 * |---|---|
 * | `leakyRelu` | alpha 0.2: slope below 0 |
 * | `elu`, `celu` | alpha 1: −alpha is approached far below 0 |
 * | `hardSigmoid` | alpha 1/6, beta 0.5: max(0, min(1, alpha·x + beta)) |
 * | `affine` | alpha 1, beta 0: alpha·x + beta |
 * | `scaledTanh` | alpha 1, beta 1: alpha·tanh(beta·x) |
 * | `thresholdedRelu` | alpha 1: x above alpha, else 0 |
 * | `softShrink`, `hardShrink` | alpha 0.5: what lies within ±alpha becomes 0 |
 * | `squareplus` | alpha 4: (x + √(x² + alpha)) / 2 |
 *
 * Without parameters: `linear`, `tanh`, `sigmoid`, `relu`, `exponential`, `selu`, `relu6`, `softplus`, `softsign`, `hardSigmoidKeras2`, `silu`,
 * `hardSilu`, `gelu`, `geluTanh`, `mish`, `logSigmoid`, `tanhshrink`; over whole rows `softmax`, `logSoftmax`.
 */
export type ActivationInput = string | ActivationConfig;

/** An activation with parameters. */
export interface ActivationConfig extends ActivationParameters {
  /** In camelCase or snake_case. */
  readonly name: string;
}

/** Activations over whole rows. */
const ROWWISE: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
};

const KNOWN: readonly string[] = [...namesOf(ELEMENTWISE), ...Object.keys(ROWWISE)];

/** Keras' other names. */
const SHORT: Readonly<Record<string, string>> = {
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
 * @throws OptionError for an unknown name, naming the nearest known one, a parameter that it has not, or one out of range
 */
export function activationOf(subject: string, given: ActivationInput): ActivationInput {
  if (typeof given !== "object" || given === null) return knownName(subject, "activation", given, KNOWN, SHORT);
  const name = knownName(subject, "activation", given.name, KNOWN, SHORT);
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
  return isElementwise(name) ? applied(name, x, parameters) : ROWWISE[name](x);
}

/** An activation as the cells' kernels take it; undefined for one over whole rows, which they do not know. */
export function cellActivation(activation: ActivationInput): ActivationRecord | undefined {
  const [name, parameters] = split(activation);
  return isElementwise(name) ? elementwise(name, parameters) : undefined;
}
