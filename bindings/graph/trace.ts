/** Recording: a model runs once over symbolic tensors, and what it would compute becomes a list of kernel calls. */
import { RANDOM_STATE } from "../abi/records.ts";
import { TraceError, UnsupportedError } from "../base/errors.ts";
import { state } from "../runtime/context.ts";
import type { Backend } from "../runtime/backend.ts";
import type { Int8Names } from "./int8_weight.ts";
import {
  Storage,
  type Argument,
  type KernelName,
  type Loop,
  type Stride,
  type ValueRange,
  type Instruction,
} from "./ir.ts";
import type { GradientSink, GradientTape, Inputs, Node } from "./node.ts";
import type { PackedWeight, Parameter } from "./parameter.ts";
import { NeedsWholeBatch, type Shard } from "./shard.ts";
import { sizeOf, type DType, type Shape } from "../base/shape.ts";
import { Tensor, read, write, type ValidSteps } from "./tensor.ts";

/** A value that a layer named for `inspect`. */
export interface Exposed {
  readonly value: Tensor;
  /** Gives its gradient, once it has been recorded. */
  readonly gradient: ((tape: GradientTape) => Tensor | undefined) | undefined;
}

/** What is recorded in one piece: the whole, or one step of a loop in it. */
export class Body {
  readonly loop: Loop | undefined;
  readonly outer: Body | undefined;
  readonly calls: Instruction[] = [];
  readonly nodes: Node[] = [];
  readonly exposed = new Map<string, Exposed>();
  /** Results that several ops share, such as the packing of rows by one mask. */
  readonly memo = new Map<unknown, Map<string, unknown>>();

  constructor(loop?: Loop, outer?: Body) {
    this.loop = loop;
    this.outer = outer;
  }
}

/** What a trace is for. */
export interface TraceOptions {
  /** Dropout and the like act. */
  readonly training?: boolean;
  /** Forward kernels keep what backward kernels need. */
  readonly gradients?: boolean;
  /** Layers name their inner values with {@link Trace.expose}. */
  readonly inspect?: boolean;
  /** Set in a stream's programs: every recurrent layer carries its state here and gives the output of every step. */
  readonly stream?: StateStore;
  /** Where stateful layers carry theirs. */
  readonly stateful?: StateStore;
  /** Where the other recurrent layers carry theirs from one window of a sequence to the next, when it is cut into windows. */
  readonly windows?: StateStore;
  /** Set while a quantised model is built. */
  readonly int8?: Int8Names | undefined;
  /** Which part of a batch the trace is for; absent for a whole one. */
  readonly shard?: Shard | undefined;
  /** Path of each module from the root, for the names of weights, states and inner values. */
  readonly paths?: ReadonlyMap<object, string> | undefined;
}

/** Where states live between runs. */
export interface StateStore {
  /** The placed storage of one state of the layer that the trace is in. */
  state(trace: Trace, name: string, shape: Shape): Storage;
}

export class Trace {
  readonly backend: Backend;
  readonly options: TraceOptions;
  /** What is being recorded now. */
  body = new Body();
  readonly constants = new Map<Storage, Float32Array | Int32Array>();
  readonly parameters = new Map<Parameter, Tensor>();
  readonly packedWeights = new Set<PackedWeight>();
  /** What regularizers add to a loss, by what they are on. */
  readonly penalties = new Map<Tensor, (value: Tensor) => Tensor>();
  /** What losses take as targets: constants, whose gradients nobody is given. */
  readonly targets = new Set<Storage>();
  /** Which steps of the first input [batch, time, ..] count, as the caller of `fit`, `evaluate` or `predict` says. */
  givenSteps: { readonly steps: ValidSteps; readonly shape: Shape } | undefined;
  /** Set when a loss leaves padding out. */
  paddingLeftOut = false;
  /** Inputs whose values are checked before every run, by where they lie. */
  readonly ranges = new Map<Storage, ValueRange[]>();
  /** Takes back what modules have learned from this trace, such as which weights they have, should it come to nothing. */
  readonly undo: (() => void)[] = [];
  /** Path of the module whose `call` runs now. */
  scope = "";
  /** [seed, counter, first row] of this run's random numbers, once something needs them. */
  randomState: Tensor | undefined;
  private sites = 0;
  private unseen = false;

