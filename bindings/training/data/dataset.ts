/** The arrays of `fit`, `evaluate` and `trainOnBatch`, checked; batches are some of their rows. */
import { OptionError, ShapeError, ValueError } from "../../base/errors.ts";
import { checkOptions, checkRecord, type Defaults } from "../../base/options.ts";
import { shown } from "../../base/formatting.ts";
import { checkFinite, isArrayInput, normalize, type ArrayInput, type Normalized } from "../../base/ndarray.ts";
import { flattenArguments, type FlatArguments, type Structure } from "../../graph/pytree.ts";
import { describe } from "../../base/shape.ts";
import type { InputConfig } from "../../module/config.ts";
import {
  columnsOf,
  inputArrays,
  namedArrays,
  rowsOf,
  stepArrays,
  type ModelInput,
  type StepOptions,
} from "../../inference/model_inputs.ts";
import { mapOutputs, namedOutputs, type PerOutput } from "../per_output.ts";

/** Targets: one array, or a list or a record of them as the outputs of the model are. */
export type Targets = PerOutput<ArrayInput>;

/** Options of a batch or of whole data: which steps count, and weights in the loss. */
export interface BatchOptions extends StepOptions {
  /**
   * Weight of each sample [batch] or step [batch, time] in the loss; one array for all outputs, or a list or a record of them.
   * @default 1 for all
   */
  sampleWeight?: Targets | undefined;
  /** Weight of each class in the loss, by class number; 1 for classes that are not named. Not in validations. @default 1 for all */
  classWeight?: ClassWeight | undefined;
}

/** Weights by class number. */
export type ClassWeight = Readonly<Record<number, number>>;

export const BATCH_DEFAULTS = {
  lengths: undefined,
  mask: undefined,
  sampleWeight: undefined,
  classWeight: undefined,
} satisfies Defaults<BatchOptions>;

type ListStructure = Extract<Structure, { kind: "list" }>;

interface Arrays {
  readonly x: readonly Normalized[];
  readonly y: PerOutput<Normalized>;
  readonly steps: Readonly<Record<string, Normalized>>;
  readonly sampleWeight: PerOutput<Normalized> | undefined;
}

const isOne = (value: unknown): boolean => typeof value === "object" && value !== null && "dtype" in value;

/** Arrays with one row per sample. */
export class Dataset {
  /** Whose argument it is, for errors: "fit". */
  readonly subject: string;
  readonly rows: number;
  private readonly arrays: Arrays;
  private readonly classWeight: ClassWeight | undefined;
  private named: readonly [name: string, array: Normalized][] | undefined;
  private signature: string | undefined;

  private constructor(subject: string, arrays: Arrays, classWeight: ClassWeight | undefined) {
    this.subject = subject;
    this.rows = arrays.x[0].shape[0];
    this.arrays = arrays;
    this.classWeight = classWeight;
  }

  /** @throws ShapeError, ValueError, OptionError naming the argument that is wrong */
  static of(
    x: ModelInput,
    y: Targets,
    options: BatchOptions,
    subject: string,
    inputs?: readonly InputConfig[],
  ): Dataset {
    checkOptions(subject, options, BATCH_DEFAULTS);
    const { sampleWeight, classWeight } = options;
    const arrays = inputArrays(x, `${subject}: x`, inputs);
    const rows = arrays[0].shape[0];
    const targets = each(y, `${subject}: y`, (array, path) => {
      const target = normalize(array, `${subject}: y${path}`);
      if (target.dtype === "f32") checkFinite(target, `${subject}: y${path}`);
      if (target.shape[0] !== rows)
        throw new ShapeError(
          `${subject}: expected y${path} with ${rows} rows as x ${describe(arrays[0].shape)}, got ${describe(target.shape)}`,
        );
      return target;
    });
    if (sampleWeight !== undefined && classWeight !== undefined)
      throw new OptionError(`${subject}: expected sampleWeight or classWeight, got both`);
    if (classWeight !== undefined && !isOne(targets))
      throw new OptionError(
        `${subject}: expected classWeight with one output, got it with several; give a sampleWeight for each`,
      );
    const weights =
      sampleWeight === undefined
        ? undefined
        : each(sampleWeight, `${subject}: sampleWeight`, (array, path) => sampleWeights(rows, array, subject, path));
    return new Dataset(
      subject,
      { x: arrays, y: targets, steps: stepArrays(options, arrays[0].shape, subject), sampleWeight: weights },
      checkedClassWeight(options, subject),
    );
  }

  /** Every array with its name, in the order of the inputs of a program for {@link arguments}. */
  get sources(): readonly [name: string, array: Normalized][] {
    return (this.named ??= this.listArrays());
  }

  private listArrays(): [name: string, array: Normalized][] {
    const { x, y, steps, sampleWeight } = this.arrays;
    const named: Record<string, Normalized> = {};
    mapOutputs(y, isOne, (array, path) => {
      named[`y${path}`] = array;
    });
    Object.assign(named, steps);
    if (sampleWeight)
      mapOutputs(sampleWeight, isOne, (array, path) => {
        named[`sampleWeight${path}`] = array;
      });
    return namedArrays(this.subject, x, named);
  }

  private map(pick: (array: Normalized) => Normalized, steps = mapRecord(this.arrays.steps, pick)): Dataset {
    const { x, y, sampleWeight } = this.arrays;
    const arrays = {
      x: x.map(pick),
      y: mapOutputs(y, isOne, pick),
      steps,
      sampleWeight: sampleWeight && mapOutputs(sampleWeight, isOne, pick),
    };
    return new Dataset(this.subject, arrays, this.classWeight);
  }

  /** Rows start…end − 1, without a copy. */
  slice(start: number, end: number): Dataset {
    if (start === 0 && end === this.rows) return this;
    return this.map((array) => rowsOf(array, start, end));
  }

