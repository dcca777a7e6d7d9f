/** Functions over tensors as functions over arrays: traced once per shape, replayed from then on. */
import { RANDOM_STATE } from "../abi/records.ts";
import { OptionError, StateError, TraceError } from "../base/errors.ts";
import { currentBackend } from "../runtime/context.ts";
import type { Backend } from "../runtime/backend.ts";
import { placed } from "../graph/ir.ts";
import type { NDArray, Normalized } from "../base/ndarray.ts";
import { backward, type Tape } from "../graph/backward.ts";
import type { FlatRange, Parameter, ParameterBlock } from "../graph/parameter.ts";
import type { Port } from "./port.ts";
import { planProgram, Program, type ProgramPlan } from "./program.ts";
import { describe } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace, type TraceOptions } from "../graph/trace.ts";
import { flattenArguments, flattenResult, rebuild, type FlatArguments } from "../graph/pytree.ts";

/** What traced functions need of a module. */
export interface Root {
  readonly backend: Backend;
  /** Counts runs that drew random numbers, so that each draws others. */
  readonly randomState: { seed: number; counter: number };
  /** Path of every module of the tree. */
  modulePaths(): ReadonlyMap<object, string>;
  /** Places parameters that a trace has found and gives them their initial values. */
  allocate(trace: Trace): void;
  parameterBlocks(): ParameterBlock[];
  /** All weights by name. */
  parameters(): [string, Parameter][];
  /** Those that training changes. */
  trainableParameters(): [string, Parameter][];
  /** Programs to dispose of with the module. */
  readonly ownPrograms: Set<Program>;
  throwIfDisposed(): void;
}

/** A program with the trees of what goes in and what comes out. */
export interface Compiled<E> {
  readonly program: Program;
  /** The result's tree, with the port of each tensor in its place. */
  readonly ports: unknown;
  /** The result's tree, with copies of what the program's outputs hold, or with what is made of each output. */
  result(leaf?: (port: Port, i: number) => unknown): unknown;
  /** What the extension of the trace left behind, such as where gradients lie. */
  readonly extra: E;
}

/**
 * What is added to the forward trace: a gradient, an update. Returns tensors to keep as outputs, anything to remember, and
 * those outputs that {@link Program.runPrologue} is to compute before the others.
 */
export type Extension<E> = (
  trace: Trace,
  inputs: readonly Tensor[],
  result: unknown,
) => { outputs: Tensor[]; extra: E; prologueOutputs?: readonly Tensor[] };

/** A function as it was recorded, with the tree of its results. */
export interface Traced<E> {
  readonly trace: Trace;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly structure: ReturnType<typeof flattenResult>["structure"];
  readonly extra: E;
  readonly prologueOutputs: readonly Tensor[] | undefined;
}

const plain: Extension<undefined> = () => ({ outputs: [], extra: undefined });

function readPort(port: Port): number | NDArray<Float32Array | Int32Array> {
  return port.shape.length === 0 ? port.view[0] : { data: port.read(), shape: [...port.shape] };
}

/** One function and its programs, by the shapes it was called with. */
export class TracedFunction<E = undefined> {
  readonly root: Root | null;
  private readonly name: string;
  private readonly fn: (...args: never[]) => unknown;
  private readonly options: TraceOptions;
  private readonly extension: Extension<E>;
  private readonly gradientInputs: boolean;
  private readonly shard: number | undefined;
  private readonly cache = new Map<string, Compiled<E>>();

  constructor(
    name: string,
    root: Root | null,
    fn: (...args: never[]) => unknown,
    options: TraceOptions,
    {
      extension = plain as Extension<E>,
      gradientInputs = false,
      shard,
    }: { extension?: Extension<E>; gradientInputs?: boolean; shard?: number } = {},
  ) {
    if (typeof fn !== "function") throw new OptionError(`${name}: expected a function of tensors, got ${typeof fn}`);
    this.name = name;
    this.root = root;
    this.fn = fn;
    this.options = options;
    this.extension = extension;
    this.gradientInputs = gradientInputs;
    this.shard = shard;
  }

  /** Takes arguments apart for {@link compile} and {@link run}. */
  flatten(args: readonly unknown[]): FlatArguments {
    return flattenArguments(args, this.name);
  }

  /** The program for arguments of these shapes, traced when there is none. */
  compile(args: FlatArguments): Compiled<E> {
    this.root?.throwIfDisposed();
    const known = this.cache.get(args.key);
    if (known && !known.program.disposed) {
      known.program.markUsed();
      return known;
    }
    const compiled = this.record(args, (traced) => this.make(traced));
    for (const [key, { program }] of this.cache) if (program.disposed) this.cache.delete(key);
    this.cache.set(args.key, compiled);
    return compiled;
  }

  /** What the program for arguments of these shapes would be, without making it. */
  plan(args: FlatArguments): ProgramPlan {
    this.root?.throwIfDisposed();
    return this.record(args, ({ trace, inputs, outputs }) => planProgram(trace, inputs, outputs));
  }

