/** States that outlive a run: those of stateful layers, and those of streams. */
import { ShapeError, StateError } from "../errors.ts";
import { checkFinite, normalize, type ArrayInput, type NDArray, type Normalized } from "../program/array.ts";
import { needsWholeBatch } from "../program/shard.ts";
import { Storage, describe, sizeOf, sameShape, type Shape } from "../program/tensor.ts";
import type { StateStore, Trace } from "../program/trace.ts";
import type { Backend } from "../runtime/load.ts";
import type { Network } from "./network.ts";

interface Carried {
  readonly storage: Storage;
  readonly shape: Shape;
}

/** States by name, zero at first. */
export class CarriedStates implements StateStore {
  private readonly backend: Backend;
  private readonly owner: string;
  private readonly states = new Map<string, Carried>();

  constructor(backend: Backend, owner: string) {
    this.backend = backend;
    this.owner = owner;
  }

  /** @throws StateError when the state was made for another batch size */
  state(trace: Trace, name: string, shape: Shape): Storage {
    needsWholeBatch(trace, "a state that is carried on");
    const { scope, undo } = trace;
    const key = scope ? `${scope}/${name}` : name;
    let carried = this.states.get(key);
    if (!carried) {
      carried = { storage: new Storage(sizeOf(shape) * 4, { ptr: this.backend.arena.alloc(sizeOf(shape) * 4) }), shape };
      this.states.set(key, carried);
      undo.push(() => this.free(key));
    }
    if (!sameShape(carried.shape, shape)) {
      throw new StateError(`${this.owner}: expected a batch of ${carried.shape[0]}, as the state "${key}" ${describe(carried.shape)} was made for, got ${shape[0]}; call resetStates first`);
    }
    return carried.storage;
  }

  private view({ storage, shape }: Carried): Float32Array {
    return this.backend.heap.f32(storage.ptr!, sizeOf(shape));
  }

  get size(): number {
    return this.states.size;
  }

  /** Zeros, in all rows or in one. */
  reset(row?: number): void {
    for (const carried of this.states.values()) {
      const width = sizeOf(carried.shape.slice(1));
      this.view(carried).fill(0, row === undefined ? 0 : row * width, row === undefined ? undefined : (row + 1) * width);
    }
  }

  /** Copies by name. */
  get(): Record<string, NDArray> {
    return Object.fromEntries([...this.states].map(([name, carried]) => [name, { data: this.view(carried).slice(), shape: [...carried.shape] }]));
  }

  /** @throws ShapeError, StateError, ValueError for states that are not these; none has changed then */
  set(states: Record<string, ArrayInput>): void {
    const names = [...this.states.keys()];
    if (typeof states !== "object" || states === null) throw new StateError(`${this.owner}: expected states by name, got ${String(states)}`);
    const checked = Object.entries(states).map(([name, value]): [Carried, Normalized] => {
      const carried = this.states.get(name);
      if (!carried) throw new StateError(`${this.owner}: expected states named ${names.join(", ") || "nothing"}, got "${name}"`);
      const array = normalize(value, `${this.owner}: state "${name}"`);
      if (!sameShape(carried.shape, array.shape)) {
        throw new ShapeError(`${this.owner}: expected state "${name}" ${describe(carried.shape)}, got ${describe(array.shape)}`);
      }
      checkFinite(array, `${this.owner}: state "${name}"`);
      return [carried, array];
    });
    for (const [carried, { data }] of checked) this.view(carried).set(data);
  }

  private free(key: string): void {
    this.backend.arena.free(this.states.get(key)!.storage.ptr!);
    this.states.delete(key);
  }

  dispose(): void {
    for (const key of [...this.states.keys()]) this.free(key);
  }
}

/** States that one window of a sequence hands on to the next, a set of them for each batch size. */
class WindowStates implements StateStore {
  private readonly model: Network;
  private readonly sets = new Map<number, CarriedStates>();

  constructor(model: Network) {
    this.model = model;
  }

  state(trace: Trace, name: string, shape: Shape): Storage {
    let set = this.sets.get(shape[0]);
    if (!set) {
      set = new CarriedStates(this.model.backend, "windows");
      this.sets.set(shape[0], set);
      this.model.owned.add(set);
    }
    return set.state(trace, name, shape);
  }

  /** Zeros: the windows of other sequences begin. */
  reset(): void {
    for (const set of this.sets.values()) set.reset();
  }

  /** How many states there are. */
  get size(): number {
    return [...this.sets.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

const windows = new WeakMap<Network, WindowStates>();

/** Where a model's layers keep their states between the windows of a sequence. */
export function windowStates(model: Network): WindowStates {
  let states = windows.get(model);
  if (!states) windows.set(model, (states = new WindowStates(model)));
  return states;
}

const stores = new WeakMap<Network, CarriedStates>();

/** Where a model's stateful layers keep their states. */
export function statefulStore(model: Network): CarriedStates {
  let store = stores.get(model);
  if (!store) {
    stores.set(model, (store = new CarriedStates(model.backend, "stateful")));
    model.owned.add(store);
  }
  return store;
}

/** Makes stateful layers start from zeros again, with any batch size. */
export function resetStates(model: Network): void {
  const store = stores.get(model);
  if (!store) return;
  // programs hold the addresses of the states: they go too, but for those of streams, which have states of their own
  for (const program of [...model.ownPrograms]) if (!program.lasting) program.dispose();
  store.dispose();
}
