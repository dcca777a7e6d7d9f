/** Recording: a model runs once over symbolic tensors, and what it would compute becomes a list of kernel calls. */
import { TraceError, UnsupportedError } from "../base/errors.ts";
import type { Kernels } from "../generated/kernels.ts";
import { state } from "../runtime/context.ts";
import type { Backend } from "../runtime/load.ts";
import type { Gradients, Tape } from "./backward.ts";
import type { Int8Names } from "./int8_weight.ts";
import { needsWholeBatch, type Shard } from "./shard.ts";
import type { Derived, Parameter } from "./parameter.ts";
import { sizeOf, type DType, type Shape } from "../base/shape.ts";
import { Storage, Tensor, read, write, type Counter, type Loop, type Move, type Operand } from "./tensor.ts";

export type KernelName = keyof Kernels;

/** A kernel call before its pointers are known. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: readonly Argument[];
}

export type Argument = number | Operand | Counter;

/** Calls that are repeated for every step of a loop, from its first or from its last. */
export interface Repeat {
  readonly loop: Loop;
  readonly reversed: boolean;
  readonly calls: readonly Recorded[];
}

export type Recorded = Call | Repeat;

/** A value that a layer named for `inspect`. */
export interface Exposed {
  readonly value: Tensor;
  /** Gives its gradient, once it has been recorded. */
  readonly gradient: ((tape: Tape) => Tensor | undefined) | undefined;
}

/** What is recorded in one piece: the whole, or one step of a loop in it. */
export class Body {
  readonly loop: Loop | undefined;
  readonly outer: Body | undefined;
  readonly calls: Recorded[] = [];
  readonly nodes: Node[] = [];
  readonly exposed = new Map<string, Exposed>();
  /** Results that several ops share, such as the packing of rows by one mask. */
  readonly memo = new Map<unknown, Map<string, unknown>>();

  constructor(loop?: Loop, outer?: Body) {
    this.loop = loop;
    this.outer = outer;
  }
}

export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Shares the bytes of this input instead of having its own. */
  readonly viewOf?: Tensor;
}

export type Inputs = readonly (Tensor | undefined)[];

/**
 * One differentiable operation. Its functions record kernel calls; absent optional inputs are undefined.
 * An op without `backward` stops gradients.
 */
export interface Op<C = void> {
  readonly name: string;
  /** Takes int8 weights as they are; others are given the floats these stand for. */
  readonly int8?: boolean;
  /** Checks the inputs, naming the one that is wrong, and says what comes out. */
  shape(inputs: Inputs, config: C, trace: Trace): TensorSpec[];
  forward(trace: Trace, inputs: Inputs, outputs: Tensor[], config: C): void;
  backward?(trace: Trace, inputs: Inputs, outputs: Tensor[], grads: Gradients, config: C): void;
}

/** An op as it was applied: what the gradient walks back over. */
export interface Node {
  readonly op: Op<unknown>;
  readonly inputs: Inputs;
  readonly outputs: Tensor[];
  readonly config: unknown;
  readonly scope: string;
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

/** Values that must hold for an input array because a kernel trusts them: 0 ≤ value < below (or ≤ most). */
export interface Range {
  readonly below: number;
  /** A value that is allowed besides: that of labels to ignore. */
  readonly except?: number | undefined;
  readonly what: string;
}

export class Trace {
  readonly backend: Backend;
  readonly options: TraceOptions;
  /** What is being recorded now. */
  body = new Body();
  readonly constants = new Map<Storage, Float32Array | Int32Array>();
  readonly parameters = new Map<Parameter, Tensor>();
  readonly derived = new Set<Derived>();
  /** What regularizers add to a loss, by what they are on. */
  readonly penalties = new Map<Tensor, (value: Tensor) => Tensor>();
  /** What losses take as targets: constants, whose gradients nobody is given. */
  readonly targets = new Set<Storage>();
  /** Inputs whose values are checked before every run, by where they lie. */
  readonly ranges = new Map<Storage, Range[]>();
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
  get keeps(): boolean {
    return (this.options.gradients === true && !this.unseen) || this.options.inspect === true;
  }

