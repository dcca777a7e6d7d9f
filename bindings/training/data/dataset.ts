/** What `fit`, `evaluate` and `trainOnBatch` are given, as arrays that batches are cut from. */
import { OptionError, ShapeError, ValueError } from "../../base/errors.ts";
import { checkOptions, checkRecord } from "../../base/options.ts";
import { shown } from "../../base/formatting.ts";
import { checkFinite, isArrayInput, normalize, type ArrayInput, type Normalized } from "../../base/ndarray.ts";
import type { FlatArguments } from "../../graph/pytree.ts";
import { flattenArguments } from "../../graph/pytree.ts";
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
import { mapSeveral, namedParts, type Several } from "../per_output.ts";

/** Targets: one array, or a list or a record of them as the outputs of the model are. */
export type Targets = Several<ArrayInput>;

/** What belongs to x and y: steps that count, and weights. */
export interface BatchOptions extends StepOptions {
  /** Weight of each sample [batch] or step [batch, time] in the loss; one for all outputs, or a list or a record of them. */
  sampleWeight?: Targets | undefined;
  /** Weight of each class in the loss, by class number; others weigh 1. */
  classWeight?: Readonly<Record<number, number>> | undefined;
}

const OPTIONS = ["lengths", "mask", "sampleWeight", "classWeight"];

/** What makes a dataset. */
interface Arrays {
  readonly x: readonly Normalized[];
  readonly y: Several<Normalized>;
  readonly steps: Readonly<Record<string, Normalized>>;
  readonly sampleWeight: Several<Normalized> | undefined;
}

const isOne = (value: unknown): boolean => typeof value === "object" && value !== null && "dtype" in value;

/** Arrays with one row per sample. */
export class Dataset {
  /** Who was given them, for errors: "fit". */
  readonly subject: string;
  readonly rows: number;
  private readonly arrays: Arrays;
  /** As JSON: it belongs to the program, not to its inputs. */
  private readonly classWeight: string | undefined;
  private named: readonly [name: string, array: Normalized][] | undefined;
  private formed: string | undefined;

  private constructor(subject: string, arrays: Arrays, classWeight: string | undefined) {
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
    checkOptions(subject, options, OPTIONS);
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
      classWeights(options, subject),
    );
  }

  /** Every array with its name, in the order of the inputs of a program for {@link arguments}. */
  get sources(): readonly [name: string, array: Normalized][] {
    return (this.named ??= this.list());
  }

  private list(): [name: string, array: Normalized][] {
    const { x, y, steps, sampleWeight } = this.arrays;
    const named: Record<string, Normalized> = {};
    mapSeveral(y, isOne, (array, path) => {
      named[`y${path}`] = array;
    });
    Object.assign(named, steps);
    if (sampleWeight)
      mapSeveral(sampleWeight, isOne, (array, path) => {
        named[`sampleWeight${path}`] = array;
      });
    return namedArrays(this.subject, x, named);
  }

  private over(pick: (array: Normalized) => Normalized, steps = mapRecord(this.arrays.steps, pick)): Dataset {
    const { x, y, sampleWeight } = this.arrays;
    const arrays = {
      x: x.map(pick),
      y: mapSeveral(y, isOne, pick),
      steps,
      sampleWeight: sampleWeight && mapSeveral(sampleWeight, isOne, pick),
    };
    return new Dataset(this.subject, arrays, this.classWeight);
  }

  /** Rows start…end − 1, without a copy. */
  slice(start: number, end: number): Dataset {
    if (start === 0 && end === this.rows) return this;
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

  /** Steps of the sequences: extent of the axis behind the rows. */
  get time(): number {
    return this.arrays.x[0].shape[1];
  }

  /**
   * Copies of steps start…end − 1 of everything that has steps; undefined when no row has a valid one.
   *
   * @throws ShapeError for targets that are not one per step
   */
  window(start: number, end: number): Dataset | undefined {
    const {
      x: [
        {
          shape: [, time],
        },
      ],
      y,
      steps,
    } = this.arrays;
    mapSeveral(y, isOne, ({ shape }, path) => {
      if (shape[1] !== time)
        throw new ShapeError(
          `${this.subject}: expected y${path} [batch, ${time}, ..] with truncate, one target per step, got ${describe(shape)}`,
        );
    });
    const cut = (array: Normalized): Normalized => (array.shape[1] === time ? columnsOf(array, start, end) : array);
    const lengths = steps.lengths && {
      ...steps.lengths,
      data: Int32Array.from(steps.lengths.data, (length) => Math.min(Math.max(length - start, 0), end - start)),
    };
    const mask = steps.mask && cut(steps.mask);
    if ((lengths ?? mask)?.data.every((valid) => valid === 0)) return undefined;
    return this.over(cut, { ...(lengths && { lengths }), ...(mask && { mask }) });
  }

  /** Without weights of classes, which do not count in a validation. */
  get unweighted(): Dataset {
    return new Dataset(this.subject, this.arrays, undefined);
  }

  /** All that one program is for, but for the number of rows. */
  private get form(): string {
    return (this.formed ??= this.describe());
  }

  /** Names and shapes of the arrays; put together by hand, which takes half the time of JSON (measured). */
  private describe(): string {
    let form = this.classWeight ?? "";
    for (const [name, { dtype, shape }] of this.sources) {
      form += ` ${name.length} ${name} ${dtype}`; // the length, since names may hold anything
      for (let axis = 1; axis < shape.length; axis++) form += ` ${shape[axis]}`;
    }
    return form;
  }

  /** Arguments of the step function for rows start…end − 1: (x, y, steps, { sampleWeight, classWeight }). */
  arguments(start = 0, end = this.rows): FlatArguments {
    return new StepArguments(`${end - start} ${this.form}`, () => {
      const { x, y, steps, sampleWeight } = this.slice(start, end).arrays;
      return flattenArguments([x, y, steps, { sampleWeight, classWeight: this.classWeight }], this.subject);
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

/** Each array that was given, by a reader that is told where it stands. @throws ValueError when there is none */
function each(
  given: Targets,
  name: string,
  read: (array: ArrayInput, path: string) => Normalized,
): Several<Normalized> {
  const arrays = mapSeveral(given, isArrayInput, read);
  if (namedParts(arrays, isOne).length === 0)
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

function classWeights({ classWeight }: BatchOptions, subject: string): string | undefined {
  if (classWeight === undefined) return undefined;
  checkRecord(`${subject}: classWeight`, classWeight);
  for (const [label, weight] of Object.entries(classWeight)) {
    if (!/^\d+$/.test(label))
      throw new OptionError(`${subject}: expected classWeight by class numbers, got "${label}"`);
    if (!Number.isFinite(weight))
      throw new ValueError(`${subject}: expected finite class weights, got ${shown(weight)} for class ${label}`);
  }
  return JSON.stringify(classWeight);
}
