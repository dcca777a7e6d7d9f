/**
 * Expected results that nobody here wrote: arrays computed by PyTorch, Keras, ONNX Runtime and TensorFlow.js. They lie
 * outside the repository, in ../shared/oracles or where GATEWISE_ORACLES says. Without them the tests that need them are
 * skipped, and counted as skipped.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "uvu";
import { decodeSafetensors } from "../../bindings/saving/safetensors.ts";
import type { StoredTensor } from "../../bindings/saving/safetensors.ts";

/** An array of a case: F64 references stay in double precision, I64 is narrowed to Int32Array. */
export interface OracleTensor {
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
  readonly shape: number[];
  readonly dtype: string;
}

export interface OracleCase {
  readonly group: string;
  readonly name: string;
  /** The layer or job, in the producer's terms. */
  readonly config: any;
  /** The whole description. */
  readonly json: any;
  readonly tensors: Record<string, OracleTensor>;
}

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

function narrow({ data, shape, dtype }: StoredTensor): OracleTensor {
  if (data instanceof BigInt64Array) return { data: Int32Array.from(data, Number), shape, dtype };
  return { data: data as OracleTensor["data"], shape, dtype };
}

/** Reads one case of the format rnn-oracle/1. */
export function loadCase(group: string, name: string): OracleCase {
  const json = oracleJson(`${group}/${name}.json`);
  if (json.format !== "rnn-oracle/1")
    throw new Error(`oracles: expected rnn-oracle/1 in ${group}/${name}, got ${json.format}`);
  const { tensors } = decodeSafetensors(readFileSync(oraclePath(`${group}/${name}.safetensors`)));
  const rows = Object.entries(tensors).map(([key, tensor]) => [key, narrow(tensor)]);
  return { group, name, config: json.config, json, tensors: Object.fromEntries(rows) };
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

/** Declares one test per case of a group, those that `choose` names; one skipped test stands for all without the folder. */
export function eachCase(
  test: Test,
  group: string,
  run: (oracle: OracleCase) => void | Promise<void>,
  choose: (name: string) => boolean = () => true,
): void {
  const names = listCases(group).filter(choose);
  for (const name of names) oracleTest(test, `${group}/${name}`, () => run(loadCase(group, name)));
  if (names.length > 0) return;
  if (oracleRoot() !== undefined) throw new Error(`oracles: expected a chosen case in ${group}, got none`);
  oracleTest(test, group, () => {});
}

/**
 * Compares an array with a reference of the case. The tolerance follows the producer's own single-precision run:
 * 8·err + 2e-6·(1 + |reference|), times `slack`.
 */
export function assertOracle(oracle: OracleCase, name: string, actual: ArrayLike<number>, slack = 1): void {
  const reference = oracle.tensors[name];
  const at = `${oracle.group}/${oracle.name} ${name}`;
  if (reference === undefined)
    throw new Error(`${at}: expected a reference of that name, got ${Object.keys(oracle.tensors).join(", ")}`);
  if (actual.length !== reference.data.length) {
    throw new Error(
      `${at}: expected ${reference.data.length} elements [${reference.shape.join(", ")}], got ${actual.length}`,
    );
  }
  const own = oracle.json.f32_max_abs_err?.[name] ?? 0;
  let worst = 0;
  let where = -1;
  for (let i = 0; i < actual.length; i++) {
    const expected = reference.data[i];
    if (Object.is(actual[i], expected) || actual[i] === expected) continue;
    const ratio = Math.abs(actual[i] - expected) / (slack * (8 * own + 2e-6 * (1 + Math.abs(expected))));
    if (!(ratio <= worst)) {
      // a NaN is the worst there is
      worst = Number.isNaN(ratio) ? Infinity : ratio;
      where = i;
    }
  }
  if (worst > 1) {
    throw new Error(
      `${at}[${where}]: expected ${reference.data[where]}, got ${actual[where]}, ${worst.toFixed(1)} times the tolerance`,
    );
  }
}

/** The largest magnitude; not by spreading, which overflows the small stacks of browsers' workers. */
function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** Bounds that hold whatever the producer's own rounding was: outputs absolutely, gradients and trajectories relative to the largest. */
const BOUNDS = { output: 1e-5, gradient: 1e-4, trajectory: 1e-4 } as const;

/**
 * Holds an array to a reference of the case: to the bound of its kind, or to 8 times the error of the producer's own
 * single-precision run where that is more.
 */
export function assertWithin(
  oracle: OracleCase,
  name: string,
  actual: ArrayLike<number>,
  kind: keyof typeof BOUNDS,
): void {
  const reference = oracle.tensors[name];
  const at = `${oracle.group}/${oracle.name} ${name}`;
  if (reference === undefined)
    throw new Error(`${at}: expected a reference of that name, got ${Object.keys(oracle.tensors).join(", ")}`);
  const largest = kind === "output" ? 1 : largestOf(reference.data);
  assertNumbers(
    at,
    actual,
    reference.data,
    Math.max(BOUNDS[kind] * largest, 8 * (oracle.json.f32_max_abs_err?.[name] ?? 0)),
  );
}

/** Holds numbers to others, each within `bound`. */
export function assertNumbers(at: string, actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  if (actual?.length !== expected.length)
    throw new Error(`${at}: expected ${expected.length} numbers, got ${actual?.length}`);
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    if (!(distance <= bound))
      throw new Error(
        `${at}[${i}]: expected ${expected[i]}, got ${actual[i]}, off by ${distance} where ${bound} is allowed`,
      );
  }
}
