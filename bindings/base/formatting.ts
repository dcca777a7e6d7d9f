/** Values of any kind in the messages of errors. */

/** A value as messages give it, whatever it is: texts in quotes; symbols and objects without a text of their own, too. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** {@link shown}, with lists written out. */
export function quoted(value: unknown): string {
  try {
    return JSON.stringify(value) ?? shown(value);
  } catch {
    return shown(value); // bigints, cycles
  }
}
