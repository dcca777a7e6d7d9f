/**
 * Expected results computed by PyTorch, Keras, ONNX Runtime and TensorFlow.js. They lie outside the repository, in
 * ../shared/oracles or the folder that GATEWISE_ORACLES names. Without them, tests that need them count as skipped.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "uvu";
import { decodeSafetensors } from "../../bindings/saving/safetensors.ts";
import { caseOf, type OracleCase, type Runner } from "../cases/case.ts";

/** The folder of the oracles, undefined when there is none. */
export function oracleRoot(): string | undefined {
  const named = process.env.GATEWISE_ORACLES || undefined;
  if (named !== undefined && !existsSync(named)) throw new Error(`GATEWISE_ORACLES: expected a folder, got "${named}"`);
  const folder = named ?? fileURLToPath(new URL("../../../shared/oracles", import.meta.url));
  return existsSync(folder) ? folder : undefined;
}

/** The absolute path of a file below the root; only for tests declared by {@link oracleTest}. */
export function oraclePath(path: string): string {
  const root = oracleRoot();
  if (root === undefined) throw new Error(`oracles: expected the folder, got none while reading ${path}`);
  return join(root, path);
}

/** Reads a JSON file below the root. */
export const oracleJson = (path: string): any => JSON.parse(readFileSync(oraclePath(path), "utf8"));

/** Names of the cases of a group such as "keras/layer"; none when the folder is missing. */
export function listCases(group: string): string[] {
  if (oracleRoot() === undefined) return [];
  const names = readdirSync(oraclePath(group))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -5));
  if (names.length === 0) throw new Error(`oracles: expected cases in ${group}, got none`);
  return names.sort();
}

/** Reads one case of the format rnn-oracle/1. */
export function loadCase(group: string, name: string): OracleCase {
  const { tensors } = decodeSafetensors(readFileSync(oraclePath(`${group}/${name}.safetensors`)));
  return caseOf(group, name, oracleJson(`${group}/${name}.json`), tensors);
}

/** Declares a test that reads oracles; without them it is skipped aloud. */
export function oracleTest(test: Test, name: string, run: () => void | Promise<void>): void {
  if (oracleRoot() !== undefined) {
    test(name, run);
    return;
  }
  console.log(`SKIP ${name}`);
  test.skip(name, run);
}

/** Declares one test per case of a group that `choose` accepts; without the folder, one skipped test for all. */
export function eachCase(test: Test, group: string, run: Runner, choose: (name: string) => boolean = () => true): void {
  const names = listCases(group).filter(choose);
  for (const name of names) oracleTest(test, `${group}/${name}`, () => run(loadCase(group, name)));
  if (names.length > 0) return;
  if (oracleRoot() !== undefined) throw new Error(`oracles: expected a chosen case in ${group}, got none`);
  oracleTest(test, group, () => {});
}