  /** Copies of the given rows. */
  pick(order: Int32Array): Dataset {
    return this.map(({ data, shape, dtype }) => {
      const width = data.length / shape[0];
      const out = dtype === "i32" ? new Int32Array(order.length * width) : new Float32Array(order.length * width);
      order.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width), i * width));
      return { data: out, shape: [order.length, ...shape.slice(1)], dtype };
    });
  }

  /** Steps of the sequences: extent of the second axis. */
  get time(): number {
    return this.arrays.x[0].shape[1];
  }

  /**
   * Copies of steps start…end − 1, of those there are, in everything that has steps; undefined when no row has a valid one.
   *
   * @throws ShapeError for targets that are not one per step
   */
  window(start: number, after: number): Dataset | undefined {
    const {
      x: [
        {
          shape: [, time],
        },
      ],
      y,
      steps,
    } = this.arrays;
    mapOutputs(y, isOne, ({ shape }, path) => {
      if (shape[1] !== time)
        throw new ShapeError(
          `${this.subject}: expected y${path} [batch, ${time}, ..] with truncate, one target per step, got ${describe(shape)}`,
        );
    });
    const end = Math.min(after, time);
    const cut = (array: Normalized): Normalized => (array.shape[1] === time ? columnsOf(array, start, end) : array);
    const lengths = steps.lengths && {
      ...steps.lengths,
      data: Int32Array.from(steps.lengths.data, (length) => Math.min(Math.max(length - start, 0), end - start)),
    };
    const mask = steps.mask && cut(steps.mask);
    if ((lengths ?? mask)?.data.every((valid) => valid === 0)) return undefined;
    return this.map(cut, { ...(lengths && { lengths }), ...(mask && { mask }) });
  }

  /** The same without class weights, which do not count in a validation. */
  get unweighted(): Dataset {
    return new Dataset(this.subject, this.arrays, undefined);
  }

  /** Names, types and shapes of the arrays, but for rows, and class weights: what a program is made for. */
  private get programKey(): string {
    return (this.signature ??= this.sign());
  }

  /** Put together by hand, which takes half the time of JSON (measured). */
  private sign(): string {
    let signature = this.classWeight ? JSON.stringify(this.classWeight) : "";
    for (const [name, { dtype, shape }] of this.sources) {
      signature += ` ${name.length} ${name} ${dtype}`; // the length, since names may hold anything
      for (let axis = 1; axis < shape.length; axis++) signature += ` ${shape[axis]}`;
    }
    return signature;
  }

  /** Arguments of a step function for rows start…end − 1: (x, y, steps, sampleWeight, classWeight). */
  arguments(start = 0, end = this.rows): FlatArguments {
    return new StepArguments(`${end - start} ${this.programKey}`, () => {
      const { x, y, steps, sampleWeight } = this.slice(start, end).arrays;
      const { leaves, structure, key } = flattenArguments([x, y, steps, sampleWeight], this.subject);
      const items = [...(structure as ListStructure).items, { kind: "static", value: this.classWeight } as const];
      return { leaves, structure: { kind: "list", items }, key };
    });
  }
}

/** Arguments that are taken apart only when a program has to be made: of a small step that would be a twentieth (measured). */
class StepArguments implements FlatArguments {
  readonly key: string;
  private readonly flatten: () => FlatArguments;
  private flat: FlatArguments | undefined;

  constructor(key: string, flatten: () => FlatArguments) {
    this.key = key;
    this.flatten = flatten;
  }

  get leaves(): FlatArguments["leaves"] {
    return (this.flat ??= this.flatten()).leaves;
  }

  get structure(): FlatArguments["structure"] {
    return (this.flat ??= this.flatten()).structure;
  }
}

const mapRecord = (record: Arrays["steps"], fn: (array: Normalized) => Normalized): Record<string, Normalized> =>
  Object.fromEntries(Object.entries(record).map(([name, array]) => [name, fn(array)]));

/** Reads each array, one or several. @param read  also gets the path of the array, as {@link mapOutputs} gives it @throws ValueError when there is none */
function each(
  given: Targets,
  name: string,
  read: (array: ArrayInput, path: string) => Normalized,
): PerOutput<Normalized> {
  const arrays = mapOutputs(given, isArrayInput, read);
  if (namedOutputs(arrays, isOne).length === 0)
    throw new ValueError(`${name}: expected an array, or a list or a record of arrays, got an empty one`);
  return arrays;
}

function sampleWeights(rows: number, given: ArrayInput, subject: string, path: string): Normalized {
  const array = normalize(given, `${subject}: sampleWeight${path}`);
  const floats: Normalized =
    array.dtype === "f32" ? array : { ...array, data: Float32Array.from(array.data), dtype: "f32" };
  if (floats.shape[0] !== rows)
    throw new ShapeError(`${subject}: expected sampleWeight${path} with ${rows} rows, got ${describe(floats.shape)}`);
  checkFinite(floats, `${subject}: sampleWeight${path}`);
  return floats;
}

/** A copy of the class weights. @throws OptionError for a name that is no class number, ValueError for a weight that is not finite */
function checkedClassWeight({ classWeight }: BatchOptions, subject: string): ClassWeight | undefined {
  if (classWeight === undefined) return undefined;
  checkRecord(`${subject}: classWeight`, classWeight);
  for (const [label, weight] of Object.entries(classWeight)) {
    if (!/^\d+$/.test(label))
      throw new OptionError(`${subject}: expected classWeight by class numbers, got "${label}"`);
    if (!Number.isFinite(weight))
      throw new ValueError(`${subject}: expected finite class weights, got ${shown(weight)} for class ${label}`);
  }
  return { ...classWeight };
}
