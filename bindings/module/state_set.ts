/** States by name, wherever in a heap they lie: read, replaced, zeroed. */
import { ShapeError, StateError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkFinite, normalize, type ArrayInput, type NDArray, type Normalized } from "../base/ndarray.ts";
import { describe, sameShape, sizeOf, type Shape } from "../base/shape.ts";
import type { Heap } from "../runtime/heap.ts";

/** Where a state lies. */
export interface State {
  readonly ptr: number;
  readonly shape: Shape;
}

export class StateSet<S extends State = State> {
  protected readonly states: Map<string, S>;
  protected readonly owner: string;
  private readonly heap: Heap;
  private starts: ReadonlyMap<string, Float32Array> | undefined;

  /** @param owner  who has the states, for errors: "stream" */
  constructor(heap: Heap, owner: string, states: Iterable<readonly [name: string, state: S]> = []) {
    this.heap = heap;
    this.owner = owner;
    this.states = new Map(states);
  }

  get size(): number {
    return this.states.size;
  }

  /** Each with its name, in the order in which they were made. */
  entries(): [name: string, state: S][] {
    return [...this.states];
  }

  private view({ ptr, shape }: State): Float32Array {
    return this.heap.f32(ptr, sizeOf(shape));
  }

  /** Makes what the states are now what {@link reset} gives. */
  keepAsStart(): void {
    this.starts = new Map(this.entries().map(([name, state]) => [name, this.view(state).slice()]));
  }

  /** Zeros, or what was kept to start from, in all rows or in one. */
  reset(row?: number): void {
    for (const [name, state] of this.states) {
      const width = sizeOf(state.shape.slice(1));
      const [first, end] = row === undefined ? [0, sizeOf(state.shape)] : [row * width, (row + 1) * width];
      const start = this.starts?.get(name);
      if (start) this.view(state).set(start.subarray(first, end), first);
      else this.view(state).fill(0, first, end);
    }
  }

  /** Copies by name. */
  get(): Record<string, NDArray> {
    return Object.fromEntries(
      this.entries().map(([name, state]) => [name, { data: this.view(state).slice(), shape: [...state.shape] }]),
    );
  }

  /** @throws ShapeError, StateError, ValueError for states that are not these; none has changed then */
  set(states: Readonly<Record<string, ArrayInput>>): void {
    const names = [...this.states.keys()];
    if (typeof states !== "object" || states === null)
      throw new StateError(`${this.owner}: expected states by name, got ${shown(states)}`);
    const checked = Object.entries(states).map(([name, value]): [State, Normalized] => {
      const state = this.states.get(name);
      if (!state)
        throw new StateError(`${this.owner}: expected states named ${names.join(", ") || "nothing"}, got "${name}"`);
      const array = normalize(value, `${this.owner}: state "${name}"`);
      if (!sameShape(state.shape, array.shape)) {
        throw new ShapeError(
          `${this.owner}: expected state "${name}" ${describe(state.shape)}, got ${describe(array.shape)}`,
        );
      }
      checkFinite(array, `${this.owner}: state "${name}"`);
      return [state, array];
    });
    for (const [state, { data }] of checked) this.view(state).set(data);
  }
}
