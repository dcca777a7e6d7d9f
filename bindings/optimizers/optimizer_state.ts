/** An optimizer at work on one model: the number of steps done, slots beside the weights, scalars for the kernels. */
import type { Parameter, ParameterBlock } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";
import type { ArrayRecord, ModuleBase } from "../module/module_base.ts";
import { ControlBlock } from "./control_block.ts";
import { GradientReducer } from "./gradient_reducer.ts";
import { recordUpdate } from "./record_update.ts";
import type { LoadedOptimizer, SavedOptimizer } from "./saved_optimizer.ts";
import type { UpdateRule } from "./update_rule.ts";
import { groupsOf, weightsByGroup, type WeightGroup } from "./weight_groups.ts";
import { WeightSlots } from "./weight_slots.ts";

/** Hyperparameters of this size take no weight from finite to infinite in one step. */
const isSafe = (number: number): boolean => Math.abs(number) <= 1e6;

export class OptimizerState {
  readonly rule: UpdateRule;
  /** Whether `trainStep` or `apply` use it too: then it stays when `compile` takes another optimizer. */
  shared = false;
  /** Updates by gradients that lie ready: those of the parts of a batch, or some that were given. */
  readonly reducer: GradientReducer;
  private readonly model: ModuleBase;
  private readonly control: ControlBlock;
  /** In the order of their hyperparameters. */
  private readonly groups: readonly WeightGroup[];
  private readonly slots: WeightSlots;
  /** The weights that have been updated, or had slots in a file. */
  private readonly withSlots = new Set<Parameter>();
  /** The blocks there were when a step was last recorded. */
  private blocks: ReadonlySet<ParameterBlock> = new Set();
  /** Which weights trained then. */
  private trainableVersion = 0;
  private step = 0;
  /** Takes back the step that runs, when it may give weights that are not finite. */
  private undo: (() => void) | undefined;
  /** Whether the last step made no update because the weights after it were not finite. */
  overflowed = false;

  constructor(model: ModuleBase, rule: UpdateRule) {
    this.model = model;
    this.rule = rule;
    this.groups = groupsOf(rule);
    this.slots = new WeightSlots(rule.slotValues);
    this.control = new ControlBlock(model.backend, this.groups.length);
    this.reducer = new GradientReducer(model, this);
    model.owned.add(this.control); // not this state: what a model owns must not keep the model alive
  }

  /** Frees its memory. No program may work with it any more. */
  dispose(): void {
    this.reducer.dispose();
    this.slots.dispose();
    if (this.model.owned.delete(this.control)) this.control.dispose();
  }

  /** Whether weights have been added, frozen or unfrozen since a step was last recorded. */
  get outdated(): boolean {
    const blocks = this.model.parameterBlocks();
    return blocks.some((block) => !this.blocks.has(block)) || trainableVersion(blocks) !== this.trainableVersion;
  }

  /** Records one step, by the gradients of all trainable weights. @param loss  no update is made unless it is finite */
  record(trace: Trace, loss: Tensor): void {
    const { model, rule, control, slots } = this;
    const groups = weightsByGroup(this.groups, rule, model);
    const blocks = model.parameterBlocks();
    this.blocks = new Set(blocks);
    this.trainableVersion = trainableVersion(blocks);
    for (const [, parameter] of model.trainableParameters()) this.withSlots.add(parameter);
    recordUpdate(trace, { model, rule, control, slots, groups }, loss);
  }

  /**
   * Writes what kernels read in the step that comes.
   *
   * @param risky  whether the update may give weights that are not finite, as far as the caller knows
   * @throws OptionError when a schedule gives no rate; nothing has been written then
   */
  beginStep(risky = false): void {
    const { rule, step, control } = this;
    const hypers = this.groups.map(({ path, decays }) => rule.hyper(step, path, decays));
    this.overflowed = false;
    this.undo = risky || this.isRisky(hypers) ? this.copied() : undefined;
    hypers.forEach((hyper, i) => control.hypers[i].view.set(hyper));
    control.due.writeScalar(+((step + 1) % rule.stepsPerUpdate === 0));
    if (rule.averages) control.average.view.set(rule.averageHyper(step));
  }

  /** Whether weights could overflow in an update by such numbers: then they are copied before it. */
  private isRisky(hypers: readonly (readonly number[])[]): boolean {
    return this.rule.isRisky || this.step === 0 || this.control.hadLargeGradients || !hypers.flat().every(isSafe);
  }

  /** Copies weights and slots. @returns puts the copies back */
  private copied(): () => void {
    const blocks = this.model.parameterBlocks();
    const copies = blocks.map((block) => [block, block.floatsAt().slice()] as const);
    const slots = this.slots.copied(blocks);
    return () => {
      for (const [block, copy] of copies) block.floatsAt().set(copy);
      slots();
    };
  }

  /**
   * Counts the step that has just run.
   *
   * @returns false when there was no update, because loss, gradients or the weights after it were not finite
   */
  endStep(): boolean {
    const { undo } = this;
    this.undo = undefined;
    if (this.control.finite.view[0] === 0) return false;
    if (undo && ![...this.blocks].every((block) => block.floatsAt().every(Number.isFinite))) {
      undo();
      this.overflowed = true;
      return false;
    }
    this.step++;
    for (const block of this.blocks) block.changed();
    return true;
  }

  /** Makes the averages of the weights the weights, where averages are kept. */
  finish(): void {
    if (!this.rule.averages || this.step === 0) return;
    for (const [, parameter] of this.model.trainableParameters()) {
      if (!this.withSlots.has(parameter)) continue;
      parameter.block!.assign(parameter, this.slots.view(parameter, "ema"));
    }
  }

  /** Counter and slots for a file; slots of weights that are frozen now are among them if they have trained before. */
  saved(): { optimizer: SavedOptimizer; slots: Record<string, ArrayRecord> } {
    const weights = this.model
      .parameters()
      .filter(([, parameter]) => parameter.trainable || this.withSlots.has(parameter));
    const slots = this.slots.names.map((slot): [string, ArrayRecord] => [
      slot,
      Object.fromEntries(
        weights.map(([name, parameter]) => [
          name,
          { data: this.slots.view(parameter, slot).slice(), shape: [...parameter.shape] },
        ]),
      ),
    ]);
    return {
      optimizer: { kind: this.rule.kind, step: this.step, slots: this.slots.names },
      slots: Object.fromEntries(slots),
    };
  }

  /** Goes on where a saved optimizer of the same kind was. */
  restore({ saved, slots }: LoadedOptimizer): void {
    this.step = saved.step;
    for (const [name, parameter] of this.model.parameters()) {
      const loaded = this.slots.names.map((slot) => slots.get(slot)!.get(name));
      if (loaded.every((numbers) => numbers !== undefined)) {
        this.slots.set(parameter, loaded);
        this.withSlots.add(parameter);
      } else if (this.withSlots.delete(parameter)) this.slots.reset(parameter);
    }
  }
}

/** Differs as soon as a weight of the blocks is frozen or unfrozen: versions only grow. */
const trainableVersion = (blocks: readonly ParameterBlock[]): number =>
  blocks.reduce((sum, block) => sum + block.trainableVersion, 0);