  /**
   * Runs `fn` without keeping anything for the gradient.
   *
   * @returns what it gave, and a function that runs it again: with the same random numbers, and with the ops it applies
   */
  rehearse<R>(fn: () => R): { result: R; perform: () => { result: R; nodes: Node[] } } {
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
    const perform = (): { result: R; nodes: Node[] } => {
      const [now, later, performed] = [this.scope, this.sites, this.body.nodes];
      const before = performed.length;
      this.scope = scope;
      this.sites = sites;
      const again = fn();
      this.scope = now;
      this.sites = later;
      return { result: again, nodes: performed.splice(before) };
    };
    return { result, perform };
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
    const { storage, offset, move } = tensor;
    return new Tensor(this, shape, tensor.dtype, storage, { offset: offset + first * 4, loop: this.body.loop, move });
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
    if (!this.backend.pool?.knows(kernel)) needsWholeBatch(this, `workers without ${kernel}`);
    this.body.calls.push({ kernel, args });
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
  before<R>(record: () => R): R {
    const { body } = this;
    this.body = body.outer!;
    try {
      return record();
    } finally {
      this.body = body;
    }
  }

  /** An int8 weight as floats, for ops that know none: a copy in this program. */
  private dequantized(weight: Tensor): Tensor {
    return this.once(weight, "floats", () => {
      const parameter = weight.origin.get("parameter") as Parameter;
      // without a place yet it has only a shape, and so has this trace
      return this.constant(parameter.block?.floatsOf(parameter) ?? new Float32Array(parameter.size), parameter.shape);
    });
  }

  /** Applies an op: records its forward calls and remembers it for the gradient. */
  apply<C>(op: Op<C>, given: Inputs, config: C): Tensor[] {
    for (const input of given) if (input) this.own(op.name, input);
    const inputs = op.int8 ? given : given.map((input) => (input?.dtype === "i8" ? this.dequantized(input) : input));
    const outputs = op
      .shape(inputs, config, this)
      .map(({ shape, dtype = "f32", viewOf }) => (viewOf ? this.view(viewOf, shape) : this.tensor(shape, dtype)));
    const differentiable = this.options.gradients && op.backward !== undefined;
    if (differentiable && inputs.some((input) => input?.requiresGrad)) {
      for (const output of outputs) output.requiresGrad = output.dtype === "f32";
      this.body.nodes.push({ op: op as Op<unknown>, inputs, outputs, config, scope: this.scope });
    }
    op.forward(this, inputs, outputs, config);
    return outputs;
  }

  /** @throws TraceError for a tensor of another trace, or of a step of a loop outside of it */
  own(what: string, tensor: Tensor): void {
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
  require({ storage }: Tensor, range: Range): void {
    const ranges = this.ranges.get(storage);
    if (ranges) ranges.push(range);
    else this.ranges.set(storage, [range]);
  }

  /**
   * Names a value of the current layer for `inspect`.
   *
   * @param gradient  gives its gradient, once it has been recorded
   */
  expose(name: string, make: () => Tensor, gradient?: (tape: Tape) => Tensor | undefined): void {
    if (!this.options.inspect) return;
    this.body.exposed.set(this.scope ? `${this.scope}/${name}` : name, { value: make(), gradient });
  }

  /** The random state of this run and the number of this use of it, which makes its numbers its own: another for each step of loops. */
  random(): { state: Tensor; site: Argument } {
    this.randomState ??= this.pinned([3], "i32");
    const first = this.sites;
    const moves: Move[] = [];
    let uses = 1;
    for (let { loop } = this.body; loop; loop = loop.outer) {
      moves.push({ loop, by: uses });
      uses *= loop.count;
    }
    this.sites += uses;
    return { state: this.randomState, site: { first, moves } };
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
  if (!state.trace) {
    throw new TraceError(
      `${what}: expected to be called while a function is traced, got a call outside; wrap it in jit(module, fn), valueAndGrad or trainStep, or use predict`,
    );
  }
  return state.trace;
}
