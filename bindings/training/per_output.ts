/** One of something, or one for each output of a model. */
import { isRecord } from "../graph/pytree.ts";

/** One, or a list or a record of them as the outputs of a `call` are. */
export type Several<T> = T | readonly T[] | { readonly [output: string]: T };

/** Tells one apart from a list or a record of them. */
export type IsOne = (value: unknown) => boolean;

/**
 * Does something to each.
 *
 * @param fn  gets a part and where it stands: "" for one, "[0]", ".pitch"
 */
export function mapSeveral<T, R>(value: Several<T>, isOne: IsOne, fn: (part: T, path: string) => R): Several<R> {
  if (!isOne(value)) {
    if (Array.isArray(value)) return (value as readonly T[]).map((part, i) => fn(part, `[${i}]`));
    if (isRecord(value))
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fn(part as T, `.${name}`)]));
  }
  return fn(value as T, "");
}

/** A list as a record, where its places have names; everything else as it is. */
export function byOutputName<T>(value: Several<T>, names: readonly string[] | undefined): Several<T> {
  if (!names || !Array.isArray(value) || value.length !== names.length) return value;
  return Object.fromEntries((value as readonly T[]).map((part, i) => [names[i], part]));
}

/** The parts with the names of their outputs: "" for one, `output_0`, `output_1` … in a list, the keys of a record. */
export function namedParts<T>(value: Several<T>, isOne: IsOne): [name: string, part: T][] {
  if (isOne(value)) return [["", value as T]];
  return Array.isArray(value)
    ? (value as readonly T[]).map((part, i) => [`output_${i}`, part])
    : Object.entries(value as Record<string, T>);
}
