// What the examples read from their command line.
import { parseArgs } from "node:util";

/** Ends the program with one sentence instead of a stack: for mistakes of who runs it. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Options by name, from `--name value` and `--flag`.
 *
 * @param defaults  a number, a string or a boolean for each option; what is given must be of the same kind
 */
export function readOptions(defaults) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === "boolean" ? "boolean" : "string" },
    ]),
  );
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    fail(
      `${error.message.split(".")[0]}. Options: ${Object.keys(defaults)
        .map((name) => `--${name}`)
        .join(", ")}`,
    );
  }
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = values[name] ?? value;
      if (typeof value !== "number") return [name, given];
      if (!(Number.isInteger(Number(given)) && Number(given) >= 0))
        fail(`--${name}: expected a whole number, got "${given}"`);
      return [name, Number(given)];
    }),
  );
}