  constructor(backend: Backend, options: TraceOptions = {}) {
    this.backend = backend;
    this.options = options;
  }

  /** Runs `fn` with this trace open. When it throws, what it noted in modules is taken back. */
  run<R>(fn: () => R): R {
    const outer = state.trace;
    state.trace = this;
    try {
      return fn();
    } catch (error) {
      for (const undo of this.undo.splice(0).reverse()) undo();
      throw error;
    } finally {
      state.trace = outer;
    }
  }

  /** Whether forward kernels keep what backward kernels need, or what is to be looked at. */
  get savesForBackward(): boolean {
    return (this.options.gradients === true && !this.unseen) || this.options.inspect === true;
  }

  /**
   * Runs `fn` without keeping anything for the gradient.
   *
   * @returns what it gave, and a function that runs it again: with the same random numbers, and with the ops it applies
   */
  runWithoutSaving<R>(fn: () => R): { result: R; rerun: () => { result: R; nodes: Node[] } } {
    const {
      scope,
      sites,
      body: { nodes },
    } = this;
    const { length } = nodes;
    this.unseen = true;
    const result = fn();
    this.unseen = false;
    nodes.length = length;
    const rerun = (): { result: R; nodes: Node[] } => {
      const [now, later, performed] = [this.scope, this.sites, this.body.nodes];
      const before = performed.length;
      this.scope = scope;
      this.sites = sites;
      const again = fn();
      this.scope = now;
      this.sites = later;
      return { result: again, nodes: performed.splice(before) };
    };
    return { result, rerun };
  }

  /** A temporary. */
  tensor(shape: Shape, dtype: DType = "f32"): Tensor {
    const { loop } = this.body;
    return new Tensor(this, shape, dtype, new Storage(sizeOf(shape) * 4, { loop }), { loop });
  }

  /** A tensor that keeps its place from one run to the next, with the same value unless a call writes it. */
  pinned(shape: Shape, dtype: DType = "f32"): Tensor {
    return new Tensor(this, shape, dtype, new Storage(sizeOf(shape) * 4, { pinned: true }));
  }

  constant(data: Float32Array | Int32Array, shape: Shape = [data.length]): Tensor {
    const tensor = this.pinned(shape, data instanceof Int32Array ? "i32" : "f32");
    this.constants.set(tensor.storage, data);
    return tensor;
  }

  /** The same bytes under another shape, from `first` elements on. */
  view(tensor: Tensor, shape: Shape, first = 0): Tensor {
    const { storage, offset, stride } = tensor;
    return new Tensor(this, shape, tensor.dtype, storage, {
      offset: offset + first * 4,
      loop: this.body.loop,
      stride,
    });
  }

  /**
   * A parameter as a tensor of this trace.
   *
   * @throws UnsupportedError for an int8 weight where gradients are wanted
   */
  parameter(parameter: Parameter): Tensor {
    let tensor = this.parameters.get(parameter);
    if (!tensor) {
      if (parameter.int8 && this.options.gradients)
        throw new UnsupportedError(
          "gradients: expected a model of f32 weights, got a quantised one, which only runs; train the original and quantize it again",
        );
      tensor = new Tensor(this, parameter.shape, parameter.int8 ? "i8" : "f32", parameter.storage);
      tensor.requiresGrad = parameter.trainable && this.options.gradients === true;
      tensor.origin.set("parameter", parameter);
      this.parameters.set(parameter, tensor);
    }
    return tensor;
  }

  /** @throws UnsupportedError when the backend has only the kernels that run models */
  call(kernel: KernelName, ...args: Argument[]): void {
    if (!this.backend.kernels[kernel])
      throw new UnsupportedError(
        `init: expected a kernel module with ${kernel}, got one without; the modules of gatewise/infer run models but do not train them`,
      );
    if (!this.backend.pool?.hasKernel(kernel)) this.needsWholeBatch(`workers without ${kernel}`);
    this.body.calls.push({ kernel, args, scope: this.scope });
  }

