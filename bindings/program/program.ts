/** A traced function made ready: kernel calls with their addresses, over one block of memory that the program owns. */
import { DisposedError } from "../base/errors.ts";
import type { Backend } from "../runtime/backend.ts";
import type { Storage, Instruction } from "../graph/ir.ts";
import type { WorkerPool } from "../runtime/threads/worker_pool.ts";
import { bind, placePackedWeights } from "./bind.ts";
import { callsFor, layOut, liveCalls, type Layout } from "./layout.ts";
import type { PackedWeight, ParameterBlock } from "../graph/parameter.ts";
import { Port } from "./port.ts";
import { replay, type BoundCall } from "../runtime/replay.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";

/** Programs of a backend that stay compiled; the one unused longest makes room. Streams keep theirs outside this count. */
const KEPT = 64;

export interface ProgramOptions {
  /** Not evicted by others: only its owner disposes of it. */
  readonly lasting?: boolean;
  /** Where the owner lists its programs; left on disposal. */
  readonly owner?: Set<Program>;
  /** Outputs that {@link Program.runPrologue} computes: they depend on inputs only, not on anything that a run changes. */
  readonly prologueOutputs?: readonly Tensor[] | undefined;
}

/** Where everything of a program will lie, before any of it has memory. */
export interface ProgramPlan extends Layout {
  readonly calls: readonly Instruction[];
  readonly packedWeights: readonly PackedWeight[];
  /** Packed weights that have no memory yet. */
  readonly fresh: readonly PackedWeight[];
}

/** Lays a trace out. */
export function planProgram(trace: Trace, inputs: readonly Tensor[], outputs: readonly Tensor[]): ProgramPlan {
  const ends = [...inputs, ...outputs, ...(trace.randomState ? [trace.randomState] : [])];
  const kept = new Set<Storage>(trace.constants.keys());
  for (const { storage } of ends) if (storage.ptr === undefined) kept.add(storage);
  const calls = liveCalls(trace.body.calls, kept);
  const packedWeights = [...trace.packedWeights];
  return {
    calls,
    ...layOut(calls, kept, !trace.options.inspect),
    packedWeights,
    fresh: packedWeights.filter(({ storage }) => storage.ptr === undefined),
  };
}

/** Bytes that making the program would take. */
export const programBytes = ({ bytes, fresh }: ProgramPlan): number =>
  fresh.reduce((sum, { storage }) => sum + storage.bytes, bytes);

export class Program {
  readonly backend: Backend;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** [seed, counter, first row], when anything random runs. */
  readonly random: Port | undefined;
  /** Bytes of the block this program owns. */
  readonly bytes: number;
  readonly lasting: boolean;
  disposed = false;
  private readonly bound: readonly BoundCall[];
  /** Those of them that lead to the outputs of the prologue. */
  private readonly prologue: readonly BoundCall[];
  /** Where else it runs: the worker that has it, and its number there. */
  private remote: { readonly pool: WorkerPool; readonly worker: number; readonly program: number } | undefined;
  private readonly packedWeights: readonly PackedWeight[];
  private readonly blocks: ReadonlySet<ParameterBlock>;
  private readonly ptr: number;
  private readonly owner: Set<Program> | undefined;

  /**
   * Lays the trace out and places it. Everything it reads of parameters must be placed already.
   *
   * @throws MemoryError, DisposedError
   */
  constructor(
    trace: Trace,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    { lasting = false, owner, prologueOutputs = [] }: ProgramOptions = {},
  ) {
    const { backend } = trace;
    this.backend = backend;
    this.blocks = new Set([...trace.parameters.keys()].map(({ block }) => block!));
    for (const block of this.blocks) block.throwIfDisposed();
    const { calls, offsets, bytes, stride, packedWeights, fresh } = planProgram(trace, inputs, outputs);
    this.bytes = bytes;
    this.packedWeights = packedWeights;
    const [ptr, ...places] = backend.arena.allocAll([bytes, ...fresh.map(({ storage }) => storage.bytes)]);
    this.ptr = ptr;

    const address = (storage: Storage): number => storage.ptr ?? this.ptr + offsets.get(storage)!;
    const bound = (list: readonly Instruction[]): BoundCall[] => bind(backend, list, address, stride);
    placePackedWeights(backend, fresh, places);
    this.bound = bound(calls);
    this.prologue = bound(callsFor(calls, new Set(prologueOutputs.map(({ storage }) => storage))));
    for (const [storage, data] of trace.constants) {
      if (data instanceof Int32Array) backend.heap.i32(address(storage), data.length).set(data);
      else backend.heap.f32(address(storage), data.length).set(data);
    }
    const port = (tensor: Tensor): Port =>
      new Port(
        backend,
        address(tensor.storage) + tensor.offset,
        tensor.shape,
        tensor.dtype,
        trace.ranges.get(tensor.storage),
      );
    this.inputs = inputs.map(port);
    this.outputs = outputs.map(port);
    this.random = trace.randomState && port(trace.randomState);
    this.owner = owner;
    this.lasting = lasting;
    owner?.add(this);
    for (const block of this.blocks) block.programs.add(this);
    if (!lasting) this.keep();
  }

  private keep(): void {
    const { cached } = this.backend.arena;
    cached.add(this);
    const [oldest] = cached;
    if (cached.size > KEPT) oldest.dispose();
  }

  /** Marks this program as the one used last. */
  markUsed(): void {
    const { cached } = this.backend.arena;
    if (cached.delete(this)) cached.add(this);
  }

  /** @throws DisposedError when weights that it works on have been freed */
  run(): void {
    this.refresh();
    replay(this.bound);
  }

  /** Computes those outputs that depend on inputs only, before the rest of the program runs. */
  runPrologue(): void {
    replay(this.prologue);
  }

  /** Brings up to date what is derived from weights. */
  private refresh(): void {
    if (this.disposed)
      throw new DisposedError("program: expected weights of a live model, got those of one that was disposed of");
    for (let i = 0; i < this.packedWeights.length; i++) this.packedWeights[i].refresh();
  }

  /**
   * Runs programs at the same time: the first one here, each other one on a worker of its own. None may write what another
   * one reads or writes.
   *
   * @throws DisposedError, MemoryError, WorkerError; nobody can tell then which of them have run
   */
  static runInParallel(pool: WorkerPool, programs: readonly Program[]): void {
    for (let i = 0; i < programs.length; i++) {
      programs[i].refresh();
      if (i > 0) programs[i].remote ??= { pool, worker: i - 1, program: pool.loadProgram(i - 1, programs[i].bound) };
    }
    let started = 0;
    try {
      for (; started < programs.length - 1; started++) pool.start(started, programs[started + 1].remote!.program);
      replay(programs[0].bound);
    } finally {
      for (let worker = 0; worker < started; worker++) pool.wait(worker);
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.backend.arena.cached.delete(this);
    this.owner?.delete(this);
    for (const block of this.blocks) block.programs.delete(this);
    const { remote } = this;
    this.remote = undefined;
    remote?.pool.drop(remote.worker, remote.program);
    this.backend.arena.free(this.ptr);
  }
}
