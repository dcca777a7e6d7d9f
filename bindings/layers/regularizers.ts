/** Penalties on weights and outputs, added to the loss. Factories give plain data, so that configs can be saved. */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkNumber, knownName, namesOf, withDefaults, type Defaults, type KnownName } from "../base/options.ts";
import { describe } from "../base/shape.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { abs, add, mul, square } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";

/** A penalty l1·Σ|w| + l2·Σw². */
export interface RegularizerConfig {
  /** Factor of the sum of magnitudes. */
  readonly l1: number;
  /** Factor of the sum of squares. */
  readonly l2: number;
}

/** Names of regularizers. */
export type RegularizerName = "l1" | "l2" | "l1l2";

/** A regularizer as an option: from a factory, by name, or a function of your own, which cannot be saved. */
export type RegularizerInput = RegularizerConfig | KnownName<RegularizerName> | ((weight: Tensor) => Tensor);

/** Keras' factor where none is given. */
const FACTOR = 0.01;

function configOf<O extends Partial<RegularizerConfig>>(
  name: RegularizerName,
  options: O,
  defaults: Defaults<O>,
): RegularizerConfig {
  const subject = `regularizers.${name}`;
  const filled: Partial<RegularizerConfig> = withDefaults<O, Defaults<O>>(subject, options, defaults);
  const config = { l1: 0, l2: 0, ...filled };
  for (const value of [config.l1, config.l2]) checkNumber(subject, "a strength", value, 0);
  return config;
}

/**
 * Penalties on weights and outputs, added to the loss in `fit` and `evaluate`, for `kernelRegularizer` and the like.
 *
 * @namespace
 */
export const regularizers = {
  /** l1·Σ|w|; l1 is 0.01 by default. */
  l1: (options: { l1?: number } = {}): RegularizerConfig => configOf("l1", options, { l1: FACTOR }),
  /** l2·Σw²; l2 is 0.01 by default. */
  l2: (options: { l2?: number } = {}): RegularizerConfig => configOf("l2", options, { l2: FACTOR }),
  /** l1·Σ|w| + l2·Σw²; both factors are 0 by default. */
  l1l2: (options: { l1?: number; l2?: number } = {}): RegularizerConfig => configOf("l1l2", options, { l1: 0, l2: 0 }),
};

/** The regularizers that names stand for. */
const NAMED: Readonly<Record<RegularizerName, RegularizerConfig>> = {
  l1: { l1: FACTOR, l2: 0 },
  l2: { l1: 0, l2: FACTOR },
  l1l2: { l1: FACTOR, l2: FACTOR },
};

/** The factors of a name or of options. @throws OptionError for an unknown name or option */
function factorsOf(subject: string, regularizer: Exclude<RegularizerInput, Function>): RegularizerConfig {
  if (typeof regularizer !== "string") return regularizers.l1l2(regularizer);
  return NAMED[knownName(subject, "regularizer", regularizer, namesOf(NAMED), { l1L2: "l1l2" })];
}

/** Checks an option that {@link penaltyOf} takes; null is none, as in Keras. @throws OptionError */
export function checkRegularizer(subject: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === "function") return;
  if (typeof value !== "string" && typeof value !== "object")
    throw new OptionError(`${subject}: expected a regularizer, such as regularizers.l2(), got ${shown(value)}`);
  factorsOf(subject, value as RegularizerConfig | string);
}

/**
 * The penalty of a weight or an output, as a scalar.
 *
 * @throws OptionError for an unknown name, and for a function whose result is no scalar
 */
export function penaltyOf(subject: string, regularizer: RegularizerInput, weight: Tensor): Tensor {
  if (typeof regularizer === "function") {
    const penalty: unknown = regularizer(weight);
    if (!isTensor(penalty) || penalty.size !== 1) {
      const got = isTensor(penalty) ? describe(penalty.shape) : shown(penalty);
      throw new OptionError(`${subject}: expected a regularizer that gives a scalar, got ${got}`);
    }
    return penalty;
  }
  const { l1, l2 } = factorsOf(subject, regularizer);
  const parts = [...(l1 > 0 ? [mul(sum(abs(weight)), l1)] : []), ...(l2 > 0 ? [mul(sum(square(weight)), l2)] : [])];
  return parts.length > 0 ? parts.reduce((total, part) => add(total, part)) : mul(sum(weight), 0);
}
