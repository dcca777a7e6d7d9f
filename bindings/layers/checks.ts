/** Checks of option values that several layers have. */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkCount } from "../base/options.ts";

/** Extents are i32 in kernels. */
const MOST = 2 ** 31 - 1;

/** @throws OptionError unless value is a whole number of 1…most */
export function checkSize(label: string, name: string, value: unknown, most = MOST): void {
  checkCount(label, name, value);
  if ((value as number) > most) throw new OptionError(`${label}: expected ${name} of 1…${most}, got ${shown(value)}`);
}

/** @throws OptionError unless 0 ≤ value < 1 */
export function checkRate(label: string, name: string, value: unknown): void {
  if (!(typeof value === "number" && value >= 0 && value < 1))
    throw new OptionError(`${label}: expected ${name} of 0 ≤ rate < 1, got ${shown(value)}`);
}

/** A list of whole numbers, as a copy. @throws OptionError for something else */
export function integers(label: string, name: string, list: unknown): number[] {
  if (!Array.isArray(list))
    throw new OptionError(`${label}: expected ${name} as a list of whole numbers, got ${shown(list)}`);
  const numbers = [...list] as unknown[];
  const odd = numbers.findIndex((value) => !Number.isInteger(value));
  if (odd >= 0) throw new OptionError(`${label}: expected whole numbers as ${name}, got ${shown(numbers[odd])}`);
  return numbers as number[];
}
