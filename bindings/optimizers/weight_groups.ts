/** Groups of weights with the same hyperparameters: one learning rate, and weight decay or none. */
import { OptionError, nearest } from "../base/errors.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { UpdateRule } from "./update_rule.ts";

export interface WeightGroup {
  /** Path of their learning rate; undefined for the rate of all other weights. */
  readonly path: string | undefined;
  /** Whether weight decay applies to them. */
  readonly decays: boolean;
}

/** The groups that an optimizer's options make. */
export function groupsOf({ withoutDecay, learningRates }: UpdateRule): WeightGroup[] {
  const decay = withoutDecay.length > 0 ? [true, false] : [true];
  return [undefined, ...Object.keys(learningRates)].flatMap((path) => decay.map((decays) => ({ path, decays })));
}

/** The trainable weights of each group. @throws OptionError for a path that leads to no weight */
export function weightsByGroup(
  groups: readonly WeightGroup[],
  { kind, learningRates, withoutDecay }: UpdateRule,
  model: ModuleBase,
): ReadonlySet<Parameter>[] {
  const names = model.parameters().map(([name]) => name);
  checkPaths(`optimizers.${kind}: expected learningRates`, Object.keys(learningRates), names.flatMap(pathsTo));
  checkPaths(`optimizers.${kind}: expected excludeFromWeightDecay`, withoutDecay, names.flatMap(namesFor));
  const sets = groups.map(() => new Set<Parameter>());
  for (const [name, parameter] of model.trainableParameters()) {
    const longest = pathsTo(name)
      .filter((path) => Object.hasOwn(learningRates, path))
      .at(-1);
    const excluded = namesFor(name).some((path) => withoutDecay.includes(path));
    sets[groups.findIndex(({ path, decays }) => path === longest && decays === !excluded)].add(parameter);
  }
  return sets;
}

/** The paths that lead to a weight, the shortest first, and the weight's own: `lstm`, `lstm/kernel`. */
function pathsTo(name: string): string[] {
  const parts = name.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** The paths that lead to a weight, and its name in its layer. */
const namesFor = (name: string): string[] => [...pathsTo(name), name.slice(name.lastIndexOf("/") + 1)];

function checkPaths(expected: string, paths: readonly string[], names: readonly string[]): void {
  const known = [...new Set(names)];
  const odd = paths.find((path) => !known.includes(path));
  if (odd !== undefined)
    throw new OptionError(`${expected} of ${known.join(", ")}, got "${odd}"${nearest(odd, known)}`);
}
