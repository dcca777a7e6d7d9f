/** Values for the outputs of a model: one, or one for each. */
import { isRecord } from "../graph/pytree.ts";

/** One value, or a list or a record of them as the outputs of the model are. */
export type PerOutput<T> = T | readonly T[] | { readonly [output: string]: T };

/** Tells one value apart from a list or a record of them. */
export type IsOne = (value: unknown) => boolean;

/**
 * Maps each value.
 *
 * @param fn  also gets the path of the value: "" for one, "[0]" in a list, ".pitch" in a record
 */
export function mapOutputs<T, R>(values: PerOutput<T>, isOne: IsOne, fn: (value: T, path: string) => R): PerOutput<R> {
  if (!isOne(values)) {
    if (Array.isArray(values)) return (values as readonly T[]).map((value, i) => fn(value, `[${i}]`));
    if (isRecord(values))
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fn(value as T, `.${name}`)]));
  }
  return fn(values as T, "");
}

/** A list as a record by the names of the outputs, where they have names; everything else as it is. */
export function byOutputName<T>(values: PerOutput<T>, names: readonly string[] | undefined): PerOutput<T> {
  if (!names || !Array.isArray(values) || values.length !== names.length) return values;
  return Object.fromEntries((values as readonly T[]).map((value, i) => [names[i], value]));
}

/** The values with the names of their outputs: "" for one, `output_0`, `output_1`, … in a list, the keys of a record. */
export function namedOutputs<T>(values: PerOutput<T>, isOne: IsOne): [name: string, value: T][] {
  if (isOne(values)) return [["", values as T]];
  return Array.isArray(values)
    ? (values as readonly T[]).map((value, i) => [`output_${i}`, value])
    : Object.entries(values as Record<string, T>);
}
