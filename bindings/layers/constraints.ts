/** Constraints on weights, applied after every update. Factories give plain data, so that configs can be saved. */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkNumbers, checkOptions, givenOptions, knownName, namesOf, type KnownName } from "../base/options.ts";
import { describe, sameShape } from "../base/shape.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sqrt, square } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";

/** Options of `constraints.unitNorm`. */
export interface UnitNormOptions {
  /** Axis along which the vectors lie. @default 0 */
  axis?: number;
}

/** Options of `constraints.maxNorm`. */
export interface MaxNormOptions extends UnitNormOptions {
  /** Largest norm of a vector. @default 2 */
  maxValue?: number;
}

/** A constraint: the defaults of its options, and what it makes of a weight. */
interface Row<O extends object> {
  readonly defaults: Required<O>;
  readonly apply: (weight: Tensor, options: Required<O>) => Tensor;
}

const row = <O extends object>(defaults: Required<O>, apply: Row<O>["apply"]): Row<O> => ({ defaults, apply });

/** Keras' guard of divisions. */
const EPSILON = 1e-7;

const norms = (w: Tensor, axis: number): Tensor => sqrt(sum(square(w), { axis, keepDims: true }));

/** Every constraint, by the name of its factory. */
const TABLE = {
  maxNorm: row<MaxNormOptions>({ maxValue: 2, axis: 0 }, (w, { maxValue, axis }) => {
    const norm = norms(w, axis);
    return mul(w, div(minimum(norm, maxValue), add(norm, EPSILON)));
  }),
  unitNorm: row<UnitNormOptions>({ axis: 0 }, (w, { axis }) => div(w, add(norms(w, axis), EPSILON))),
  nonNeg: row({}, (w) => maximum(w, 0)),
};

/** Names of constraints. */
export type ConstraintName = keyof typeof TABLE;

/** A constraint by name with its options, as the factories give it. */
export interface ConstraintConfig extends MaxNormOptions {
  /** Name of the factory. */
  readonly constraint: string;
}

/** A constraint as an option: from a factory, by name, or a function from weight to weight, which cannot be saved. */
export type ConstraintInput = ConstraintConfig | KnownName<ConstraintName> | ((weight: Tensor) => Tensor);

/** @throws OptionError for unknown options, and for those that are out of range */
function checked(
  constraint: ConstraintName,
  options: MaxNormOptions,
): ConstraintConfig & { constraint: ConstraintName } {
  const subject = `constraints.${constraint}`;
  checkOptions(subject, options, TABLE[constraint].defaults);
  checkNumbers(subject, options, ["maxValue"], 0);
  const { axis = 0 } = options;
  if (!Number.isInteger(axis))
    throw new OptionError(`${subject}: expected axis to be a whole number, got ${shown(axis)}`);
  return { constraint, ...givenOptions(options) };
}

const factory =
  <N extends ConstraintName>(constraint: N) =>
  (options: OptionsOf<N> = {} as OptionsOf<N>): ConstraintConfig =>
    checked(constraint, options);

type OptionsOf<N extends ConstraintName> = (typeof TABLE)[N] extends Row<infer O> ? O : never;

/** A constraint by its name and options. @throws OptionError for an unknown name or option */
function configOf(subject: string, given: ConstraintConfig | string): ReturnType<typeof checked> {
  const { constraint, ...options } = typeof given === "string" ? { constraint: given } : given;
  return checked(knownName(subject, "constraint", constraint, namesOf(TABLE)), options);
}

/**
 * Constraints on weights, applied after every update; pass one as `kernelConstraint` and the like.
 *
 * @namespace
 */
export const constraints = {
  /** Scales vectors along `axis`, 0 by default, down to a norm of `maxValue`, 2 by default. */
  maxNorm: factory("maxNorm"),
  /** Scales vectors along `axis`, 0 by default, to norm 1. */
  unitNorm: factory("unitNorm"),
  /** Sets negative weights to 0. */
  nonNeg: factory("nonNeg"),
};

/** Checks an option that {@link constrained} takes; null is none, as in Keras. @throws OptionError */
export function checkConstraint(subject: string, value: unknown): void {
  if (value === undefined || value === null || typeof value === "function") return;
  if (typeof value !== "string" && typeof value !== "object")
    throw new OptionError(`${subject}: expected a constraint, such as constraints.maxNorm(), got ${shown(value)}`);
  configOf(subject, value as ConstraintConfig | string);
}

/**
 * A weight with a constraint applied.
 *
 * @throws OptionError for an unknown name or option, and for a function whose result has another shape
 */
export function constrained(subject: string, constraint: ConstraintInput, weight: Tensor): Tensor {
  if (typeof constraint === "function") {
    const held: unknown = constraint(weight);
    if (isTensor(held) && sameShape(held.shape, weight.shape)) return held;
    const got = isTensor(held) ? describe(held.shape) : shown(held);
    throw new OptionError(`${subject}: expected a constraint that gives ${describe(weight.shape)}, got ${got}`);
  }
  const { constraint: name, ...options } = configOf(subject, constraint);
  const { defaults, apply } = TABLE[name] as Row<MaxNormOptions>;
  return apply(weight, { ...defaults, ...options });
}
