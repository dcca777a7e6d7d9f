/** Where the batches of a training or an evaluation come from: arrays that they are cut from, or a stream of the caller's. */
import { OptionError, ValueError } from "../../base/errors.ts";
import { checkRecord } from "../../base/options.ts";
import { isArrayInput, isTypedArray } from "../../base/ndarray.ts";
import type { InputConfig } from "../../module/config.ts";
import type { Random } from "../../base/random.ts";
import { Dataset, type BatchOptions, type Targets } from "./dataset.ts";
import type { ModelInput } from "../../inference/model_inputs.ts";

/** One batch of a stream: inputs, targets, and what else belongs to them. */
export type BatchItem = readonly [x: ModelInput, y: Targets, options?: BatchOptions];

/**
 * Batches one after the other, that need not fit into memory together: a generator, or anything else that can be iterated
 * over, also asynchronously; or a function that gives one, and is called again for every epoch.
 */
export type BatchStream =
  Iterable<BatchItem> | AsyncIterable<BatchItem> | (() => Iterable<BatchItem> | AsyncIterable<BatchItem>);

/** Some rows of arrays. */
export interface Batch {
  readonly data: Dataset;
  readonly rows: Int32Array;
  /** Number of this window of longer sequences, whose states it goes on with. */
  readonly window?: number;
}

/** What an epoch goes through. */
export interface Batches {
  /** How many an epoch has; undefined when only its end tells. */
  readonly count: number | undefined;
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>;
  /** Says that no further epoch comes. */
  close(): Promise<void>;
}

/** Whole numbers from 0 to n − 1. */
export function range(n: number): Int32Array {
  const numbers = new Int32Array(n);
  for (let i = 0; i < n; i++) numbers[i] = i;
  return numbers;
}

