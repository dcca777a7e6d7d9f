/** What every module is: a tree of modules with weights by path, and the owner of their memory. */
/// <reference lib="esnext.disposable" preserve="true" />
import { PACKAGE_VERSION } from "../abi/version.ts";
import { DisposedError, OptionError, StateError, UnsupportedError, ValueError } from "../base/errors.ts";
import { checkBoolean, checkOptions } from "../base/options.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { ParameterBlock, type Parameter } from "../graph/parameter.ts";
import type { Program } from "../program/program.ts";
import type { Trace } from "../graph/trace.ts";
import { Random, randomSeed } from "../base/random.ts";
import { currentBackend } from "../runtime/context.ts";
import { shown } from "../base/formatting.ts";
import type { Backend } from "../runtime/backend.ts";
import type { KeptKey } from "./kept.ts";
import { ModuleFacts } from "./module_facts.ts";
import { arraysOf } from "./named_arrays.ts";
import { Resources } from "./owned_memory.ts";

/** Options of a model. */
export interface ModuleOptions {
  /** Of everything random in this model; drawn once when absent. */
  seed?: number;
}

/** Weights, gradients and states by name. */
export type ArrayRecord = Record<string, NDArray>;

/** What a weight starts from: floats, or integers with their scales. */
interface GivenWeight {
  readonly data: Float32Array | Int8Array;
  readonly scales?: Float32Array;
}

/** Marks the modules of every copy of this code. */
const MODULE = Symbol.for(`gatewise/${PACKAGE_VERSION}/module`);

/** Whether something is a module, whichever of the copies that ESM, CJS and sub-paths load made it. */
export const isModule = (value: unknown): value is ModuleBase =>
  typeof value === "object" && value !== null && MODULE in value;

/** @throws OptionError for what is no module @param more  what else may be given */
export function checkModule(subject: string, value: unknown, more = ""): void {
  if (!isModule(value))
    throw new OptionError(`${subject}: expected a module, such as a model or a layer${more}, got ${shown(value)}`);
}

/** Marks modules of the library, in whose `call` the rows of a batch have nothing to do with each other. */
export const ROWWISE = Symbol("rowwise");

/** Whether a model is made of nothing else. */
export const isRowwise = (model: ModuleBase): boolean =>
  [...model.modulePaths().keys()].every((module) => ROWWISE in module);

/** @throws OptionError for two weights of one name, as a layer named like a layer inside another has them */
function checkNames(parameters: readonly (readonly [name: string, parameter: Parameter])[]): void {
  const seen = new Set<string>();
  for (const [name] of parameters) {
    if (seen.has(name))
      throw new OptionError(
        `weights: expected different names, got "${name}" twice; give one of the layers another name`,
      );
    seen.add(name);
  }
}

/** What every model has, also where it only runs. */
export class ModuleBase extends ModuleFacts {
  #backend: Backend | undefined;
  #seed: number | undefined;
  #random: { seed: number; counter: number } | undefined;
  #resources = new Resources(this);
  #kept = new Map<KeptKey<unknown>, unknown>();
  #called = false;
  #layerName: string | undefined;
  #trainable = true;
  readonly #ownParameters = new Map<string, Parameter>();
  #given: { readonly weights: ReadonlyMap<string, GivenWeight>; readonly check: () => void } | undefined;

  constructor(options: ModuleOptions = {}) {
    super();
    checkOptions(this.constructor.name, options, ["seed"]);
    this.#seed = options.seed;
  }

