/** What `fit`, `evaluate` and `trainOnBatch` are given, as arrays that batches are cut from. */
import { OptionError, ShapeError, ValueError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkFinite, normalize, type ArrayInput, type Normalized } from "../program/array.ts";
import type { FlatArguments } from "../program/tree.ts";
import { flattenArguments } from "../program/tree.ts";
import { describe } from "../program/tensor.ts";
import { inputArrays, namedArrays, rowsOf, stepArrays, type ModelInput, type StepOptions } from "./inputs.ts";

export interface BatchOptions extends StepOptions {
  /** Weight of each sample [batch] or step [batch, time] in the loss. */
  sampleWeight?: ArrayInput | undefined;
  /** Weight of each class in the loss, by class number; others weigh 1. */
  classWeight?: Readonly<Record<number, number>> | undefined;
}

const OPTIONS = ["lengths", "mask", "sampleWeight", "classWeight"];

/** Arrays with one row per sample. */
export class Dataset {
  /** Who was given them, for errors: "fit". */
  readonly subject: string;
  readonly rows: number;
  private readonly x: readonly Normalized[];
  private readonly y: Normalized;
  private readonly steps: Record<string, Normalized>;
  private readonly sampleWeight: Normalized | undefined;
  /** As JSON: it belongs to the program, not to its inputs. */
  private readonly classWeight: string | undefined;

  private constructor(
    subject: string, x: readonly Normalized[], y: Normalized, steps: Record<string, Normalized>, sampleWeight: Normalized | undefined, classWeight: string | undefined,
  ) {
    this.subject = subject;
    this.rows = y.shape[0];
    this.x = x;
    this.y = y;
    this.steps = steps;
    this.sampleWeight = sampleWeight;
    this.classWeight = classWeight;
  }

  /** @throws ShapeError, ValueError, OptionError naming the argument that is wrong */
  static of(x: ModelInput, y: ArrayInput, options: BatchOptions, subject: string): Dataset {
    checkOptions(subject, options, OPTIONS);
    const inputs = inputArrays(x, `${subject}: x`);
    const targets = normalize(y, `${subject}: y`);
    if (targets.dtype === "f32") checkFinite(targets, `${subject}: y`);
    const rows = inputs[0].shape[0];
    if (targets.shape[0] !== rows) {
      throw new ShapeError(`${subject}: expected y with ${rows} rows as x ${describe(inputs[0].shape)}, got ${describe(targets.shape)}`);
    }
    if (options.sampleWeight !== undefined && options.classWeight !== undefined) throw new OptionError(`${subject}: expected sampleWeight or classWeight, got both`);
    return new Dataset(subject, inputs, targets, stepArrays(options, inputs[0].shape, subject), sampleWeights(rows, options, subject), classWeights(options, subject));
  }

  /** Every array with its name, in the order of the inputs of a program for {@link flatten}. */
  get sources(): readonly [name: string, array: Normalized][] {
    const { x, y, steps, sampleWeight } = this;
    return namedArrays(this.subject, x, { y, ...steps, ...(sampleWeight ? { sampleWeight } : {}) });
  }

  private over(pick: (array: Normalized) => Normalized): Dataset {
    const steps = Object.fromEntries(Object.entries(this.steps).map(([name, array]) => [name, pick(array)]));
    return new Dataset(this.subject, this.x.map(pick), pick(this.y), steps, this.sampleWeight && pick(this.sampleWeight), this.classWeight);
  }

  /** Rows start…end − 1, without a copy. */
  slice(start: number, end: number): Dataset {
    return this.over((array) => rowsOf(array, start, end));
  }

  /** Copies of the given rows. */
  pick(order: Int32Array): Dataset {
    return this.over(({ data, shape, dtype }) => {
      const width = data.length / shape[0];
      const out = dtype === "i32" ? new Int32Array(order.length * width) : new Float32Array(order.length * width);
      order.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width), i * width));
      return { data: out, shape: [order.length, ...shape.slice(1)], dtype };
    });
  }

  /** Arguments of the step function: (x, y, steps, { sampleWeight, classWeight }). */
  flatten(): FlatArguments {
    const { x, y, steps, sampleWeight, classWeight } = this;
    return flattenArguments([x, y, steps, { sampleWeight, classWeight }], this.subject);
  }
}

function sampleWeights(rows: number, { sampleWeight }: BatchOptions, subject: string): Normalized | undefined {
  if (sampleWeight === undefined) return undefined;
  const array = normalize(sampleWeight, `${subject}: sampleWeight`);
  const floats: Normalized = array.dtype === "f32" ? array : { ...array, data: Float32Array.from(array.data), dtype: "f32" };
  if (floats.shape[0] !== rows) throw new ShapeError(`${subject}: expected sampleWeight with ${rows} rows, got ${describe(floats.shape)}`);
  checkFinite(floats, `${subject}: sampleWeight`);
  return floats;
}

function classWeights({ classWeight }: BatchOptions, subject: string): string | undefined {
  if (classWeight === undefined) return undefined;
  for (const [label, weight] of Object.entries(classWeight)) {
    if (!Number.isFinite(weight)) throw new ValueError(`${subject}: expected finite class weights, got ${weight} for class ${label}`);
  }
  return JSON.stringify(classWeight);
}
