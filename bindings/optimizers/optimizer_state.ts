/** An optimizer at work on one model: slots beside the weights, a block of scalars, and the calls that update. */
import { OptionError, StateError, nearest } from "../base/errors.ts";
import type { Optimizer } from "./index.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { FlatRange, Parameter, ParameterBlock } from "../graph/parameter.ts";
import { Port } from "../program/port.ts";
import { placed, type Operand } from "../graph/ir.ts";
import { read, type Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";
import type { SavedOptimizer } from "../saving/metadata.ts";
import type { ArrayRecord, ModuleBase } from "../module/module_base.ts";

/** Byte offsets in the control block: whether gradients are finite, an update is due, and both; sums of squares; hyperparameters. */
const FINITE = 0;
const DUE = 4;
const OPEN = 8;
const SUM_OF_SQUARES = 16;
const TENSOR_SUM = 24;
const AVERAGE = 32;
const RATES = 48;

/** Floats of hyperparameters at most; there is a list of them for each learning rate. */
const HYPER = 16;

/** Added to a norm before dividing by it, so that a zero gradient stays one. */
const NORM_EPSILON = { keras: 0, torch: 1e-6 } as const;

/** State of an optimizer that was saved, waiting for the first optimizer of its kind. */
export interface WaitingOptimizer {
  readonly saved: SavedOptimizer;
  /** By slot, then by weight. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>;
}

const gradientAt = (block: ParameterBlock, offset: number): Operand => placed(block.gradientPtr() + offset * 4);

/** The weights with the same hyperparameters. */
interface Group {
  /** Path of their learning rate; undefined is that of all other weights. */
  readonly path: string | undefined;
  /** Whether weight decay is for them. */
  readonly decays: boolean;
}

export class Updater {
  readonly optimizer: Optimizer;
  /** Whether others than `compile` work with it, who do not say when they are done. */
  shared = false;
  private readonly model: ModuleBase;
  private readonly control: number;
  /** Of the control block: what is written before a step, and what is read after it. */
  private readonly ports: {
    readonly finite: Port;
    readonly due: Port;
    readonly average: Port;
    readonly hypers: readonly Port[];
  };
  /** In the order of their hyperparameters. */
  private readonly groups: readonly Group[];
  private readonly starts: readonly number[];
  /** What the slots are listed under: nothing that a block holds may lead to the model. */
  private readonly key = {};
  /** What frees the control block. */
  private readonly hold: { dispose(): void };
  /** What it updates: the blocks there were when it was last recorded. */
  private readonly blocks = new Set<ParameterBlock>();
  private step = 0;

  constructor(model: ModuleBase, optimizer: Optimizer) {
    this.model = model;
    this.optimizer = optimizer;
    const decays = optimizer.withoutDecay.length > 0 ? [true, false] : [true];
    this.groups = [undefined, ...Object.keys(optimizer.learningRates)].flatMap((path) =>
      decays.map((decay) => ({ path, decays: decay })),
    );
    this.starts = Object.values(optimizer.slotValues);
    const { arena, heap } = model.backend;
    const control = arena.alloc(RATES + this.groups.length * HYPER * 4);
    this.control = control;
    const port = (offset: number, floats: number, dtype: "f32" | "i32" = "f32"): Port =>
      new Port(heap, control + offset, [floats], dtype);
    this.ports = {
      finite: port(FINITE, 1, "i32"),
      due: port(DUE, 1, "i32"),
      average: port(AVERAGE, 4),
      hypers: this.groups.map((_, i) => port(RATES + i * HYPER * 4, HYPER)),
    };
    // not the updater itself: what a model owns must not keep the model alive
    this.hold = { dispose: () => arena.free(control) };
    model.owned.add(this.hold);
  }

  /** Frees its memory. No program may work with it any more. */
  dispose(): void {
    for (const block of new Set([...this.blocks, ...this.model.parameterBlocks()])) block.freeSlots(this.key);
    if (this.model.owned.delete(this.hold)) this.hold.dispose();
  }

  private at(offset: number): Operand {
    return placed(this.control + offset);
  }

  /** Visits runs of the weights that it trains, or of some of them. */
  private eachRange(visit: (block: ParameterBlock, range: FlatRange) => void, some?: ReadonlySet<Parameter>): void {
    // of its own: the block of a layer may be that of the model around it
    const own = some ?? new Set(this.model.trainableParameters().map(([, parameter]) => parameter));
    for (const block of this.blocks) for (const range of block.rangesOf(own)) visit(block, range);
  }

  /** A slot of a run of weights; 0 for one that is not kept. */
  private slot(block: ParameterBlock, { offset }: FlatRange, name: string): Operand | 0 {
    const i = this.optimizer.slots.indexOf(name);
    return i < 0 ? 0 : placed(block.slotPtrs(this.key, this.starts)[i] + offset * 4);
  }

  /** The weights of each group. @throws OptionError for a path that leads to no weight */
  private members(): ReadonlySet<Parameter>[] {
    const { learningRates, withoutDecay, kind } = this.optimizer;
    const names = this.model.parameters().map(([name]) => name);
    checkPaths(`optimizers.${kind}: expected learningRates`, Object.keys(learningRates), names.flatMap(pathsTo));
    checkPaths(`optimizers.${kind}: expected excludeFromWeightDecay`, withoutDecay, names.flatMap(namesFor));
    const sets = this.groups.map(() => new Set<Parameter>());
    for (const [name, parameter] of this.model.trainableParameters()) {
      const longest = pathsTo(name)
        .filter((path) => Object.hasOwn(learningRates, path))
        .at(-1);
      const plain = namesFor(name).some((path) => withoutDecay.includes(path));
      sets[this.groups.findIndex(({ path, decays }) => path === longest && decays === !plain)].add(parameter);
    }
    return sets;
  }

  /** Whether what was recorded leaves weights out that have come since. */
  get outdated(): boolean {
    return this.model.parameterBlocks().some((block) => !this.blocks.has(block));
  }

  /** Records what follows the gradients: the check that all is finite, sums, clipping, and one pass of the update per run of weights. */
  record(trace: Trace, loss: Tensor | undefined): void {
    const { optimizer } = this;
    for (const block of this.model.parameterBlocks()) this.blocks.add(block);
    const members = this.members();
    const accumulates = optimizer.stepsPerUpdate > 1;
    if (accumulates) {
      this.eachRange((block, range) => {
        const gradient = gradientAt(block, range.offset);
        trace.call("f32_vadd", range.size, gradient, this.slot(block, range, "gradients"), gradient);
      });
    }
    this.sumSquares(trace);
    const value = loss ? read(loss) : this.at(RATES); // without a loss the learning rate stands in, which is finite
    trace.call("f32_guard", this.at(SUM_OF_SQUARES), value, 0, this.at(FINITE));
    if (accumulates) this.accumulate(trace, value);
    this.clip(trace, accumulates);
    for (const [i, parameters] of members.entries()) {
      const hyper = this.at(RATES + i * HYPER * 4);
      this.eachRange(
        (block, range) =>
          optimizer.record(
            trace,
            {
              size: range.size,
              gradient: gradientAt(block, range.offset),
              parameter: placed(block.ptr + range.offset * 4),
              hyper,
              guard: this.at(accumulates ? OPEN : FINITE),
            },
            (name) => this.slot(block, range, name),
          ),
        parameters,
      );
    }
    if (optimizer.averages) {
      this.eachRange((block, range) =>
        trace.call(
          "f32_average",
          range.size,
          placed(block.ptr + range.offset * 4),
          this.slot(block, range, "ema"),
          this.at(AVERAGE),
          this.at(FINITE),
        ),
      );
    }
    this.constrain(trace);
  }

  /** Records that gradients are kept, or, when an update is due, are the mean over its steps. */
  private accumulate(trace: Trace, value: Operand | 0): void {
    trace.call("f32_guard", this.at(SUM_OF_SQUARES), value, this.at(DUE), this.at(OPEN));
    this.eachRange((block, range) =>
      trace.call(
        "f32_accumulate",
        range.size,
        gradientAt(block, range.offset),
        this.slot(block, range, "gradients"),
        this.at(DUE),
        this.at(FINITE),
        1 / this.optimizer.stepsPerUpdate,
      ),
    );
  }

  /** @param changed  whether gradients are others than when their squares were summed */
  private clip(trace: Trace, changed: boolean): void {
    const {
      clipping: { clipNorm, globalClipNorm, clipValue },
      convention,
    } = this.optimizer;
    const epsilon = NORM_EPSILON[convention];
    if (clipNorm !== undefined) this.clipEach(trace, clipNorm, epsilon);
    if (globalClipNorm !== undefined && (changed || clipNorm !== undefined)) this.sumSquares(trace);
    this.eachRange((block, { offset, size }) => {
      if (globalClipNorm !== undefined)
        trace.call("f32_clip_norm", size, gradientAt(block, offset), this.at(SUM_OF_SQUARES), globalClipNorm, epsilon);
      if (clipValue !== undefined) trace.call("f32_clip_value", size, gradientAt(block, offset), clipValue);
    });
  }

  /** Records the square of the norm of all gradients. */
  private sumSquares(trace: Trace): void {
    trace.call("f32_fill", 2, this.at(SUM_OF_SQUARES), 0);
    this.eachRange((block, { offset, size }) =>
      trace.call("f32_rsumsq_acc", size, gradientAt(block, offset), this.at(SUM_OF_SQUARES)),
    );
  }

  /** Records what holds for weights after the update. */
  private constrain(trace: Trace): void {
    for (const [, parameter] of this.model.trainableParameters()) {
      if (!parameter.constraint) continue;
      const weight = trace.parameter(parameter);
      trace.copy(
        trace.run(() => parameter.constraint!(weight)),
        weight,
      );
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

  /** Writes what kernels read about the step that comes. @throws OptionError when a schedule gives no rate; nothing has been written then */
  before(): void {
    const { optimizer, step, ports } = this;
    const lists = this.groups.map(({ path, decays }) => optimizer.hyper(step, path, decays));
    lists.forEach((list, i) => ports.hypers[i].view.set(list));
    ports.due.writeScalar(+((step + 1) % optimizer.stepsPerUpdate === 0));
    if (optimizer.averages) ports.average.view.set(optimizer.averageHyper(step));
  }

  /** Takes note of the step that ran. @returns false when it was skipped because loss or gradients were not finite */
  after(): boolean {
    if (this.ports.finite.view[0] === 0) return false;
    this.step++;
    for (const block of this.blocks) block.version++;
    return true;
  }

  /** Makes averages the weights, where there are any. */
  finish(): void {
    if (!this.optimizer.averages || this.step === 0) return;
    for (const [, parameter] of this.model.trainableParameters()) {
      const block = parameter.block!;
      if (!this.blocks.has(block)) continue;
      block.view(parameter).set(this.slotView(parameter, "ema"));
      block.version++;
    }
  }

  private slotView(parameter: Parameter, slot: string): Float32Array {
    const block = parameter.block!;
    return block.view(parameter, block.slotPtrs(this.key, this.starts)[this.optimizer.slots.indexOf(slot)]);
  }

  /** Slots and counters for a file. */
  saved(): { optimizer: SavedOptimizer; slots: Record<string, ArrayRecord> } {
    const { kind, slots } = this.optimizer;
    const records = slots.map((slot): [string, ArrayRecord] => [
      slot,
      Object.fromEntries(
        this.model
          .trainableParameters()
          .map(([name, parameter]): [string, NDArray] => [
            name,
            { data: this.slotView(parameter, slot).slice(), shape: [...parameter.shape] },
          ]),
      ),
    ]);
    return { optimizer: { kind, step: this.step, slots }, slots: Object.fromEntries(records) };
  }

  /** Goes on where a saved optimizer of the same kind was. */
  restore({ saved, slots }: WaitingOptimizer): void {
    this.step = saved.step;
    for (const [name, parameter] of this.model.trainableParameters()) {
      this.blocks.add(parameter.block!);
      for (const slot of this.optimizer.slots) this.slotView(parameter, slot).set(slots.get(slot)!.get(name)!);
    }
  }
}

/** A weight's name, and the paths that lead to it, the shortest first. */
function pathsTo(name: string): string[] {
  const parts = name.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** The paths that lead to a weight, and what it is called in its layer. */
const namesFor = (name: string): string[] => [...pathsTo(name), name.slice(name.lastIndexOf("/") + 1)];

function checkPaths(expected: string, paths: readonly string[], names: readonly string[]): void {
  const known = [...new Set(names)];
  const odd = paths.find((path) => !known.includes(path));
  if (odd !== undefined)
    throw new OptionError(`${expected} of ${known.join(", ")}, got "${odd}"${nearest(odd, known)}`);
}

const updaters = new WeakMap<ModuleBase, Map<Optimizer, Updater>>();
const waiting = new WeakMap<ModuleBase, WaitingOptimizer>();

function checkKind({ saved }: WaitingOptimizer, { kind, slots }: Optimizer): void {
  if (saved.kind === kind && String(saved.slots) === String(slots)) return;
  throw new StateError(
    `compile: expected the optimizer "${saved.kind}" with slots ${saved.slots.join(", ") || "none"}, whose state was loaded, got "${kind}" with ${slots.join(", ") || "none"}`,
  );
}

/** The optimizer's place in a model; its slots belong to the model. The first one takes over a state that was loaded. @throws StateError when that was of another kind */
export function updaterOf(model: ModuleBase, optimizer: Optimizer): Updater {
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

/** Frees what an optimizer remembers of a model, unless others than `compile` work with it. */
export function release(model: ModuleBase, optimizer: Optimizer): void {
  const updater = updaters.get(model)?.get(optimizer);
  if (!updater || updater.shared) return;
  updaters.get(model)!.delete(optimizer);
  updater.dispose();
}

/** Keeps a loaded optimizer's state for the first optimizer, or gives it to the one there is. @throws StateError when that is of another kind */
export function offerState(model: ModuleBase, state: WaitingOptimizer, current: Updater | undefined): void {
  if (!current) {
    waiting.set(model, state);
    return;
  }
  checkKind(state, current.optimizer);
  current.restore(state);
}