  /** Where everything random in this model starts from. Set it before the first use to choose. */
  get seed(): number {
    return (this.#seed ??= randomSeed());
  }

  /** Throws a StateError after the first use. */
  set seed(seed: number) {
    if (this.#backend)
      throw new StateError(`seed: expected to be set before the model's first use, got ${seed} after it`);
    this.#seed = seed;
  }

  /** @internal */
  get [MODULE](): true {
    return true;
  }

  /** Weights of this module itself, by name. @internal */
  get ownParameters(): Map<string, Parameter> {
    return this.#ownParameters;
  }

  /** Name in a model, the first part of its weights' names. A model sets it when nobody has. */
  get layerName(): string | undefined {
    return this.#layerName;
  }

  /** Before the model that the module is part of is made. */
  set layerName(name: string | undefined) {
    this.#layerName = name;
  }

  /**
   * Whether training changes the weights of this module and of all inside it. It acts at once, on built and compiled models
   * too: frozen weights stay as they are, and what the optimizer remembers of them waits.
   *
   * @default true
   */
  get trainable(): boolean {
    return this.#trainable;
  }

  /** Throws an OptionError for anything but true and false. */
  set trainable(trainable: boolean) {
    checkBoolean(this.describe(), "trainable", trainable);
    for (const module of this.modulePaths().keys()) {
      module.#trainable = trainable;
      for (const parameter of module.ownParameters.values()) parameter.trainable = trainable && !parameter.fixed;
    }
    for (const block of this.parameterBlocks()) block.retrain();
  }

  /** The backend this model was first used on. @internal */
  get backend(): Backend {
    return (this.#backend ??= currentBackend());
  }

  /** @internal */
  get randomState(): { seed: number; counter: number } {
    return (this.#random ??= { seed: new Random(this.seed).fork("run").next() | 0, counter: 0 });
  }

  /** Goes on with the random numbers of a saved model. @internal */
  restoreRandom({ seed, runs }: { seed: number; runs: number }): void {
    this.#seed = seed;
    this.#random = undefined;
    this.randomState.counter = runs;
  }

  /** @internal */
  get ownPrograms(): Set<Program> {
    return this.#resources.programs;
  }

  /** Things to dispose of with this model, such as the states of its streams. @internal */
  get owned(): Set<{ dispose(): void }> {
    return this.#resources.owned;
  }

  /**
   * What another room keeps beside this module: its traced functions, the state of its optimizers. It may hold the module
   * and is collected with it; memory of its own must be among {@link owned}.
   *
   * @param make  makes it when there is none yet; without it the result is undefined then
   * @internal
   */
  kept<T>(key: KeptKey<T>): T | undefined;
  /** @internal */
  kept<T>(key: KeptKey<T>, make: () => T): T;
  kept<T>(key: KeptKey<T>, make?: () => T): T | undefined {
    if (make && !this.#kept.has(key)) this.#kept.set(key, make());
    return this.#kept.get(key) as T | undefined;
  }

  /** What the module computes, written with ops and other modules' `call`; runs only to be recorded. */
  call(..._args: any[]): any {
    throw new StateError(`${this.describe()}: expected a class with a call of its own, got one without`);
  }

  /** Modules this one is made of, with the path from here to each. @internal */
  childModules(): [path: string, child: ModuleBase][] {
    const found: [string, ModuleBase][] = [];
    for (const [key, value] of Object.entries(this) as [string, unknown][]) {
      if (RESERVED.has(key))
        throw new OptionError(
          `${this.describe()}: expected fields with names that Module does not use itself, got "${key}"`,
        );
      collect(key, value, found);
    }
    return found;
  }

  /** Every module below and this one, each once, under the first path that reaches it. @internal */
  modulePaths(): Map<ModuleBase, string> {
    const paths = new Map<ModuleBase, string>();
    const visit = (module: ModuleBase, path: string): void => {
      if (paths.has(module)) return;
      paths.set(module, path);
      for (const [name, child] of module.childModules()) visit(child, path ? `${path}/${name}` : name);
    };
    visit(this, "");
    return paths;
  }

  /** Weights by name, in the order of {@link getWeights}. @internal */
  parameters(): [name: string, parameter: Parameter][] {
    const named: [string, Parameter][] = [];
    for (const [module, path] of this.modulePaths()) {
      for (const [name, parameter] of module.ownParameters) named.push([path ? `${path}/${name}` : name, parameter]);
    }
    return named;
  }

  /** @internal */
  trainableParameters(): [name: string, parameter: Parameter][] {
    return this.parameters().filter(([, parameter]) => parameter.trainable);
  }

  /** @internal */
  parameterBlocks(): ParameterBlock[] {
    return [...new Set(this.parameters().flatMap(([, { block }]) => block ?? []))];
  }

  /** Whether the weights exist, which they do from the first call, or from the start when the input's shape was given. */
  get built(): boolean {
    const parameters = this.parameters();
    return (this.#called || parameters.length > 0) && parameters.every(([, { block }]) => block !== undefined);
  }

  /**
   * Weights to start from instead of drawing initial ones.
   *
   * @param check  throws unless they are those of the parameters, before memory is taken for them
   * @internal
   */
  startFrom(weights: ReadonlyMap<string, GivenWeight>, check: () => void): void {
    this.#given = { weights, check };
  }

  /** Places the parameters that have none yet in a block of their own. @internal */
  allocate(trace: Trace): void {
    const called = this.#called;
    this.#called = true;
    trace.undo.push(() => {
      this.#called = called;
    });
    const fresh = this.parameters().filter(([, parameter]) => !parameter.block && trace.parameters.has(parameter));
    if (fresh.length === 0) return;
    checkNames(this.parameters());
    this.#given?.check();
    const block = new ParameterBlock(
      this.backend,
      fresh.map(([, parameter]) => parameter),
    );
    this.#resources.blocks.add(block);
    trace.undo.push(() => {
      this.#resources.blocks.delete(block);
      block.withdraw();
    });
    const random = new Random(this.seed);
    for (const [name, parameter] of fresh) {
      const given = this.#given?.weights.get(name);
      if (parameter.int8) {
        if (given?.scales) block.assign(parameter, given.data, given.scales);
      } else block.assign(parameter, given?.data ?? parameter.initializer(parameter.shape, random.fork(name)));
    }
  }

  /**
   * Copies of all weights by name: `"gru/kernel"` in a sequential, the property path in your own Module; floats also where
   * they are kept in 8 bits.
   */
  getWeights(): ArrayRecord {
    this.throwIfDisposed();
    return Object.fromEntries(
      this.placed("getWeights").map(([name, parameter]) => [
        name,
        { data: parameter.block!.floatsOf(parameter), shape: [...parameter.shape] },
      ]),
    );
  }

  /**
   * Replaces weights by name; those not named stay.
   *
   * @throws OptionError for a name the model does not have
   * @throws ShapeError, ValueError for a wrong shape or a value that is not finite; no weight has changed then
   * @throws StateError before the model is built
   * @throws UnsupportedError for a quantised model
   */
  setWeights(weights: Record<string, ArrayInput>): void {
    this.throwIfDisposed();
    this.throwIfQuantized("setWeights");
    const arrays = arraysOf("setWeights", this.placed("setWeights"), weights);
    for (const [name, , data] of arrays) {
      const bad = data.findIndex((number) => !Number.isFinite(number));
      if (bad >= 0)
        throw new ValueError(`setWeights: expected finite numbers for "${name}", got ${data[bad]} at element ${bad}`);
    }
    for (const [, parameter, data] of arrays) {
      parameter.block!.assign(parameter, data);
    }
  }

  private placed(what: string): [string, Parameter][] {
    this.throwIfUnbuilt(what);
    return this.parameters();
  }

  /** Weights there are, frozen ones included. */
  countParams(): number {
    return this.parameters().reduce((sum, [, { size }]) => sum + size, 0);
  }

  /** Frees the model's memory: weights, programs, streams. Any later use throws a DisposedError. May be called again. */
  dispose(): void {
    this.#resources.dispose();
  }

  /** {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  throwIfQuantized(what: string): void {
    if (this.quantized)
      throw new UnsupportedError(
        `${what}: expected a model of f32 weights, got a quantised one, which only runs; train the original and quantize it again`,
      );
  }

  /** @internal */
  throwIfUnbuilt(what: string): void {
    if (!this.built)
      throw new StateError(
        `${what}: expected a model with weights, got one that is not built; give sequential an inputShape or call the model once first`,
      );
  }

  /** Whether its memory has been freed. @internal */
  get disposed(): boolean {
    return this.#resources.disposed;
  }

  /** @internal */
  throwIfDisposed(): void {
    if (this.disposed)
      throw new DisposedError(`${this.describe()}: expected a live model, got one that was disposed of`);
  }
}

/** Names that a field of a class of the user's would hide; `call` may be one, and `seed` is read before anything is drawn. */
const RESERVED = new Set(
  [ModuleFacts, ModuleBase]
    .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
    .filter((name) => name !== "call" && name !== "seed"),
);

function collect(path: string, value: unknown, found: [string, ModuleBase][]): void {
  if (isModule(value)) found.push([path, value]);
  else if (Array.isArray(value)) value.forEach((item, i) => collect(`${path}/${i}`, item, found));
}
