/** Checks of the small option objects that functions take, and of names in them. */
import { OptionError, nearest } from "./errors.ts";
import { shown } from "./formatting.ts";

/** A name of Keras in our spelling: `mean_squared_error` and `MeanSquaredError` are meanSquaredError. */
const camelCase = (name: string): string =>
  name
    .replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+$|^[A-Z]/, (first) => first.toLowerCase());

/**
 * Finds a name in a list, in any spelling.
 *
 * @param subject  who was given it: "compile"
 * @param kind     what it is: "loss"
 * @param short    other names for some of them
 * @throws OptionError naming its nearest known neighbour
 */
export function knownName<N extends string>(
  subject: string,
  kind: string,
  given: unknown,
  known: readonly N[],
  short: Readonly<Record<string, N>> = {},
): N {
  if (typeof given !== "string") throw new OptionError(`${subject}: expected a known ${kind}, got ${shown(given)}`);
  const own = camelCase(given);
  const name = [given, own].flatMap((spelling) => (Object.hasOwn(short, spelling) ? short[spelling] : []))[0] ?? own;
  if (!known.includes(name as N))
    throw new OptionError(`${subject}: expected a known ${kind}, got "${given}"${nearest(name, known)}`);
  return name as N;
}

/** A name as options take it: one of those that there are, which editors complete, or the same in another spelling. */
export type KnownName<N extends string> = N | (string & {});

/** The names of a table. */
export const namesOf = <T extends object>(table: T): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

/** @throws OptionError unless it is an object whose names can be options: lists, maps and promises have none */
export function checkRecord(subject: string, options: unknown): void {
  const record = typeof options === "object" && options !== null && !(Symbol.iterator in options || "then" in options);
  if (!record) throw new OptionError(`${subject}: expected an object of options, got ${shown(options)}`);
}

/** Names that other libraries have for options, and the sentence that helps. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  lr: ', did you mean "learningRate"?',
  inputShape: "; it is an option of the model: sequential([…], { inputShape })",
  input_shape: "; it is an option of the model: sequential([…], { inputShape })",
};

/** So many names are read at a glance, and stand in front. */
const FEW = 8;

/** The error for an option that there is not: what was meant comes before a long list of those that there are. */
export function unknownOption(subject: string, name: string, names: readonly string[]): OptionError {
  const close = nearest(name, names);
  if (names.length <= FEW)
    return new OptionError(`${subject}: expected one of the options ${names.join(", ")}, got "${name}"${close}`);
  const help = close || (Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : "");
  const list = `${help.endsWith("?") ? " There" : "; there"} are ${names.join(", ")}`;
  return new OptionError(`${subject}: expected a known option, got "${name}"${help}${list}`);
}

/**
 * Holds options to the names that there are; one that is `undefined` counts as absent.
 *
 * @param subject  who takes the options, for the message: "windows"
 * @param known    the names: a list of them, or a table such as that of the defaults
 * @throws OptionError naming the unknown option and its nearest known neighbour, or for what is no object
 */
export function checkOptions(subject: string, options: object, known: readonly string[] | object): void {
  checkRecord(subject, options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (Array.isArray(known) ? known.includes(name) : Object.hasOwn(known, name))) continue;
    const names: readonly string[] = Array.isArray(known) ? known : Object.keys(known);
    throw unknownOption(subject, name, names);
  }
}

/**
 * The defaults of options, `undefined` for one without. This is the only list of an option's names: written as
 * `const DEFAULTS = { … } satisfies Defaults<FitOptions>`, TypeScript reports a name that is missing or unknown.
 */
export type Defaults<O extends object> = { readonly [K in keyof Required<O>]: O[K] | undefined };

/** Options in which those that were not given have their defaults. */
export type FilledOptions<O extends object, D extends Defaults<O>> = {
  readonly [K in keyof Required<O>]: D[K] extends undefined ? O[K] : Exclude<O[K], undefined>;
};

/**
 * Checks the names of options and fills in their defaults. Options whose default is a boolean must be booleans.
 *
 * @param subject  who takes the options, for errors: "fit"
 * @throws OptionError naming the unknown option and its nearest known neighbour, or for what is no object
 */
export function withDefaults<O extends object, D extends Defaults<O>>(
  subject: string,
  options: O,
  defaults: D,
): FilledOptions<O, D> {
  checkOptions(subject, options, defaults);
  const filled: Record<string, unknown> = { ...defaults, ...givenOptions(options) };
  for (const [name, value] of Object.entries(defaults))
    if (typeof value === "boolean") checkBoolean(subject, name, filled[name]);
  return filled as FilledOptions<O, D>;
}

/** The options that are given: those that are not `undefined`. */
export const givenOptions = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;

/** @throws OptionError unless it is a whole number ≥ 0 */
export function checkWhole(subject: string, name: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 0)
    throw new OptionError(`${subject}: expected ${name} to be a whole number ≥ 0, got ${shown(value)}`);
}

/** @throws OptionError unless it is a whole number ≥ 1 */
export function checkCount(subject: string, name: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 1)
    throw new OptionError(`${subject}: expected ${name} to be a positive integer, got ${shown(value)}`);
}

/** @throws OptionError unless it is true or false */
export function checkBoolean(subject: string, name: string, value: unknown): void {
  if (typeof value !== "boolean")
    throw new OptionError(`${subject}: expected ${name} to be true or false, got ${shown(value)}`);
}

/** Holds those of the named options that are given to true and false. */
export function checkFlags(subject: string, options: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && names.includes(name)) checkBoolean(subject, name, value);
}

/** @throws OptionError unless it is a finite number, of at least so much */
export function checkNumber(subject: string, name: string, value: unknown, least = -Infinity): void {
  if (Number.isFinite(value) && (value as number) >= least) return;
  throw new OptionError(
    `${subject}: expected ${name} ${least === -Infinity ? "to be a number" : `≥ ${least}`}, got ${shown(value)}`,
  );
}

/** Holds those of the named options that are given to finite numbers, of at least so much. */
export function checkNumbers(subject: string, options: object, names: readonly string[], least = -Infinity): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && names.includes(name)) checkNumber(subject, name, value, least);
}
