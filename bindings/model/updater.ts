/** An optimizer at work on one model: slots beside the weights, a block of scalars, and the calls that update. */
import { OptionError, ShapeError, StateError, ValueError, nearest } from "../errors.ts";
import type { Optimizer } from "../optimizers.ts";
import { normalize, type NDArray, type Normalized } from "../program/array.ts";
import type { FlatRange, Parameter, ParameterBlock } from "../program/parameters.ts";
import { Program } from "../program/program.ts";
import { describe, placed, read, sameShape, type Operand, type Tensor } from "../program/tensor.ts";
import { Trace } from "../program/trace.ts";
import type { SavedOptimizer } from "./files.ts";
import type { ArrayRecord, Network } from "./network.ts";

/** Floats of hyperparameters at most. */
const HYPER = 16;

/** Byte offsets in the control block. */
const GUARD = HYPER * 4;
const SUM_OF_SQUARES = GUARD + 8;
const TENSOR_SUM = SUM_OF_SQUARES + 8;
const CONTROL_BYTES = TENSOR_SUM + 8;

/** Added to a norm before dividing by it, so that a zero gradient stays one. */
const NORM_EPSILON = { keras: 0, torch: 1e-6 } as const;

/** State of an optimizer that was saved, waiting for the first optimizer of its kind. */
export interface WaitingOptimizer {
  readonly saved: SavedOptimizer;
  /** By slot, then by weight. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>;
}

const gradientAt = (block: ParameterBlock, offset: number): Operand => placed(block.gradientPtr() + offset * 4);

export class Updater {
  readonly optimizer: Optimizer;
  private readonly model: Network;
  private readonly control: number;
  /** What the slots are listed under: nothing that a block holds may lead to the model. */
  private readonly key = {};
  /** What it updates: the blocks there were when it was last recorded. */
  private readonly blocks = new Set<ParameterBlock>();
  private step = 0;

  constructor(model: Network, optimizer: Optimizer) {
    this.model = model;
    this.optimizer = optimizer;
    const { arena } = model.backend;
    const control = arena.alloc(CONTROL_BYTES);
    this.control = control;
    // not the updater itself: what a model owns must not keep the model alive
    model.owned.add({ dispose: () => arena.free(control) });
  }

  private at(offset: number): Operand {
    return placed(this.control + offset);
  }

  private eachRange(visit: (block: ParameterBlock, range: FlatRange) => void): void {
    // of its own: the block of a layer may be that of the model around it
    const own = new Set(this.model.trainableParameters().map(([, parameter]) => parameter));
    for (const block of this.blocks) for (const range of block.rangesOf(own)) visit(block, range);
  }

  /** Whether what was recorded leaves weights out that have come since. */
  get outdated(): boolean {
    return this.model.parameterBlocks().some((block) => !this.blocks.has(block));
  }

  /** Records what follows the gradients: the check that all is finite, clipping, and one pass of the update per run of weights. */
  record(trace: Trace, loss: Tensor | undefined): void {
    const { optimizer } = this;
    for (const block of this.model.parameterBlocks()) this.blocks.add(block);
    const { clipNorm, globalClipNorm, clipValue } = optimizer.clipping;
    this.sumSquares(trace);
    // without a loss the learning rate stands in, which is finite
    trace.call("f32_guard", this.at(SUM_OF_SQUARES), loss ? read(loss) : this.at(0), this.at(GUARD));
    const epsilon = NORM_EPSILON[optimizer.convention];
    if (clipNorm !== undefined) this.clipEach(trace, clipNorm, epsilon);
    if (clipNorm !== undefined && globalClipNorm !== undefined) this.sumSquares(trace);
    this.eachRange((block, { offset, size }) => {
      if (globalClipNorm !== undefined) trace.call("f32_clip_norm", size, gradientAt(block, offset), this.at(SUM_OF_SQUARES), globalClipNorm, epsilon);
      if (clipValue !== undefined) trace.call("f32_clip_value", size, gradientAt(block, offset), clipValue);
      optimizer.record(trace, {
        size,
        gradient: gradientAt(block, offset),
        parameter: placed(block.ptr + offset * 4),
        slots: block.slotPtrs(this.key, optimizer.slots.length).map((ptr) => placed(ptr + offset * 4)),
        hyper: this.at(0),
        guard: this.at(GUARD),
      });
    });
    this.constrain(trace);
  }

  /** Records the square of the norm of all gradients. */
  private sumSquares(trace: Trace): void {
    trace.call("f32_fill", 2, this.at(SUM_OF_SQUARES), 0);
    this.eachRange((block, { offset, size }) => trace.call("f32_rsumsq_acc", size, gradientAt(block, offset), this.at(SUM_OF_SQUARES)));
  }

  /** Records what holds for weights after the update. */
  private constrain(trace: Trace): void {
    for (const [, parameter] of this.model.trainableParameters()) {
      if (!parameter.constraint) continue;
      const weight = trace.parameter(parameter);
      trace.copy(trace.run(() => parameter.constraint!(weight)), weight);
    }
  }

