/** A case of PyTorch or Keras, and how close results have to come to it. */
import type { StoredTensor } from "../../bindings/saving/safetensors.ts";

/** An array of a case: F64 references stay in double precision, I64 is narrowed to Int32Array. */
export interface OracleTensor {
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
  readonly shape: number[];
  readonly dtype: string;
}

/** A case of the format rnn-oracle/1. */
export interface OracleCase {
  readonly group: string;
  readonly name: string;
  /** The layer or job, in the producer's terms. */
  readonly config: any;
  /** The whole description. */
  readonly json: any;
  readonly tensors: Record<string, OracleTensor>;
}

function narrow({ data, shape, dtype }: StoredTensor): OracleTensor {
  if (data instanceof BigInt64Array) return { data: Int32Array.from(data, Number), shape, dtype };
  return { data: data as OracleTensor["data"], shape, dtype };
}

/** A case of its description and its arrays. */
export function caseOf(
  group: string,
  name: string,
  json: any,
  stored: Readonly<Record<string, StoredTensor>>,
): OracleCase {
  if (json.format !== "rnn-oracle/1")
    throw new Error(`${group}/${name}: expected the format rnn-oracle/1, got ${json.format}`);
  const tensors = Object.fromEntries(Object.entries(stored).map(([key, tensor]) => [key, narrow(tensor)]));
  return { group, name, config: json.config, json, tensors };
}

/** Computes what a case asks, and holds it to the case. */
export type Runner = (oracle: OracleCase) => void | Promise<void>;

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
      `${at}[${where}]: expected ${reference.data[where]}, got ${actual[where]}, ` +
        `${worst.toFixed(1)} times the tolerance`,
    );
  }
}

/** The largest magnitude; not by spreading, which overflows the small stacks of browsers' workers. */
function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** Least tolerances: outputs absolutely, gradients and trajectories relative to the largest value. */
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
