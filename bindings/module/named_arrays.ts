/** Arrays by the names of weights, as `setWeights` and `optimizer.apply` are given them. */
import { OptionError, ShapeError, nearest } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { normalize, type ArrayInput, type Normalized } from "../base/ndarray.ts";
import type { Parameter } from "../graph/parameter.ts";
import { describe, sameShape } from "../base/shape.ts";

/**
 * Holds arrays to the weights of their names.
 *
 * @param subject  who was given them, for errors: "setWeights"
 * @param known    the weights that there are
 * @returns name, weight and numbers of each
 * @throws OptionError for a name that is none of theirs, ShapeError for another shape than the weight's
 */
export function arraysOf(
  subject: string,
  known: readonly [string, Parameter][],
  given: Readonly<Record<string, ArrayInput>>,
): [string, Parameter, Normalized["data"]][] {
  if (typeof given !== "object" || given === null)
    throw new OptionError(`${subject}: expected arrays by the names of weights, got ${shown(given)}`);
  const parameters = new Map(known);
  const names = [...parameters.keys()];
  return Object.entries(given).map(([name, value]) => {
    const parameter = parameters.get(name);
    if (!parameter)
      throw new OptionError(`${subject}: expected one of ${names.join(", ")}, got "${name}"${nearest(name, names)}`);
    const { data, shape } = normalize(value, `${subject}: "${name}"`);
    if (!sameShape(shape, parameter.shape))
      throw new ShapeError(`${subject}: expected "${name}" ${describe(parameter.shape)}, got ${describe(shape)}`);
    return [name, parameter, data];
  });
}
