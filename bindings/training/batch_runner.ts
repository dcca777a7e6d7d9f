/** A compiled model at work on batches: one update or one evaluation, as programs that are traced once per batch shape. */
import { NonFiniteError, UnsupportedError, ValueError } from "../base/errors.ts";
import { TINY, type Loss } from "../losses/define.ts";
import { BatchSharder, nearlyEqual, type BatchPart, type SliceRows } from "../program/batch_sharding.ts";
import { TracedFunction, recordGradients, type Extension } from "../program/traced_function.ts";
import { div, mul } from "../ops/elementwise.ts";
import { isTensor, type ValidSteps, type Tensor } from "../graph/tensor.ts";
import type { TraceOptions } from "../graph/trace.ts";
import { StreamBatches, range, type ArrayBatches, type Batch } from "./data/batches.ts";
import type { Dataset } from "./data/dataset.ts";
import { diagnose } from "./diagnose.ts";
import { isLoss, type Objective } from "./output_heads.ts";
import type { Module } from "../models/module.ts";
import { isRowwise } from "../module/module_base.ts";
import { Scores, allIgnored, lossOf, type BatchScores, type Logs } from "./score_means.ts";
import { namedParts, type Several } from "./per_output.ts";
import { statefulStore, windowStates } from "../module/state_stores.ts";
import { scoreBatch, type StepResult, type Weighting } from "./batch_loss.ts";
import type { OptimizerState } from "../optimizers/optimizer_state.ts";

type StepFunction = (x: Tensor[], y: Several<Tensor>, steps: ValidSteps, weighting: Weighting) => StepResult;

/** The program's function: the loss, then the sums of the metrics. */
const stepFunction =
  (model: Module, objective: Objective): StepFunction =>
  (x, y, steps, weighting) =>
    scoreBatch(model, objective, { x, y, steps, ...weighting });

/** Wants the divisors of losses before the losses. */
const share: Extension<undefined> = (_trace, _inputs, result) => {
  const divisors = (result as StepResult).shares.map(({ divisor }) => divisor);
  return { outputs: [], extra: undefined, prologueOutputs: divisors.filter((divisor) => isTensor(divisor)) };
};

/** Gives every part of a batch what its losses are multiplied with, so that they add up to those of the whole. */
function writeScales(parts: readonly BatchScores[]): void {
  parts[0].shares.forEach((_, i) => {
    const divisor = parts.reduce(
      (
        sum,
        {
          shares: {
            [i]: { divisor },
          },
        },
      ) => sum + (typeof divisor === "number" ? divisor : divisor.view[0]),
      0,
    );
    for (const { shares } of parts) shares[i].scale.writeScalar(1 / Math.max(divisor, TINY));
  });
}

/** Where a program leaves the scores of its rows. */
const scoresOf = ({ compiled }: BatchPart<undefined>): BatchScores => compiled.ports as BatchScores;

/** Writes the inputs of a part of a batch. */
function write({ compiled: { program }, start, end }: BatchPart<undefined>, data: Dataset, rows: Int32Array): void {
  const some = end - start === rows.length ? rows : rows.subarray(start, end);
  data.sources.forEach(([name, array], i) => program.inputs[i].writeRows(array.data, some, name));
}

/** A step function over a model and its objective, which traces once per batch shape. */
export class BatchRunner {
  private readonly model: Module;
  readonly objective: Objective;
  private readonly optimizer: OptimizerState;
  private readonly train: BatchSharder<undefined>;
  /** The windows of sequences that are cut: their states go on, so their rows stay together. */
  private readonly cut: BatchSharder<undefined>;
  private readonly test: BatchSharder<undefined>;
  /** The losses of a training without the update. */
  private readonly probe: TracedFunction;
  /** Numbers of the rows of the last batch that was given whole: a typed array costs more than all it is needed for. */
  private everyRow = range(0);

  constructor(model: Module, objective: Objective, optimizer: OptimizerState) {
    this.model = model;
    this.objective = objective;
    this.optimizer = optimizer;
    const stateful = statefulStore(model);
    const fn = stepFunction(model, objective) as never;
    const training = { training: true, gradients: true, stateful };
    const rowwise =
      isRowwise(model) &&
      namedParts<Loss | null>(objective.loss, isLoss).every(([, loss]) => !loss || loss.terms !== undefined);
    const steps = (options: TraceOptions): BatchSharder<undefined> =>
      new BatchSharder(
        model,
        new TracedFunction("fit", model, fn, options, { extension: this.update }),
        (shard) => new TracedFunction("fit", model, fn, options, { extension: this.gradients, shard }),
        rowwise,
      );
    this.train = steps(training);
    this.cut = steps({ ...training, windows: windowStates(model) });
    this.test = new BatchSharder(
      model,
      new TracedFunction("evaluate", model, fn, { stateful }),
      (shard) => new TracedFunction("evaluate", model, fn, { stateful }, { extension: share, shard }),
      rowwise,
    );
    this.probe = new TracedFunction("fit", model, fn, { training: true });
  }

  /** Records gradients and update. A batch in which no label counts makes none: 0/0 is as little finite as a loss of NaN. */
  private readonly update: Extension<undefined> = (trace, _inputs, result) => {
    const { loss, counted } = result as StepResult;
    recordGradients("fit", trace, this.model, loss);
    this.optimizer.record(trace, counted ? mul(loss, div(counted, counted)) : loss);
    return { outputs: [], extra: undefined };
  };

