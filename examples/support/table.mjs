// A table to learn from.
import { readFileSync } from "node:fs";
import { readCsv } from "gatewise/csv";
import { fail } from "./options.mjs";

/** Reads a CSV file as `readCsv` does; what is wrong with it ends the program with a sentence. */
export function readTable(file, options) {
  try {
    return readCsv(readFileSync(file, "utf8"), options);
  } catch (error) {
    fail(`--data: expected a table of comma-separated values, got ${file}: ${error.message}`);
  }
}
