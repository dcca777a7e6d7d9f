/** What holds for weights after every update. Each factory gives plain data, so that it can be saved. */
import { add, div, maximum, minimum, mul, sqrt, square } from "./ops/elementwise.ts";
import { sum } from "./ops/reduce.ts";
import { checkOptions, knownName, namesOf } from "./options.ts";
import type { Tensor } from "./program/tensor.ts";

/** A constraint by name with its options, as the factories give it. */
export interface ConstraintConfig {
  /** Name of the factory. */
  readonly constraint: string;
  /** Longest that a vector may be. @default 2 */
  readonly maxValue?: number;
  /** Axis along which vectors lie. @default 0 */
  readonly axis?: number;
}

/** A constraint as layer options take it: from a factory, by name, or a function from weight to weight (which cannot be saved). */
export type ConstraintInput = ConstraintConfig | string | ((weight: Tensor) => Tensor);

/** Keras' guard of divisions. */
const EPSILON = 1e-7;

const norms = (w: Tensor, axis: number): Tensor => sqrt(sum(square(w), { axis, keepDims: true }));

const TABLE: Record<string, (w: Tensor, options: ConstraintConfig) => Tensor> = {
  maxNorm(w, { maxValue = 2, axis = 0 }) {
    const norm = norms(w, axis);
    return mul(w, div(minimum(norm, maxValue), add(norm, EPSILON)));
  },
  unitNorm: (w, { axis = 0 }) => div(w, add(norms(w, axis), EPSILON)),
  nonNeg: (w) => maximum(w, 0),
};

const factory = <O extends object>(constraint: string, known: readonly string[]) => (options: O = {} as O): ConstraintConfig => {
  checkOptions(`constraints.${constraint}`, options, known);
  return { constraint, ...options };
};

/**
 * What holds for weights after every update; pass one as `kernelConstraint` and the like. `axis` is 0 by default, `maxValue` 2.
 *
 * @namespace
 */
export const constraints = {
  /** Vectors along `axis` are at most `maxValue` long. */
  maxNorm: factory<{ maxValue?: number; axis?: number }>("maxNorm", ["maxValue", "axis"]),
  /** Vectors along `axis` have length 1. */
  unitNorm: factory<{ axis?: number }>("unitNorm", ["axis"]),
  /** No weight is below 0. */
  nonNeg: factory("nonNeg", []),
};

/**
 * The weight as the constraint wants it.
 *
 * @throws OptionError for an unknown name
 */
export function constrained(subject: string, constraint: ConstraintInput, weight: Tensor): Tensor {
  if (typeof constraint === "function") return constraint(weight);
  const options = typeof constraint === "string" ? { constraint } : constraint;
  return TABLE[knownName(subject, "constraint", options.constraint, namesOf(TABLE))](weight, options);
}
