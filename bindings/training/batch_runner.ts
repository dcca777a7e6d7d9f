/** A compiled model at work on batches: one update or one evaluation, by programs that are traced once per batch shape. */
import { NonFiniteError, UnsupportedError, ValueError } from "../base/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { TraceOptions } from "../graph/trace.ts";
import type { Loss } from "../losses/define_loss.ts";
import { isRowwise, type ModuleBase } from "../module/module_base.ts";
import { statefulStore, validationStates, windowStates } from "../module/state_stores.ts";
import { div, mul } from "../ops/elementwise.ts";
import type { Optimizer } from "../optimizers/index.ts";
import { optimizersOf } from "../optimizers/model_optimizers.ts";
import type { OptimizerState } from "../optimizers/optimizer_state.ts";
import type { ProgramPlan } from "../program/program.ts";
import { TracedFunction, recordGradients, type Extension } from "../program/traced_function.ts";
import { stepFunction } from "./batch_loss.ts";
import { allIgnored, batchLoss, type BatchScores } from "./batch_scores.ts";
import { range, type Batch, type Batches } from "./data/batch.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Logs } from "./events.ts";
import { firstNonFinite } from "./non_finite.ts";
import { isLoss, type Objective } from "./output_heads.ts";
import { namedOutputs } from "./per_output.ts";
import { ScoreMeans } from "./score_means.ts";
import { ShardedStep, divisorsFirst, writeRows } from "./sharded_step.ts";

/** Evaluation, or validation: that of stateful layers starts from zeros and leaves the states of the training alone. */
export type ScoringKind = "test" | "validation";

/** Training on whole sequences or on windows of them, or scores without an update. */
export type StepKind = "train" | "windows" | ScoringKind;

export class BatchRunner {
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  /** Whether a `fit` of this model is running. */
  fitting = false;
  private readonly model: ModuleBase;
  private readonly state: OptimizerState;
  /** Steps on whole batches. */
  private readonly whole: Readonly<Record<StepKind, TracedFunction>>;
  /** Steps on batches that are divided among threads. The rows of windows stay together, as their states do. */
  private readonly sharded: Readonly<Record<"train" | "test", ShardedStep>>;
  /** Numbers of the rows of the last batch of `trainOnBatch`: making them again would cost more than a step's bookkeeping. */
  private everyRow = range(0);

  constructor(model: ModuleBase, objective: Objective, optimizer: Optimizer) {
    this.model = model;
    this.objective = objective;
    this.optimizer = optimizer;
    this.state = optimizersOf(model).compile(optimizer);
    const fn = stepFunction(model, objective);
    const stateful = statefulStore(model);
    const training: TraceOptions = { training: true, gradients: true, stateful };
    const traced = (name: string, options: TraceOptions, extension?: Extension<undefined>, shard?: number) =>
      new TracedFunction(name, model, fn, options, {
        ...(extension && { extension }),
        ...(shard !== undefined && { shard }),
      });
    this.whole = {
      train: traced("fit", training, this.recordUpdate),
      windows: traced("fit", { ...training, windows: windowStates(model) }, this.recordUpdate),
      test: traced("evaluate", { stateful }),
      validation: traced("evaluate", { stateful: validationStates(model) }),
    };
    const rowwise = isRowwise(model) && losesRowwise(objective);
    this.sharded = {
      train: new ShardedStep(
        model,
        (shard) => traced("fit", training, this.recordGradients, shard),
        traced("fit", { training: true }),
        rowwise,
      ),
      test: new ShardedStep(
        model,
        (shard) => traced("evaluate", { stateful }, divisorsFirst, shard),
        traced("evaluate", { stateful }),
        rowwise,
      ),
    };
  }

  /** Records gradients and update. Without a label that counts there is no update: the loss is made NaN, by 0/0. */
  private readonly recordUpdate: Extension<undefined> = (trace, _inputs, result) => {
    const { loss, counted } = result as BatchScores<Tensor>;
    recordGradients("fit", trace, this.model, loss);
    this.state.record(trace, counted ? mul(loss, div(counted, counted)) : loss);
    return { outputs: [], extra: undefined };
  };

  /** Records the gradients of a part of a batch. */
  private readonly recordGradients: Extension<undefined> = (trace, inputs, result) => {
    recordGradients("fit", trace, this.model, (result as BatchScores<Tensor>).loss);
    return divisorsFirst(trace, inputs, result);
  };

  /**
   * Makes one update.
   *
   * @param place  numbers of the epoch and of the batch in it, from 0, for errors
   * @throws NonFiniteError, ValueError when no label counts; the weights are those before the batch then
   */
  train(batch: Batch, place: { epoch: number; batch: number }): BatchScores[] {
    const { state } = this;
    state.beginStep();
    const scores = this.run(batch.window === undefined ? "train" : "windows", batch);
    if (scores.length > 1) state.reducer.run(scores.length, allIgnored(scores) ? NaN : batchLoss(scores));
    if (!state.endStep()) this.explain(scores, batch, place);
    return scores;
  }

