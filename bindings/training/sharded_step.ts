/** Steps on several threads: each computes some rows of a batch, and the parts add up to the whole. */
import { isTensor, type Tensor } from "../graph/tensor.ts";
import { TINY } from "../losses/define_loss.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { BatchSharder, nearlyEqual, type BatchPart } from "../program/batch_sharding.ts";
import type { Program } from "../program/program.ts";
import type { Extension, TracedFunction } from "../program/traced_function.ts";
import { batchLoss, type BatchScores } from "./batch_scores.ts";
import type { Batch } from "./data/batch.ts";
import type { Dataset } from "./data/dataset.ts";

/** Writes rows of a dataset to the inputs of a program. */
export function writeRows({ inputs }: Program, { sources }: Dataset, rows: Int32Array): void {
  for (let i = 0; i < sources.length; i++) {
    const [name, array] = sources[i];
    inputs[i].writeRows(array.data, rows, name);
  }
}

/** Has the divisors of means computed first: the scales of all parts depend on them. */
export const divisorsFirst: Extension<undefined> = (_trace, _inputs, result) => {
  const divisors = (result as BatchScores<Tensor>).shares.map(({ divisor }) => divisor);
  return { outputs: [], extra: undefined, prologueOutputs: divisors.filter((divisor) => isTensor(divisor)) };
};

/** Writes the factor of every mean in every part, so that the means of the parts add up to that of the whole batch. */
function writeScales(parts: readonly BatchScores[]): void {
  parts[0].shares.forEach((_, i) => {
    let sum = 0;
    for (const { shares } of parts) {
      const { divisor } = shares[i];
      sum += typeof divisor === "number" ? divisor : divisor.view[0];
    }
    for (const { shares } of parts) shares[i].scale.writeScalar(1 / Math.max(sum, TINY));
  });
}

export class ShardedStep {
  private readonly model: ModuleBase;
  private readonly sharder: BatchSharder<undefined>;
  private readonly probe: TracedFunction;

  /**
   * @param makeShard  makes the step function of part `index` of a batch
   * @param probe      the losses of a whole batch and nothing else, to compare with those of its parts
   * @param rowwise    whether rows are known to be independent of each other; otherwise the first batch is compared
   */
  constructor(
    model: ModuleBase,
    makeShard: (index: number) => TracedFunction,
    probe: TracedFunction,
    rowwise: boolean,
  ) {
    this.model = model;
    this.sharder = new BatchSharder(model, makeShard, rowwise);
    this.probe = probe;
  }

  /** The programs for the parts of a batch; undefined when it is to be computed whole. */
  compile(data: Dataset, rows: number): BatchPart<undefined>[] | undefined {
    return this.sharder.shards(rows, (start, end) => data.arguments(start, end));
  }

  /** Runs the parts of a batch. @returns the scores of each; undefined when the batch is to be computed whole */
  run(batch: Batch): BatchScores[] | undefined {
    const { data, rows } = batch;
    const parts = this.compile(data, rows.length);
    if (!parts) return undefined;
    for (const { compiled, start, end } of parts) writeRows(compiled.program, data, rows.subarray(start, end));
    for (const { compiled } of parts) compiled.program.runPrologue();
    const scores = parts.map(({ compiled }) => compiled.ports as BatchScores);
    writeScales(scores);
    const { randomState } = this.model;
    const { counter } = randomState;
    this.sharder.run(parts);
    const same = (): boolean => nearlyEqual([batchLoss(scores)], [this.wholeLoss(batch, counter)]);
    if (this.sharder.confirm(same)) return scores;
    randomState.counter = counter;
    return undefined;
  }

  /** The loss of the whole batch, with the random numbers that its parts have drawn. */
  private wholeLoss({ data, rows }: Batch, counter: number): number {
    this.model.randomState.counter = counter;
    const compiled = this.probe.compile(data.arguments(0, rows.length));
    writeRows(compiled.program, data, rows);
    this.probe.replay(compiled);
    const loss = batchLoss([compiled.ports as BatchScores]);
    compiled.program.dispose();
    return loss;
  }

  /** Frees its programs. */
  dispose(): void {
    this.sharder.dispose();
    this.probe.dispose();
  }
}
