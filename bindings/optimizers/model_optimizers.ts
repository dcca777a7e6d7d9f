/** The optimizers that work on one model, each with its state. */
import { StateError } from "../base/errors.ts";
import { KeptKey } from "../module/kept.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { OptimizerState } from "./optimizer_state.ts";
import type { LoadedOptimizer } from "./saved_optimizer.ts";
import type { UpdateRule } from "./update_rule.ts";

class ModelOptimizers {
  private readonly model: ModuleBase;
  private readonly states = new Map<UpdateRule, OptimizerState>();
  /** A state that was loaded before there was an optimizer. */
  private loaded: LoadedOptimizer | undefined;
  /** The state of the optimizer that `compile` was given. */
  compiled: OptimizerState | undefined;

  constructor(model: ModuleBase) {
    this.model = model;
  }

  /** The state of an optimizer. The first optimizer takes over a state that was loaded. @throws StateError when that is of another kind */
  stateOf(rule: UpdateRule): OptimizerState {
    const known = this.states.get(rule);
    if (known) return known;
    const { loaded } = this;
    if (loaded) checkKind(loaded, rule);
    const state = new OptimizerState(this.model, rule);
    if (loaded) state.restore(loaded);
    this.loaded = undefined;
    this.states.set(rule, state);
    return state;
  }

  /** Makes an optimizer the one of `compile`. The state of the former one is freed unless `trainStep` or `apply` use it. */
  compile(rule: UpdateRule): OptimizerState {
    const former = this.compiled;
    const state = this.stateOf(rule);
    this.compiled = state;
    if (former && former !== state && !former.shared) {
      this.states.delete(former.rule);
      former.dispose();
    }
    return state;
  }

  /** Gives a loaded state to the optimizer of `compile`, or keeps it for the first one. @throws StateError when it is of another kind */
  load(loaded: LoadedOptimizer): void {
    if (!this.compiled) {
      this.loaded = loaded;
      return;
    }
    checkKind(loaded, this.compiled.rule);
    this.compiled.restore(loaded);
  }
}

function checkKind({ saved }: LoadedOptimizer, { kind, slots }: UpdateRule): void {
  if (saved.kind === kind && String(saved.slots) === String(slots)) return;
  throw new StateError(
    `compile: expected the optimizer "${saved.kind}" with slots ${saved.slots.join(", ") || "none"}, whose state was loaded, got "${kind}" with ${slots.join(", ") || "none"}`,
  );
}

const OPTIMIZERS = new KeptKey<ModelOptimizers>();

export const optimizersOf = (model: ModuleBase): ModelOptimizers =>
  model.kept(OPTIMIZERS, () => new ModelOptimizers(model));