  /** Says that what is traced now takes all rows of a batch together. @throws NeedsWholeBatch when it has some of them only */
  needsWholeBatch(why: string): void {
    if (this.options.shard) throw new NeedsWholeBatch(why);
  }

  /** Remembers an op for the gradient. */
  addNode(inputs: Inputs, outputs: readonly Tensor[], backward: (grads: GradientSink) => void): void {
    this.body.nodes.push({ inputs, outputs, scope: this.scope, backward });
  }

  /**
   * Records one step, to be repeated for every step of the loop.
   *
   * @param reversed  from the last step to the first
   */
  repeat<R>(loop: Loop, step: () => R, reversed = false): R {
    const outer = this.body;
    const body = new Body(loop, outer);
    this.body = body;
    try {
      return step();
    } finally {
      this.body = outer;
      outer.calls.push({ loop, reversed, calls: body.calls });
    }
  }

  /** Records before the loop that is being recorded. */
  outsideLoop<R>(record: () => R): R {
    const { body } = this;
    this.body = body.outer!;
    try {
      return record();
    } finally {
      this.body = body;
    }
  }

  /** @throws TraceError for a tensor of another trace, or of a step of a loop outside of it */
  checkOwn(what: string, tensor: Tensor): void {
    if (tensor.trace !== this) {
      throw new TraceError(
        `${what}: expected a tensor of the function that is traced now, got one of another; pass it as an argument`,
      );
    }
    let { loop } = this.body;
    while (loop && loop !== tensor.loop) loop = loop.outer;
    if (loop !== tensor.loop) {
      throw new TraceError(
        `${what}: expected a tensor of the same step, got one that a cell made in a step of its own; give it out as an output or as a state of the cell`,
      );
    }
  }

  /** `make()`, or what it gave for the same key before, in this body or around it. */
  once<R>(subject: unknown, key: string, make: () => R): R {
    for (let body: Body | undefined = this.body; body; body = body.outer) {
      const known = body.memo.get(subject);
      if (known?.has(key)) return known.get(key) as R;
    }
    const result = make();
    const results = this.body.memo.get(subject);
    if (results) results.set(key, result);
    else this.body.memo.set(subject, new Map([[key, result]]));
    return result;
  }

  /** Asks for a check of an input's values before every run. */
  requireRange(tensor: Tensor, range: ValueRange): void {
    const { storage } = tensor;
    const ranges = this.ranges.get(storage);
    if (ranges) ranges.push(range);
    else this.ranges.set(storage, [range]);
  }

  /**
   * Names a value of the current layer for `inspect`.
   *
   * @param gradient  gives its gradient, once it has been recorded
   */
  expose(name: string, make: () => Tensor, gradient?: (tape: GradientTape) => Tensor | undefined): void {
    if (!this.options.inspect) return;
    this.body.exposed.set(this.scope ? `${this.scope}/${name}` : name, { value: make(), gradient });
  }

  /** The random state of this run and the number of this use of it, which makes its numbers its own: another for each step of loops. */
  random(): { state: Tensor; site: Argument } {
    this.randomState ??= this.pinned([Object.keys(RANDOM_STATE).length], "i32");
    const first = this.sites;
    const strides: Stride[] = [];
    let uses = 1;
    for (let { loop } = this.body; loop; loop = loop.outer) {
      strides.push({ loop, by: uses });
      uses *= loop.count;
    }
    this.sites += uses;
    return { state: this.randomState, site: { first, strides } };
  }

  fill(tensor: Tensor, value: number): void {
    this.call("f32_fill", tensor.size, write(tensor), value);
  }

  copy(from: Tensor, to: Tensor): void {
    this.call("f32_copy", from.size, read(from), write(to));
  }

  zeros(shape: Shape): Tensor {
    const tensor = this.tensor(shape);
    this.fill(tensor, 0);
    return tensor;
  }
}

/**
 * The open trace.
 *
 * @throws TraceError when there is none: ops and layers only record
 */
export function currentTrace(what: string): Trace {
  const trace = state.trace as Trace | undefined;
  if (!trace) {
    throw new TraceError(
      `${what}: expected to be called while a function is traced, got a call outside; wrap it in jit(module, fn), valueAndGrad or trainStep, or use predict`,
    );
  }
  return trace;
}