/** Whether x is a stream of batches; arrays and lists of arrays are data. */
export function isStream(x: unknown): x is BatchStream {
  if (typeof x === "function") return true;
  if (typeof x !== "object" || x === null || Array.isArray(x) || isTypedArray(x) || isArrayInput(x)) return false;
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

/** Batches of arrays, in order or in another order every epoch. */
export class ArrayBatches implements Batches {
  readonly data: Dataset;
  readonly size: number;
  readonly count: number;
  private readonly shuffle: ((epoch: number) => Random) | undefined;

  /**
   * @param steps    batches of an epoch; all there are when absent
   * @param shuffle  gives the random numbers of an epoch's order
   */
  constructor(
    data: Dataset,
    size: number,
    {
      steps,
      shuffle,
      option = "stepsPerEpoch",
    }: { steps?: number | undefined; shuffle?: (epoch: number) => Random; option?: string } = {},
  ) {
    const all = Math.ceil(data.rows / size);
    if (steps !== undefined && steps > all)
      throw new OptionError(`${data.subject}: expected ${option} of at most ${all} as there are batches, got ${steps}`);
    this.data = data;
    this.size = size;
    this.count = steps ?? all;
    this.shuffle = shuffle;
  }

  *epoch(epoch: number): Generator<Batch> {
    const order = range(this.data.rows);
    this.shuffle?.(epoch).shuffle(order);
    for (let n = 0; n < this.count; n++)
      yield { data: this.data, rows: order.subarray(n * this.size, (n + 1) * this.size) };
  }

  async close(): Promise<void> {}
}

type AnyIterator = Iterator<BatchItem> | AsyncIterator<BatchItem>;

export interface StreamOptions {
  /** Batches of an epoch; all until the end when absent. */
  readonly steps: number | undefined;
  /** The option that says so. */
  readonly option: "stepsPerEpoch" | "validationSteps" | "steps";
  readonly epochs: number;
  /** Weights of classes in every batch. */
  readonly classWeight?: BatchOptions["classWeight"];
  /** What the model takes, where that is known. */
  readonly inputs?: readonly InputConfig[] | undefined;
}

/** Batches of a stream. One that can be iterated over only once goes on from epoch to epoch. */
export class StreamBatches implements Batches {
  readonly count: number | undefined;
  private readonly subject: string;
  private readonly stream: BatchStream;
  private readonly classWeight: BatchOptions["classWeight"];
  private readonly inputs: readonly InputConfig[] | undefined;
  /** Of a stream that has only this one. */
  private readonly only: AnyIterator | undefined;

  /** @throws OptionError for several epochs of a stream that ends once, without the number of batches of an epoch */
  constructor(subject: string, stream: BatchStream, { steps, option, epochs, classWeight, inputs }: StreamOptions) {
    this.subject = subject;
    this.stream = stream;
    this.count = steps;
    this.classWeight = classWeight;
    this.inputs = inputs;
    if (typeof stream !== "function" && isIterator(stream)) this.only = stream;
    if (this.only && steps === undefined && epochs > 1) {
      throw new OptionError(
        `${subject}: expected ${option}, or a function that gives the batches anew, for ${epochs} epochs of an iterator that ends once, got neither`,
      );
    }
  }

  async *epoch(epoch: number): AsyncGenerator<Batch> {
    const iterator = this.only ?? this.open();
    let finished = false;
    try {
      let n = 0;
      for (; n !== this.count; n++) {
        const { done, value } = await next(iterator, () => (finished = true));
        if (done) {
          finished = true;
          break;
        }
        yield this.batch(value, `${this.subject}: batch ${n + 1} of epoch ${epoch + 1}`);
      }
      if (n === 0 || (this.count !== undefined && n < this.count)) {
        throw new ValueError(
          `${this.subject}: expected ${this.count ?? "at least one"} batch${this.count === undefined || this.count === 1 ? "" : "es"} in epoch ${epoch + 1}, got ${n || "none"} before the iterator ended`,
        );
      }
      if (this.only) finished = true; // the next epoch goes on with it
    } finally {
      if (!finished) await iterator.return?.();
    }
  }

  async close(): Promise<void> {
    await this.only?.return?.();
  }

  private open(): AnyIterator {
    const { stream, subject } = this;
    const given: unknown = typeof stream === "function" ? stream() : stream;
    if (typeof given === "object" && given !== null && !isTypedArray(given)) {
      const iterable = given as Partial<Iterable<BatchItem> & AsyncIterable<BatchItem>>;
      const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
      if (iterator) return iterator;
    }
    const got = given instanceof Promise ? "a promise" : given === null ? "null" : typeof given;
    throw new OptionError(
      `${subject}: expected a function that gives something to iterate over, got one that gives ${got}`,
    );
  }

  private batch(item: unknown, subject: string): Batch {
    if (!Array.isArray(item) || item.length < 2 || item.length > 3) {
      throw new ValueError(
        `${subject}: expected [x, y] or [x, y, options], got ${Array.isArray(item) ? `a list of ${item.length}` : item === null ? "null" : typeof item}`,
      );
    }
    const [x, y, options = {}] = item as unknown as BatchItem;
    checkRecord(subject, options);
    const classWeight = options.classWeight ?? this.classWeight;
    const data = Dataset.of(
      x,
      y,
      classWeight === undefined ? options : { ...options, classWeight },
      subject,
      this.inputs,
    );
    return { data, rows: range(data.rows) };
  }
}

/** Whether a stream is its own iterator, as generators are: it can be iterated over only once. */
function isIterator(
  stream: Iterable<BatchItem> | AsyncIterable<BatchItem>,
): stream is (Iterable<BatchItem> | AsyncIterable<BatchItem>) & AnyIterator {
  return typeof (stream as Partial<AnyIterator>).next === "function";
}

/** The next of an iterator; `failed` is told when it throws, after which it must be left alone. */
async function next(iterator: AnyIterator, failed: () => void): Promise<IteratorResult<BatchItem>> {
  try {
    return await iterator.next();
  } catch (error) {
    failed();
    throw error;
  }
}
