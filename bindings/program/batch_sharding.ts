/** Batches on several threads: each thread computes some of the rows. On one thread nothing in here runs. */
import type { FlatArguments } from "../graph/pytree.ts";
import { writeRandomState, type Compiled, type Root, type TracedFunction } from "./traced_function.ts";
import { Program } from "./program.ts";
import { NeedsWholeBatch } from "../graph/shard.ts";

/** Rows of a batch, with the program that computes them. */
export interface BatchPart<E> {
  readonly compiled: Compiled<E>;
  readonly start: number;
  readonly end: number;
}

/** Arguments of rows start…end − 1 of a batch. */
export type SliceRows = (start: number, end: number) => FlatArguments;

/** Multiply-adds of a thread below which waking it costs more than it saves: some 50 microseconds of forward work. */
const WORTH = 1e6;

/** Steps of a row: [batch, time] tokens, [batch, time, features], or one step of features. */
const stepsOf = ({ leaves: [{ shape, dtype }] }: FlatArguments): number =>
  shape.length > 2 || (dtype === "i32" && shape.length > 1) ? shape[1] : 1;

/** Weights that every step of a row is multiplied with; tables are only looked up in. */
const weightsOf = (root: Root): number =>
  root.parameters().reduce((sum, [name, { size }]) => (name.endsWith("embeddings") ? sum : sum + size), 0);

/** How far numbers of a divided batch may be from those of the whole one, as a share of the largest: far more than rounding makes. */
const TOLERANCE = 1e-4;

/** Whether two results are the same but for rounding. */
export function nearlyEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  let largest = 1e-3;
  let distance = 0;
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) continue; // what is not finite is found elsewhere
    largest = Math.max(largest, Math.abs(a[i]), Math.abs(b[i]));
    distance = Math.max(distance, Math.abs(a[i] - b[i]));
  }
  return distance <= TOLERANCE * largest;
}

let warned = false;

export class BatchSharder<E> {
  private readonly root: Root;
  private readonly makeShard: (index: number) => TracedFunction<E>;
  private readonly shardFunctions: TracedFunction<E>[] = [];
  private readonly counts = new Map<string, number>();
  private indivisible = false;
  private confirmed: boolean;

  /**
   * @param makeShard  makes the function for part `index` of a batch
   * @param rowwise    whether rows are known to be independent of each other; otherwise {@link confirm} compares
   */
  constructor(root: Root, makeShard: (index: number) => TracedFunction<E>, rowwise: boolean) {
    this.root = root;
    this.confirmed = rowwise;
    this.makeShard = makeShard;
  }

  /** Threads there are. */
  get threads(): number {
    return this.root.backend.pool?.threads ?? 1;
  }

  /** A program for the rows of each thread; undefined when the batch is not worth it or cannot be divided. */
  shards(rows: number, slice: SliceRows): BatchPart<E>[] | undefined {
    const count = this.count(rows, slice);
    if (count === 1) return undefined;
    try {
      const parts = Array.from({ length: count }, (_, i) => {
        const [start, end] = [Math.ceil((rows * i) / count), Math.ceil((rows * (i + 1)) / count)];
        this.shardFunctions[i] ??= this.makeShard(i);
        return { compiled: this.shardFunctions[i].compile(slice(start, end)), start, end };
      });
      const fit = parts.every(({ compiled: { program } }) => !program.disposed); // one may have made room for another
      return fit ? parts : undefined;
    } catch (error) {
      if (!(error instanceof NeedsWholeBatch)) throw error;
      this.indivisible = true;
      return undefined;
    }
  }

  /** Runs the programs of a batch, whose inputs are written. @throws WorkerError */
  run(parts: readonly BatchPart<E>[]): void {
    const programs = parts.map(({ compiled: { program } }) => program);
    const { randomState } = this.root;
    const { counter } = randomState;
    writeRandomState(
      this.root,
      programs,
      parts.map(({ start }) => start),
    );
    try {
      Program.runInParallel(this.root.backend.pool!, programs);
    } catch (error) {
      randomState.counter = counter; // as if it had not run
      throw error;
    }
  }

  /**
   * Whether what the parts of the first divided batch gave may be taken.
   *
   * @param check  whether they agree with the whole batch; asked once, and when they do not no batch is divided any more
   */
  confirm(check: () => boolean): boolean {
    if (this.confirmed) return true;
    this.confirmed = true;
    const { randomState } = this.root;
    const { counter } = randomState;
    this.indivisible = !check();
    randomState.counter = counter;
    if (this.indivisible && !warned) {
      warned = true;
      console.warn(
        "gatewise: expected rows of a batch to be independent of each other, got a model in which they are not; it runs on one thread",
      );
    }
    return !this.indivisible;
  }

  /** Frees its programs; a later call makes new ones. */
  dispose(): void {
    for (const traced of this.shardFunctions) traced.dispose();
  }

  /** How many parts a batch is worth. It depends on sizes only, so that the same work is always divided in the same way. */
  private count(rows: number, slice: SliceRows): number {
    const { threads } = this;
    if (threads === 1 || this.indivisible) return 1;
    const all = slice(0, rows);
    const known = this.counts.get(all.key);
    if (known !== undefined) return Math.min(known, threads);
    const weights = weightsOf(this.root);
    const count = Math.max(1, Math.min(threads, rows, Math.floor((rows * stepsOf(all) * weights) / WORTH)));
    if (weights > 0) this.counts.set(all.key, count); // else it is not built yet
    return count;
  }
}
