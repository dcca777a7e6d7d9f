/** States that outlive a run: those of stateful layers, and those of streams. */
import { StateError } from "../base/errors.ts";
import { describe, sizeOf, sameShape, type Shape } from "../base/shape.ts";
import { Storage } from "../graph/ir.ts";
import type { Backend } from "../runtime/backend.ts";
import type { StateStore, Trace } from "../graph/trace.ts";
import type { Arena } from "../runtime/arena.ts";
import { KeptKey } from "./kept.ts";
import type { ModuleBase } from "./module_base.ts";
import { StateSet, type State } from "./state_set.ts";

/** A state, and what kernel calls name it by. */
interface Carried extends State {
  readonly storage: Storage;
}

/** States that are made when a trace asks for them, zero at first. */
export class CarriedStates extends StateSet<Carried> implements StateStore {
  private readonly arena: Arena;

  constructor({ arena, heap }: Backend, owner: string) {
    super(heap, owner);
    this.arena = arena;
  }

  /** @throws StateError when the state was made for another batch size */
  state(trace: Trace, name: string, shape: Shape): Storage {
    trace.needsWholeBatch("a state that is carried on");
    const { scope, undo } = trace;
    const key = scope ? `${scope}/${name}` : name;
    let carried = this.states.get(key);
    if (!carried) {
      const bytes = sizeOf(shape) * 4;
      const ptr = this.arena.alloc(bytes);
      carried = { ptr, shape, storage: new Storage(bytes, { ptr }) };
      this.states.set(key, carried);
      undo.push(() => this.free(key));
    }
    if (!sameShape(carried.shape, shape)) {
      throw new StateError(
        `${this.owner}: expected a batch of ${carried.shape[0]}, as the state "${key}" ${describe(carried.shape)} was made for, got ${shape[0]}; give batches of ${carried.shape[0]} rows, or call resetStates first`,
      );
    }
    return carried.storage;
  }

  private free(key: string): void {
    this.arena.free(this.states.get(key)!.ptr);
    this.states.delete(key);
  }

  dispose(): void {
    for (const [key] of this.entries()) this.free(key);
  }
}

/** States that one batch hands on to the next, a set of them for each batch size. */
class StatesBySize implements StateStore {
  private readonly model: ModuleBase;
  private readonly owner: string;
  private readonly sets = new Map<number, CarriedStates>();

  /** @param owner  whose states they are, for errors */
  constructor(model: ModuleBase, owner: string) {
    this.model = model;
    this.owner = owner;
  }

  state(trace: Trace, name: string, shape: Shape): Storage {
    let set = this.sets.get(shape[0]);
    if (!set) {
      set = new CarriedStates(this.model.backend, this.owner);
      this.sets.set(shape[0], set);
      this.model.owned.add(set);
    }
    return set.state(trace, name, shape);
  }

  /** Zeros: other sequences begin. */
  reset(): void {
    for (const set of this.sets.values()) set.reset();
  }

  /** How many states there are. */
  get size(): number {
    return [...this.sets.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

const WINDOW_STATES = new KeptKey<StatesBySize>();

/** Where a model's layers keep their states between the windows of a sequence. */
export const windowStates = (model: ModuleBase): StatesBySize =>
  model.kept(WINDOW_STATES, () => new StatesBySize(model, "windows"));

const VALIDATION_STATES = new KeptKey<StatesBySize>();

/** Where stateful layers keep the states of a validation. */
export const validationStates = (model: ModuleBase): StatesBySize =>
  model.kept(VALIDATION_STATES, () => new StatesBySize(model, "validation"));

const STATEFUL = new KeptKey<CarriedStates>();

/** Where a model's stateful layers keep their states. */
export const statefulStore = (model: ModuleBase): CarriedStates =>
  model.kept(STATEFUL, () => {
    const store = new CarriedStates(model.backend, "stateful");
    model.owned.add(store);
    return store;
  });

/** Makes stateful layers start from zeros again, with any batch size. */
export function resetStates(model: ModuleBase): void {
  const store = model.kept(STATEFUL);
  if (!store) return;
  // programs hold the addresses of the states: they go too, but for those of streams, which have states of their own
  for (const program of [...model.ownPrograms]) if (!program.lasting) program.dispose();
  store.dispose();
}