  /** The step on several threads, where there are some: the rows of windows and the states of validations stay together. */
  private shardedOf(kind: StepKind): ShardedStep | undefined {
    return this.model.backend.pool && (kind === "train" || kind === "test") ? this.sharded[kind] : undefined;
  }

  /** Runs a batch: on several threads where there are some and it is worth it, else whole. */
  private run(kind: StepKind, batch: Batch): BatchScores[] {
    const { data, rows, window } = batch;
    const sharded = this.shardedOf(kind);
    if (sharded) {
      const scores = sharded.run(batch);
      if (scores) return scores;
    }
    const step = this.whole[kind];
    const compiled = step.compile(data.arguments(0, rows.length));
    writeRows(compiled.program, data, rows);
    if (window === 0) this.resetWindows();
    step.replay(compiled);
    return [compiled.ports as BatchScores];
  }

  /** Throws the error of a batch that made no update. */
  private explain(
    scores: readonly BatchScores[],
    { data, rows }: Batch,
    place: { epoch: number; batch: number },
  ): never {
    const where = `epoch ${place.epoch + 1}, batch ${place.batch + 1}`;
    if (allIgnored(scores))
      throw new ValueError(
        `fit: expected a label that counts, got only ignored ones in ${where}; the weights are those before that batch`,
      );
    if (this.state.overflowed)
      throw new NonFiniteError(
        `fit: expected finite weights after the update, got some that are not in ${where}; the weights are those before the batch, ` +
          "a smaller learning rate or clipping helps",
        { ...place, layer: undefined },
      );
    const { layer, what } = firstNonFinite(this.model, this.objective, batchLoss(scores), data.pick(rows));
    throw new NonFiniteError(
      `fit: expected a finite loss and gradients, got ${what} in ${where}${layer ? `, first in ${layer}` : ""}; the weights are those before that batch`,
      { ...place, layer },
    );
  }

  /** Makes the states of windows zeros. @throws UnsupportedError when there are none, as in loops over time of one's own */
  private resetWindows(): void {
    const states = windowStates(this.model);
    if (states.size === 0 && statefulStore(this.model).size === 0) {
      throw new UnsupportedError(
        "fit: expected a recurrent layer, whose state goes on from window to window with truncate, got a model without",
      );
    }
    states.reset();
  }

  /** Which programs score a validation. Without stateful layers they are those of evaluations. */
  get validationKind(): ScoringKind {
    return this.isStateful ? "validation" : "test";
  }

  /** Whether there are stateful layers, as far as programs have been made. */
  get isStateful(): boolean {
    return statefulStore(this.model).size > 0;
  }

  /** Has stateful layers begin the next validation with zeros. */
  beginValidation(): void {
    validationStates(this.model).reset();
  }

  /** What the program of a training step on this data would be. */
  plan(data: Dataset): ProgramPlan {
    return this.whole.train.plan(data.arguments());
  }

  /**
   * Checks all rows that are known beforehand against the program of the first batch, so that a token out of range is found
   * before a training and not during it. Batches of streams are checked one by one.
   */
  check(kind: StepKind, { known }: Batches): void {
    if (!known?.first) return;
    const { all, first } = known;
    const parts = this.shardedOf(kind)?.compile(first, first.rows);
    const { program } = parts ? parts[0].compiled : this.whole[kind].compile(first.arguments());
    all.sources.forEach(([name, array], i) => {
      // lengths are checked against whole sequences already
      if (!name.endsWith(": lengths")) program.inputs[i].check(array.data, name, array.shape);
    });
  }

  /** Means of losses and metrics, of nothing yet. */
  newMeans(): ScoreMeans {
    return new ScoreMeans(this.objective.lossMean);
  }

  /** Adds the scores of one batch to means, without an update. */
  score(kind: ScoringKind, batch: Batch, means: ScoreMeans): void {
    means.add(this.run(kind, batch), batch.weight);
  }

  /** One update. @returns the logs of this batch, before the update */
  trainOnBatch(data: Dataset): Logs {
    if (this.everyRow.length !== data.rows) this.everyRow = range(data.rows);
    const means = this.newMeans();
    const batch = { data, rows: this.everyRow, weight: data.rows };
    means.add(this.train(batch, { epoch: 0, batch: 0 }), data.rows);
    return means.logs();
  }

  /** Ends a training: with `useEma` the averages of the weights become the weights. */
  finish(): void {
    this.state.finish();
  }

  /** Frees its programs; it may not be used any more. */
  dispose(): void {
    for (const step of [...Object.values(this.whole), ...Object.values(this.sharded)]) step.dispose();
  }
}

/** Whether all losses are made of one value per sample or step, as those of the library are. */
const losesRowwise = ({ loss }: Objective): boolean =>
  namedOutputs<Loss | null>(loss, isLoss).every(([, one]) => !one || one.terms !== undefined);
