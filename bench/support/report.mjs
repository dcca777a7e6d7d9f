// What all benchmarks share in how they report: the machine, units, Markdown tables, JSON in build/.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/files.mjs";

/** The processor and its load of the last minute. */
export const machine = () => ({
  processor: cpus()[0]?.model.trim() ?? "an unknown processor",
  cores: cpus().length,
  load: loadavg()[0],
});

/**
 * Seconds in a unit that suits them, three digits.
 *
 * @param {number} seconds
 */
export function time(seconds) {
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} µs`;
}

/** @param {number} share */
export const percent = (share) => `${Math.round(share * 100)} %`;

/**
 * The upper median.
 *
 * @param {readonly number[]} values
 * @returns {number}
 */
export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * A Markdown table.
 *
 * @param {readonly (string | number)[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
export const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/**
 * Writes a result to build/NAME.json.
 *
 * @param {string} name
 * @param {unknown} result
 */
export function writeResult(name, result) {
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build", `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}