  /** Writes the arguments, replays the program and leaves the results in its ports. */
  run(args: FlatArguments): Compiled<E> {
    const compiled = this.compile(args);
    const { inputs } = compiled.program;
    for (let i = 0; i < inputs.length; i++) inputs[i].write(args.leaves[i].data, `${this.name}: input ${i}`);
    this.replay(compiled);
    return compiled;
  }

  /** Replays a program whose inputs are written. */
  replay({ program }: Compiled<E>): void {
    writeRandomState(this.root, [program], [0]);
    program.run();
  }

  /** Frees its programs; a later call makes new ones. */
  dispose(): void {
    for (const { program } of this.cache.values()) program.dispose();
    this.cache.clear();
  }

  /** Records the function for arguments of these shapes. What it has noted in modules is taken back when `finish` throws. */
  record<R>(args: FlatArguments, finish: (traced: Traced<E>) => R): R {
    const trace = new Trace(this.root?.backend ?? currentBackend(), {
      ...this.options,
      paths: this.root?.modulePaths(),
      shard: this.shard === undefined ? undefined : { index: this.shard, rows: args.leaves[0].shape[0] },
    });
    const inputs = args.leaves.map(({ shape, dtype }: Normalized) => {
      const input = trace.pinned(shape, dtype);
      input.requiresGrad = this.gradientInputs && dtype === "f32";
      return input;
    });
    return trace.run(() => {
      const returned = this.fn(...(rebuild(args.structure, (i) => inputs[i]) as never[]));
      if (returned instanceof Promise) {
        throw new TraceError(
          `${this.name}: expected a function that returns tensors, got one that returns a promise; it runs once, to be recorded, so it cannot wait`,
        );
      }
      const { structure, tensors } = flattenResult(returned);
      for (const tensor of tensors) trace.checkOwn(this.name, tensor);
      this.place(trace);
      const { outputs: more, extra, prologueOutputs } = this.extension(trace, inputs, returned);
      return finish({ trace, inputs, outputs: [...tensors, ...more], structure, extra, prologueOutputs });
    });
  }

  private make({ trace, inputs, outputs, structure, extra, prologueOutputs }: Traced<E>): Compiled<E> {
    const program = new Program(trace, inputs, outputs, { owner: this.root?.ownPrograms, prologueOutputs });
    const result = (leaf: (port: Port, i: number) => unknown = readPort): unknown =>
      rebuild(structure, (i) => leaf(program.outputs[i], i));
    return { program, ports: result((port) => port), result, extra };
  }

  private place(trace: Trace): void {
    const own = new Set(this.root?.parameters().map(([, parameter]) => parameter));
    for (const parameter of trace.parameters.keys()) {
      if (!own.has(parameter)) {
        throw new StateError(
          `${this.name}: expected every module that the function calls to be part of the module it was made with, got a weight of shape ${describe(parameter.shape)} of another`,
        );
      }
    }
    this.root?.allocate(trace);
  }
}

/** Gives programs that compute parts of one batch, each from some row on, the random state of a run. */
export function writeRandomState(root: Root | null, programs: readonly Program[], firstRows: readonly number[]): void {
  const { randomState } = root ?? unseeded;
  if (!programs[0].random) return;
  for (let i = 0; i < programs.length; i++) {
    const { view } = programs[i].random!;
    view[RANDOM_STATE.seed] = randomState.seed;
    view[RANDOM_STATE.counter] = randomState.counter;
    view[RANDOM_STATE.firstRow] = firstRows[i];
  }
  randomState.counter++;
}

const unseeded = { randomState: { seed: 0, counter: 0 } };

/** Visits every run of weights that a root trains. */
export function eachTrainableRange(
  root: Pick<Root, "parameterBlocks" | "trainableParameters">,
  visit: (block: ParameterBlock, range: FlatRange) => void,
): void {
  const own = new Set(root.trainableParameters().map(([, parameter]) => parameter)); // the block of a layer may be that of the model around it
  for (const block of root.parameterBlocks()) for (const range of block.rangesOf(own)) visit(block, range);
}

/**
 * Records zeroing of the root's gradients and the gradient of `scalar`.
 *
 * @throws TraceError when what was returned is no scalar tensor
 */
export function recordGradients(name: string, trace: Trace, root: Root | null, scalar: Tensor): Tape {
  if (scalar.size !== 1 || scalar.dtype !== "f32") {
    throw new TraceError(
      `${name}: expected the function to return a scalar to differentiate, got shape ${describe(scalar.shape)}`,
    );
  }
  if (root) {
    eachTrainableRange(root, (block, { offset, size }) =>
      trace.call("f32_fill", size, placed(block.gradientPtr(trace.options.shard?.index) + offset * 4, size * 4), 0),
    );
  }
  return backward(trace, scalar);
}
