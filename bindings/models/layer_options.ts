/** Options of a layer: held to its definition, and filled in. */
import { OptionError } from "../base/errors.ts";
import { quoted } from "../base/formatting.ts";
import { checkFlags, checkRecord, unknownOption } from "../base/options.ts";
import { checkConstraint } from "../layers/constraints.ts";
import { REQUIRED, type LayerDefinition } from "../layers/definition.ts";
import { initializerOf, type InitializerInput } from "../layers/initializers.ts";
import { checkRegularizer } from "../layers/regularizers.ts";

/** The options of a layer, filled in. */
export type LayerOptions = Record<string, unknown> & { name?: string; trainable?: boolean };

/** Checks options against a definition's table and fills in defaults. @throws OptionError */
export function configure(definition: LayerDefinition<any>, given: LayerOptions): LayerOptions {
  const { type, defaults, ignored = [] } = definition;
  checkRecord(type, given);
  const known = Object.keys(defaults);
  const config = { ...defaults } as LayerOptions;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || ignored.includes(name)) continue;
    if (!Object.hasOwn(defaults, name)) throw unknownOption(type, name, known);
    config[name] = value;
  }
  const missing = known.find((name) => config[name] === REQUIRED);
  if (missing) throw new OptionError(`${type}: expected ${missing}, got none`);
  if (config.name !== undefined && (typeof config.name !== "string" || config.name === ""))
    throw new OptionError(`${type}: expected a name of at least one letter, got ${quoted(config.name)}`);
  const label = config.name ? `${type} "${config.name}"` : type;
  checkFlags(
    label,
    config,
    known.filter((name) => typeof defaults[name] === "boolean"),
  );
  for (const [name, value] of Object.entries(config)) {
    if (name.endsWith("Initializer")) initializerOf(label, value as InitializerInput);
    else if (name.endsWith("Regularizer")) checkRegularizer(label, value);
    else if (name.endsWith("Constraint")) checkConstraint(label, value);
  }
  return definition.normalize ? (definition.normalize(config, label) as LayerOptions) : config;
}
