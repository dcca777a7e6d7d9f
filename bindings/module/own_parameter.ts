/** Weights of classes of one's own: `Module.parameter`. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";
import { checkBoolean, checkOptions } from "../base/options.ts";
import { describe, type Shape } from "../base/shape.ts";
import { Parameter } from "../graph/parameter.ts";
import { checkConstraint, constrained, type ConstraintInput } from "../layers/constraints.ts";
import { initializerOf, type InitializerInput } from "../layers/initializers.ts";

/** Options of `Module.parameter`. */
export interface ParameterOptions {
  /** What it starts from. @default "glorotUniform" */
  initializer?: InitializerInput | undefined;
  /** false: training never changes it. @default true */
  trainable?: boolean | undefined;
  /** What holds for it after every update. */
  constraint?: ConstraintInput | undefined;
}

const OPTIONS = ["initializer", "trainable", "constraint"] satisfies (keyof ParameterOptions)[];

/** @throws OptionError, ShapeError for what cannot be a weight beside those in `known` */
export function ownParameter(
  owner: string,
  name: string,
  shape: Shape,
  options: ParameterOptions,
  known: ReadonlyMap<string, Parameter>,
): Parameter {
  if (typeof name !== "string" || name === "" || name.includes("/"))
    throw new OptionError(`${owner}: expected the name of a weight, without "/", got ${quoted(name)}`);
  const label = `${owner} "${name}"`;
  if (known.has(name)) throw new OptionError(`${label}: expected a name that no other weight of this module has`);
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isInteger(extent) && extent > 0))
    throw new ShapeError(
      `${label}: expected a shape of positive integers, got ${Array.isArray(shape) ? describe(shape) : shown(shape)}`,
    );
  checkOptions(label, options, OPTIONS);
  const { initializer = "glorotUniform", trainable = true, constraint } = options;
  checkBoolean(label, "trainable", trainable);
  if (constraint !== undefined) checkConstraint(label, constraint);
  return new Parameter(
    [...shape],
    initializerOf(label, initializer),
    trainable,
    constraint === undefined ? undefined : (weight) => constrained(label, constraint, weight),
    { fixed: !trainable },
  );
}
