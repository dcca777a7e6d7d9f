/** Penalties on weights and outputs, added to the loss in `fit` and `evaluate`. Each factory gives plain data, so that it can be saved. */
import { OptionError, nearest } from "./errors.ts";
import { abs, add, mul, square } from "./ops/elementwise.ts";
import { sum } from "./ops/reduce.ts";
import { checkOptions } from "./options.ts";
import type { Tensor } from "./program/tensor.ts";

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

function config(name: string, options: Partial<RegularizerConfig>, known: readonly string[]): RegularizerConfig {
  checkOptions(`regularizers.${name}`, options, known);
  const { l1 = 0, l2 = 0 } = options;
  for (const value of [l1, l2]) if (!(value >= 0 && Number.isFinite(value))) throw new OptionError(`regularizers.${name}: expected a strength ≥ 0, got ${value}`);
  return { l1, l2 };
}

/**
 * Penalties on weights and outputs, added to the loss in `fit` and `evaluate`. A strength that is not given is 0.01, in `l1l2` 0.
 *
 * @namespace
 */
export const regularizers = {
  /** l1·Σ|w| */
  l1: (options: { l1?: number } = {}): RegularizerConfig => config("l1", { l1: STRENGTH, ...options }, ["l1"]),
  /** l2·Σw² */
  l2: (options: { l2?: number } = {}): RegularizerConfig => config("l2", { l2: STRENGTH, ...options }, ["l2"]),
  /** l1·Σ|w| + l2·Σw² */
  l1l2: (options: { l1?: number; l2?: number } = {}): RegularizerConfig => config("l1l2", options, ["l1", "l2"]),
};

const NAMES: Record<string, () => RegularizerConfig> = {
  l1: () => regularizers.l1(),
  l2: () => regularizers.l2(),
  l1l2: () => regularizers.l1l2({ l1: STRENGTH, l2: STRENGTH }),
};

/**
 * The penalty of a weight or an output, as a scalar.
 *
 * @throws OptionError for an unknown name
 */
export function penaltyOf(subject: string, regularizer: RegularizerInput, weight: Tensor): Tensor {
  if (typeof regularizer === "function") return regularizer(weight);
  if (typeof regularizer === "string") {
    const name = regularizer.toLowerCase().replace("_", "");
    if (!Object.hasOwn(NAMES, name)) throw new OptionError(`${subject}: expected a known regularizer, got "${regularizer}"${nearest(name, Object.keys(NAMES))}`);
    return penaltyOf(subject, NAMES[name](), weight);
  }
  const { l1, l2 } = regularizer;
  const parts = [...(l1 > 0 ? [mul(sum(abs(weight)), l1)] : []), ...(l2 > 0 ? [mul(sum(square(weight)), l2)] : [])];
  return parts.length > 0 ? parts.reduce((total, part) => add(total, part)) : mul(sum(weight), 0);
}
