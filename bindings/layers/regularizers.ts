/** Penalties on weights and outputs, added to the loss in `fit` and `evaluate`. Each factory gives plain data, so that it can be saved. */
import { OptionError, nearest } from "../base/errors.ts";
import { abs, add, mul, square } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";
import { checkNumber, checkOptions, givenOptions } from "../base/options.ts";
import { describe } from "../base/shape.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { shown } from "../base/formatting.ts";

/** l1·Σ|w| + l2·Σw². */
export interface RegularizerConfig {
  /** Strength of the sum of magnitudes. */
  readonly l1: number;
  /** Strength of the sum of squares. */
  readonly l2: number;
}

/** A regularizer as layer options take it: from a factory, by name, or a function of your own (which cannot be saved). */
export type RegularizerInput = RegularizerConfig | string | ((weight: Tensor) => Tensor);

/** Keras' strength where none is given. */
const STRENGTH = 0.01;

function config(
  name: string,
  options: Partial<RegularizerConfig>,
  known: readonly string[],
  defaults: Partial<RegularizerConfig> = {},
): RegularizerConfig {
  const subject = `regularizers.${name}`;
  checkOptions(subject, options, known);
  const { l1 = 0, l2 = 0 } = { ...defaults, ...givenOptions(options) };
  for (const value of [l1, l2]) checkNumber(subject, "a strength", value, 0);
  return { l1, l2 };
}

/**
 * Penalties on weights and outputs, added to the loss in `fit` and `evaluate`. A strength that is not given is 0.01, in `l1l2` 0.
 *
 * @namespace
 */
export const regularizers = {
  /** l1·Σ|w| */
  l1: (options: { l1?: number } = {}): RegularizerConfig => config("l1", options, ["l1"], { l1: STRENGTH }),
  /** l2·Σw² */
  l2: (options: { l2?: number } = {}): RegularizerConfig => config("l2", options, ["l2"], { l2: STRENGTH }),
  /** l1·Σ|w| + l2·Σw² */
  l1l2: (options: { l1?: number; l2?: number } = {}): RegularizerConfig => config("l1l2", options, ["l1", "l2"]),
};

const NAMES: Record<string, () => RegularizerConfig> = {
  l1: () => regularizers.l1(),
  l2: () => regularizers.l2(),
  l1l2: () => regularizers.l1l2({ l1: STRENGTH, l2: STRENGTH }),
};

/** The strengths of a name or of options. @throws OptionError for a name or an option that there is not */
function strengths(subject: string, regularizer: Exclude<RegularizerInput, Function>): RegularizerConfig {
  if (typeof regularizer !== "string") return config("l1l2", regularizer, ["l1", "l2"]);
  const name = regularizer.toLowerCase().replace("_", "");
  if (!Object.hasOwn(NAMES, name))
    throw new OptionError(
      `${subject}: expected a known regularizer, got "${regularizer}"${nearest(name, Object.keys(NAMES))}`,
    );
  return NAMES[name]();
}

/** Holds an option to what {@link penaltyOf} takes; null is none, as in Keras. @throws OptionError */
export function checkRegularizer(subject: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === "function") return;
  if (typeof value !== "string" && typeof value !== "object")
    throw new OptionError(`${subject}: expected a regularizer, such as regularizers.l2(), got ${shown(value)}`);
  strengths(subject, value as RegularizerConfig | string);
}

/**
 * The penalty of a weight or an output, as a scalar.
 *
 * @throws OptionError for an unknown name, and for a function that gives something else
 */
export function penaltyOf(subject: string, regularizer: RegularizerInput, weight: Tensor): Tensor {
  if (typeof regularizer === "function") {
    const penalty: unknown = regularizer(weight);
    if (!isTensor(penalty) || penalty.size !== 1)
      throw new OptionError(
        `${subject}: expected a regularizer that gives a scalar, got ${isTensor(penalty) ? describe(penalty.shape) : shown(penalty)}`,
      );
    return penalty;
  }
  const { l1, l2 } = strengths(subject, regularizer);
  const parts = [...(l1 > 0 ? [mul(sum(abs(weight)), l1)] : []), ...(l2 > 0 ? [mul(sum(square(weight)), l2)] : [])];
  return parts.length > 0 ? parts.reduce((total, part) => add(total, part)) : mul(sum(weight), 0);
}
