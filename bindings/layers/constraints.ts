/** What holds for weights after every update. Each factory gives plain data, so that it can be saved. */
import { OptionError } from "../base/errors.ts";
import { add, div, maximum, minimum, mul, sqrt, square } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";
import { checkNumbers, checkOptions, givenOptions, knownName, namesOf } from "../base/options.ts";
import { describe, sameShape } from "../base/shape.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { shown } from "../base/formatting.ts";

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

/** A row per constraint: its options and what it makes of a weight. */
const TABLE: Record<string, { options: readonly string[]; apply: (w: Tensor, options: ConstraintConfig) => Tensor }> = {
  maxNorm: {
    options: ["maxValue", "axis"],
    apply(w, { maxValue = 2, axis = 0 }) {
      const norm = norms(w, axis);
      return mul(w, div(minimum(norm, maxValue), add(norm, EPSILON)));
    },
  },
  unitNorm: { options: ["axis"], apply: (w, { axis = 0 }) => div(w, add(norms(w, axis), EPSILON)) },
  nonNeg: { options: [], apply: (w) => maximum(w, 0) },
};

/** @throws OptionError for options that a constraint has not, or that are out of range */
function checked(constraint: string, options: Omit<ConstraintConfig, "constraint">): ConstraintConfig {
  const subject = `constraints.${constraint}`;
  checkOptions(subject, options, TABLE[constraint].options);
  checkNumbers(subject, options, ["maxValue"], 0);
  const { axis = 0 } = options;
  if (!Number.isInteger(axis))
    throw new OptionError(`${subject}: expected axis to be a whole number, got ${shown(axis)}`);
  return { constraint, ...givenOptions(options) };
}

const factory =
  <O extends object>(constraint: string) =>
  (options: O = {} as O): ConstraintConfig =>
    checked(constraint, options);

/** A constraint by its name and options. @throws OptionError for a name or an option that there is not */
function configOf(subject: string, given: ConstraintConfig | string): ConstraintConfig {
  const { constraint, ...options } = typeof given === "string" ? { constraint: given } : given;
  return checked(knownName(subject, "constraint", constraint, namesOf(TABLE)), options);
}

/**
 * What holds for weights after every update; pass one as `kernelConstraint` and the like. `axis` is 0 by default, `maxValue` 2.
 *
 * @namespace
 */
export const constraints = {
  /** Vectors along `axis` are at most `maxValue` long. */
  maxNorm: factory<{ maxValue?: number; axis?: number }>("maxNorm"),
  /** Vectors along `axis` have length 1. */
  unitNorm: factory<{ axis?: number }>("unitNorm"),
  /** No weight is below 0. */
  nonNeg: factory("nonNeg"),
};

/** Holds an option to what {@link constrained} takes; null is none, as in Keras. @throws OptionError */
export function checkConstraint(subject: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === "function") return;
  if (typeof value !== "string" && typeof value !== "object")
    throw new OptionError(`${subject}: expected a constraint, such as constraints.maxNorm(), got ${shown(value)}`);
  configOf(subject, value as ConstraintConfig | string);
}

/**
 * The weight as the constraint wants it.
 *
 * @throws OptionError for an unknown name, and for a function that gives something else
 */
export function constrained(subject: string, constraint: ConstraintInput, weight: Tensor): Tensor {
  if (typeof constraint === "function") {
    const held: unknown = constraint(weight);
    if (isTensor(held) && sameShape(held.shape, weight.shape)) return held;
    throw new OptionError(
      `${subject}: expected a constraint that gives ${describe(weight.shape)}, got ${isTensor(held) ? describe(held.shape) : shown(held)}`,
    );
  }
  const options = configOf(subject, constraint);
  return TABLE[options.constraint].apply(weight, options);
}
