/** Batches of a stream that the caller provides. */
import { OptionError, ValueError } from "../../base/errors.ts";
import { checkRecord } from "../../base/options.ts";
import { isArrayInput, isTypedArray } from "../../base/ndarray.ts";
import type { ModelInput } from "../../inference/model_inputs.ts";
import type { InputConfig } from "../../module/config.ts";
import { range, type Batch, type Batches } from "./batch.ts";
import { Dataset, type BatchOptions, type Targets } from "./dataset.ts";

/** One batch of a stream: inputs, targets, and options such as lengths or sample weights. */
export type BatchItem = readonly [x: ModelInput, y: Targets, options?: BatchOptions];

/** A {@link BatchItem}, or what TypeScript takes one for where a generator has no type of its own: a list. */
export type BatchItemLike = BatchItem | readonly (ModelInput | Targets | BatchOptions)[];

/**
 * Batches that need not fit into memory together: a generator or anything else that can be iterated over, also
 * asynchronously. A generator runs only once; for several epochs pass a function that returns a new one, or set
 * `stepsPerEpoch`.
 */
export type BatchStream =
  | Iterable<BatchItemLike>
  | AsyncIterable<BatchItemLike>
  | (() => Iterable<BatchItemLike> | AsyncIterable<BatchItemLike>);

/** Whether x is a stream of batches; arrays and lists of arrays are data. */
export function isStream(x: unknown): x is BatchStream {
  if (typeof x === "function") return true;
  if (typeof x !== "object" || x === null || Array.isArray(x) || isTypedArray(x) || isArrayInput(x)) return false;
  return Symbol.asyncIterator in x || Symbol.iterator in x;
}

type AnyIterator = Iterator<BatchItemLike> | AsyncIterator<BatchItemLike>;

export interface StreamBatchesOptions {
  /** Batches per epoch; all until the end when absent. */
  readonly steps: number | undefined;
  /** The option that `steps` comes from, for errors. */
  readonly option: "stepsPerEpoch" | "validationSteps" | "steps";
  /** How many epochs will be run. */
  readonly epochs: number;
  /** Class weights for every batch that gives none itself. */
  readonly classWeight?: BatchOptions["classWeight"];
  /** What the model takes, where that is known. */
  readonly inputs: readonly InputConfig[] | undefined;
}

/** An iterator that can be run only once goes on from epoch to epoch. */
export class StreamBatches implements Batches {
  readonly count: number | undefined;
  private readonly subject: string;
  private readonly stream: BatchStream;
  private readonly classWeight: BatchOptions["classWeight"];
  private readonly inputs: readonly InputConfig[] | undefined;
  /** The iterator of a stream that can be run only once. */
  private readonly only: AnyIterator | undefined;

  /** @throws OptionError for several epochs of a stream that can be run only once, without the number of batches per epoch */
  constructor(
    subject: string,
    stream: BatchStream,
    { steps, option, epochs, classWeight, inputs }: StreamBatchesOptions,
  ) {
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
      const iterable = given as Partial<Iterable<BatchItemLike> & AsyncIterable<BatchItemLike>>;
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
    const data = Dataset.of(x, y, { ...options, classWeight }, subject, this.inputs);
    return { data, rows: range(data.rows), weight: data.rows };
  }
}

/** Whether a stream is its own iterator, as generators are: then it can be run only once. */
function isIterator(
  stream: Iterable<BatchItemLike> | AsyncIterable<BatchItemLike>,
): stream is (Iterable<BatchItemLike> | AsyncIterable<BatchItemLike>) & AnyIterator {
  return typeof (stream as Partial<AnyIterator>).next === "function";
}

/** The next item of an iterator. @param failed  called when the iterator throws, after which it must not be called again */
async function next(iterator: AnyIterator, failed: () => void): Promise<IteratorResult<BatchItemLike>> {
  try {
    return await iterator.next();
  } catch (error) {
    failed();
    throw error;
  }
}
