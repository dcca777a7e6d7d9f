/** Checks of the small option objects that functions take. */
import { OptionError, nearest } from "./errors.ts";

/**
 * Holds options to a list of names; one that is `undefined` counts as absent.
 *
 * @param subject  who takes the options, for the message: "windows"
 * @throws OptionError naming the unknown option and its nearest known neighbour, or for what is no object
 */
export function checkOptions(subject: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new OptionError(`${subject}: expected an object of options, got ${String(options)}`);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    throw new OptionError(`${subject}: expected one of the options ${known.join(", ")}, got "${name}"${nearest(name, known)}`);
  }
}