  private clipEach(trace: Trace, limit: number, epsilon: number): void {
    for (const [, parameter] of this.model.trainableParameters()) {
      const gradient = placed(parameter.block!.gradientPtr() + parameter.offset * 4);
      trace.call("f32_fill", 2, this.at(TENSOR_SUM), 0);
      trace.call("f32_rsumsq_acc", parameter.size, gradient, this.at(TENSOR_SUM));
      trace.call("f32_clip_norm", parameter.size, gradient, this.at(TENSOR_SUM), limit, epsilon);
    }
  }

  /** Writes the hyperparameters of the update that comes. */
  before(): void {
    this.model.backend.heap.f32(this.control, HYPER).set(this.optimizer.hyper(this.step));
  }

  /** Takes note of the update that ran. @returns false when it was skipped because loss or gradients were not finite */
  after(): boolean {
    if (this.model.backend.heap.i32(this.control + GUARD, 1)[0] === 0) return false;
    this.step++;
    for (const block of this.blocks) block.version++;
    return true;
  }

  /** Slots and counters for a file. */
  saved(): { optimizer: SavedOptimizer; slots: Record<string, ArrayRecord> } {
    const { kind, slots } = this.optimizer;
    const records = slots.map((slot, i): [string, ArrayRecord] => [slot, Object.fromEntries(
      this.model.trainableParameters().map(([name, parameter]): [string, NDArray] => {
        const block = parameter.block!;
        return [name, { data: block.view(parameter, block.slotPtrs(this.key, slots.length)[i]).slice(), shape: [...parameter.shape] }];
      }),
    )]);
    return { optimizer: { kind, step: this.step, slots }, slots: Object.fromEntries(records) };
  }

  /** Goes on where a saved optimizer of the same kind was. */
  restore({ saved, slots }: WaitingOptimizer): void {
    const { optimizer } = this;
    this.step = saved.step;
    for (const [name, parameter] of this.model.trainableParameters()) {
      const block = parameter.block!;
      optimizer.slots.forEach((slot, i) =>
        block.view(parameter, block.slotPtrs(this.key, optimizer.slots.length)[i]).set(slots.get(slot)!.get(name)!));
    }
  }
}

const updaters = new WeakMap<Network, Map<Optimizer, Updater>>();
const waiting = new WeakMap<Network, WaitingOptimizer>();

function checkKind({ saved }: WaitingOptimizer, { kind, slots }: Optimizer): void {
  if (saved.kind === kind && String(saved.slots) === String(slots)) return;
  throw new StateError(`compile: expected the optimizer "${saved.kind}" with slots ${saved.slots.join(", ") || "none"}, whose state was loaded, got "${kind}" with ${slots.join(", ") || "none"}`);
}

/** The optimizer's place in a model; its slots belong to the model. The first one takes over a state that was loaded. @throws StateError when that was of another kind */
export function updaterOf(model: Network, optimizer: Optimizer): Updater {
  let known = updaters.get(model);
  if (!known) updaters.set(model, (known = new Map()));
  let updater = known.get(optimizer);
  if (!updater) {
    const state = waiting.get(model);
    if (state) checkKind(state, optimizer);
    updater = new Updater(model, optimizer);
    if (state) updater.restore(state);
    waiting.delete(model);
    known.set(optimizer, updater);
  }
  return updater;
}

/** Keeps a loaded optimizer's state for the first optimizer, or gives it to the one there is. @throws StateError when that is of another kind */
export function offerState(model: Network, state: WaitingOptimizer, current: Updater | undefined): void {
  if (!current) {
    waiting.set(model, state);
    return;
  }
  checkKind(state, current.optimizer);
  current.restore(state);
}

const appliers = new WeakMap<Updater, Program>();

/** See {@link Optimizer.apply}. */
export function applyGradients(optimizer: Optimizer, model: Network, grads: Record<string, NDArray>): void {
  model.throwIfDisposed();
  if (!model.built) throw new StateError("apply: expected a model with weights, got one that is not built");
  const trainable = new Map(model.trainableParameters());
  const names = [...trainable.keys()];
  const checked = Object.entries(grads).map(([name, value]): [Parameter, Normalized["data"]] => {
    const parameter = trainable.get(name);
    if (!parameter) throw new OptionError(`apply: expected gradients of ${names.join(", ")}, got "${name}"${nearest(name, names)}`);
    const { data, shape } = normalize(value, `apply: "${name}"`);
    if (!sameShape(shape, parameter.shape)) throw new ShapeError(`apply: expected "${name}" ${describe(parameter.shape)}, got ${describe(shape)}`);
    return [parameter, data];
  });
  const updater = updaterOf(model, optimizer);
  for (const block of model.parameterBlocks()) model.backend.heap.f32(block.gradientPtr(), block.floats).fill(0);
  for (const [parameter, data] of checked) parameter.block!.view(parameter, parameter.block!.gradientPtr()).set(data);
  let program = appliers.get(updater);
  if (!program || program.disposed || updater.outdated) {
    program?.dispose();
    const trace = new Trace(model.backend);
    updater.record(trace, undefined);
    appliers.set(updater, (program = new Program(trace, [], [], { owner: model.ownPrograms })));
  }
  updater.before();
  program.run();
  if (!updater.after()) throw new ValueError("apply: expected finite gradients, got one that is not; the weights are as before");
}