  /** Records the gradients of some rows of a batch. */
  private readonly gradients: Extension<undefined> = (trace, inputs, result) => {
    recordGradients("fit", trace, this.model, (result as StepResult).loss);
    return share(trace, inputs, result);
  };

  /** One update. @throws NonFiniteError, ValueError when no label counts; the weights are those before the batch then */
  step(batch: Batch, where: { epoch: number; batch: number }): BatchScores[] {
    const sharder = batch.window === undefined ? this.train : this.cut;
    this.optimizer.beginStep();
    const scores = this.run(sharder, this.probe, batch);
    if (scores.length > 1) this.optimizer.reducer.run(scores.length, allIgnored(scores) ? NaN : lossOf(scores));
    if (!this.optimizer.endStep()) this.explain(scores, batch.data.pick(batch.rows), where);
    return scores;
  }

  /** Why a batch made no update. */
  private explain(scores: readonly BatchScores[], batch: Dataset, where: { epoch: number; batch: number }): never {
    const place = `epoch ${where.epoch + 1}, batch ${where.batch + 1}`;
    if (allIgnored(scores))
      throw new ValueError(
        `fit: expected a label that counts, got only ignored ones in ${place}; the weights are those before that batch`,
      );
    const { layer, what } = diagnose(this.model, this.objective, lossOf(scores), batch);
    throw new NonFiniteError(
      `fit: expected a finite loss and gradients, got ${what} in ${place}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`,
      { ...where, layer },
    );
  }

  /** @throws UnsupportedError when nothing is carried from window to window, as in loops over time of one's own */
  private startWindows(): void {
    const states = windowStates(this.model);
    if (states.size === 0 && statefulStore(this.model).size === 0) {
      throw new UnsupportedError(
        "fit: expected a recurrent layer, whose state goes on from window to window with truncate, got a model without",
      );
    }
    states.reset();
  }

  private compile(sharder: BatchSharder<undefined>, data: Dataset, rows: number): BatchPart<undefined>[] {
    const slice: SliceRows = (start, end) => data.arguments(start, end);
    return sharder.shards(rows, slice) ?? sharder.whole(rows, slice);
  }

  /** Runs a batch, divided where that gives the same. @param probe  computes its losses whole, and nothing else */
  private run(sharder: BatchSharder<undefined>, probe: TracedFunction, batch: Batch): BatchScores[] {
    const { data, rows } = batch;
    const parts = this.compile(sharder, data, rows.length);
    const scores = parts.map(scoresOf);
    for (const part of parts) write(part, data, rows);
    if (parts.length > 1) {
      for (const { compiled } of parts) compiled.program.runPrologue();
      writeScales(scores);
    }
    if (batch.window === 0) this.startWindows();
    const { randomState } = this.model;
    const { counter } = randomState;
    sharder.replay(parts);
    const same = (): boolean => {
      randomState.counter = counter;
      const whole = { compiled: probe.compile(data.arguments(0, rows.length)), start: 0, end: rows.length };
      write(whole, data, rows);
      probe.replay(whole.compiled);
      const losses = [lossOf([scoresOf(whole)])];
      whole.compiled.program.dispose();
      return nearlyEqual([lossOf(scores)], losses);
    };
    if (parts.length === 1 || sharder.confirm(same)) return scores;
    randomState.counter = counter;
    return this.run(sharder, probe, batch);
  }

  /** Bytes that the program of a training step on this data would take. */
  measure(data: Dataset): number {
    return this.train.wholeFunction.measure(data.arguments());
  }

  /**
   * Holds all rows to what the first batch's program trusts, so that a token out of range is found before a training, not
   * half-way through it.
   *
   * @param truncate  steps of a window, when sequences are cut
   */
  check(kind: "train" | "test", batches: ArrayBatches | StreamBatches, truncate?: number): void {
    if (batches instanceof StreamBatches) return; // theirs are checked one by one
    const { data, size } = batches;
    const batch = data.slice(0, Math.min(size, data.rows));
    const first = truncate === undefined ? batch : batch.window(0, Math.min(truncate, data.time));
    if (!first) return; // no row has begun yet
    const [
      {
        compiled: { program },
      },
    ] = this.compile(truncate === undefined ? this[kind] : this.cut, first, first.rows);
    data.sources.forEach(([name, array], i) => {
      // lengths have been held to the whole sequence already
      if (!name.endsWith(": lengths")) program.inputs[i].check(array.data, name, array.shape);
    });
  }

  /** Adds the scores of one batch. */
  score(batch: Batch, scores: Scores): void {
    scores.add(this.run(this.test, this.test.wholeFunction, batch), batch.rows.length);
  }

  evaluate(batches: ArrayBatches): Logs {
    this.check("test", batches);
    const scores = new Scores();
    for (const batch of batches.epoch(0)) this.score(batch, scores);
    return scores.checked(batches.data.subject);
  }

  trainOnBatch(data: Dataset): Logs {
    const scores = new Scores();
    if (this.everyRow.length !== data.rows) this.everyRow = range(data.rows);
    scores.add(this.step({ data, rows: this.everyRow }, { epoch: 0, batch: 0 }), data.rows);
    return scores.logs();
  }

  /** What comes after the last step of a training: the averages of the weights, where they are kept, become the weights. */
  finish(): void {
    this.optimizer.finish();
  }

  /** Frees its programs; it may not be used any more. */
  dispose(): void {
    for (const sharder of [this.train, this.cut, this.test]) sharder.dispose();
  }
}
