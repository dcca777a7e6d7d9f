/** Programs as data: calls whose addresses count from the start of an arena of their own, and what that holds before they run. */
import { UnsupportedError } from "../base/errors.ts";
import { ARENA_BASE } from "../abi/memory.ts";
import { FreeList } from "../runtime/arena.ts";
import type { Backend } from "../runtime/backend.ts";
import type { Storage, ValueRange } from "../graph/ir.ts";
import type { BoundCall } from "../runtime/replay.ts";
import { encodeCalls } from "../runtime/encoding.ts";
import { bind, placePackedWeights } from "./bind.ts";
import { planProgram } from "./program.ts";
import type { DType, Shape } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";

/** Where an input or output of a program lies. */
export interface PortPlace {
  readonly ptr: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** What its values are held to before a run. */
  readonly ranges: readonly ValueRange[];
}

/** A program as data. */
export interface SnapshotProgram {
  /** As {@link encodeCalls} has it; its kernels are those of {@link ProgramSnapshot.kernels}. */
  readonly text: readonly number[];
  readonly inputs: readonly PortPlace[];
  readonly outputs: readonly PortPlace[];
}

const kernelsOf = (calls: readonly BoundCall[]): string[] =>
  calls.flatMap(({ kernel, loop }) => (loop ? kernelsOf(loop.calls) : [kernel]));

/** Programs over the same weights and states, laid out anew. */
export class ProgramSnapshot {
  /** Names of the kernels that the programs call, by number. */
  readonly kernels: string[] = [];
  private readonly backend: Backend;
  private readonly list = new FreeList(ARENA_BASE);
  private readonly places = new Map<Storage, number>();
  private readonly held = new Map<number, Uint8Array>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Where the used part ends. */
  get end(): number {
    return this.list.end;
  }

  /** What the memory holds that is not zero, by address. */
  get contents(): ReadonlyMap<number, Uint8Array> {
    return this.held;
  }

  /** Where something lies that has its place in the backend too: weights, their panels, states. What it holds now is copied. */
  address(storage: Storage): number {
    let at = this.places.get(storage);
    if (at === undefined) {
      this.places.set(storage, (at = this.list.take(storage.bytes)));
      this.hold(at, this.backend.heap.u8(storage.ptr!, storage.bytes));
    }
    return at;
  }

  private hold(at: number, bytes: Uint8Array): void {
    if (bytes.some((byte) => byte !== 0)) this.held.set(at, bytes.slice());
  }

  /**
   * Adds a program.
   *
   * @throws UnsupportedError when it draws random numbers
   */
  add(subject: string, trace: Trace, inputs: readonly Tensor[], outputs: readonly Tensor[]): SnapshotProgram {
    if (trace.randomState)
      throw new UnsupportedError(
        `${subject}: expected a model that draws no random numbers when it runs, got one that does`,
      );
    const { calls, offsets, bytes, stride, packedWeights, fresh } = planProgram(trace, inputs, outputs);
    const places = this.backend.arena.allocAll(fresh.map(({ storage }) => storage.bytes));
    placePackedWeights(this.backend, fresh, places);
    for (const packed of packedWeights) packed.refresh();
    const base = this.list.take(bytes);
    const address = (storage: Storage): number =>
      storage.ptr === undefined ? base + offsets.get(storage)! : this.address(storage);
    const bound = bind(this.backend, calls, address, stride);
    for (const [storage, data] of trace.constants)
      this.hold(address(storage), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    for (const kernel of kernelsOf(bound)) if (!this.kernels.includes(kernel)) this.kernels.push(kernel);
    const port = ({ storage, offset, shape, dtype }: Tensor): PortPlace => ({
      ptr: address(storage) + offset,
      shape,
      dtype,
      ranges: trace.ranges.get(storage) ?? [],
    });
    return {
      text: encodeCalls(bound, new Map(this.kernels.map((name, i) => [name, i]))),
      inputs: inputs.map(port),
      outputs: outputs.map(port),
    };
  }
}
