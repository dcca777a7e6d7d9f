/** Layers and cells as modules: a definition with its options, its weights, and the calls of it that a trace records. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { checkOptions, checkRecord } from "../base/options.ts";
import { whenTraining } from "../base/when_training.ts";
import { describe } from "../base/shape.ts";
import { int8Format, type Int8Role } from "../graph/int8_weight.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { constrained } from "../layers/constraints.ts";
import {
  CALL_OPTIONS,
  type CallOptions,
  type InputKind,
  type LayerDefinition,
  type LayerScope,
  type ParameterSpec,
} from "../layers/definition.ts";
import { initializerOf } from "../layers/initializers.ts";
import { penaltyOf, type RegularizerInput } from "../layers/regularizers.ts";
import type { CellLayerDefinition } from "../layers/rnn/cell_layer.ts";
import type { CellOptions } from "../layers/rnn/cell_options.ts";
import type { LayerConfig } from "../module/config.ts";
import { ROWWISE, isModule, type ModuleBase } from "../module/module_base.ts";
import { tensorOf } from "../ops/operands.ts";
import { configure, type LayerOptions } from "./layer_options.ts";
import { Module } from "./module.ts";
import { layerConfigOf } from "./write_config.ts";

/** What only runs is never written down. */
const writeLayer = whenTraining(layerConfigOf);

type AnyDefinition = LayerDefinition<any>;

/** Shape of a layer's input as its errors give it. */
const EXPECTED: Record<InputKind, (features: number | undefined) => string> = {
  sequence: (features) => `[batch, time, ${features ?? "features"}]`,
  features: (features) => `[batch, .., ${features ?? "features"}]`,
  tokens: () => "[batch, time] tokens",
  list: () => "a list of tensors",
  any: () => "any shape",
};

/** Inputs that a product of floats takes as fast (measured), and loses nothing on. */
const FEW_INPUTS = 32;

/** The use of a weight that is worth keeping in 8 bits: products of few inputs stay what they are, being few. */
function worthInt8({ int8: role, shape: [inputs] }: ParameterSpec, units = 0): Int8Role | undefined {
  return role === "input" && (inputs <= FEW_INPUTS || inputs <= units / 8) ? undefined : role;
}

/**
 * A layer, as `layers.*` makes it.
 *
 * @typeParam R  what `call` gives: a tensor, or with `returnState` a list of the output and the states
 */
export class Layer<R = any> extends Module {
  readonly #definition: AnyDefinition;
  readonly #config: LayerOptions;

  /** @internal */
  constructor(definition: AnyDefinition, options: object = {}) {
    super();
    this.#definition = definition;
    this.#config = configure(definition, options as LayerOptions);
    this.layerName = this.#config.name;
    if (this.#config.trainable === false) this.trainable = false;
  }

  /** @internal */
  get definition(): AnyDefinition {
    return this.#definition;
  }

  /** The options it was made with, filled in. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#config;
  }

  /** @internal */
  get [ROWWISE](): true {
    return true;
  }

  /** @internal */
  override get layerType(): string {
    return this.#definition.type;
  }

  /** @internal */
  override get inputKind(): InputKind {
    return this.#definition.input;
  }

  /** @internal */
  override get givesStates(): boolean {
    return this.#config.returnState === true;
  }

  /** @internal */
  override get namePrefix(): string {
    return this.#definition.prefix ?? super.namePrefix;
  }

  /** @internal */
  override get unstreamable(): string | undefined {
    const why = this.#definition.unstreamable?.(this.#config);
    return why && `${this.describe()}: ${why}`;
  }

  /** @internal */
  override childModules(): [string, ModuleBase][] {
    if (this.#definition.children) return this.#definition.children(this.#config) as [string, ModuleBase][];
    const found: [string, ModuleBase][] = [];
    for (const [key, value] of Object.entries(this.#config)) {
      if (isModule(value)) found.push([key, value]);
      else if (Array.isArray(value)) {
        const list = key.endsWith("s") ? key : `${key}s`;
        value.forEach((item, i) => isModule(item) && found.push([`${list}/${i}`, item]));
      }
    }
    return found;
  }

  /** The same kind of layer with other options and weights of its own, layers among its options included. @internal */
  another(options: object): this {
    const make = this.constructor as new (definition: AnyDefinition, options: object) => this;
    return new make(
      this.#definition,
      Object.fromEntries(Object.entries(options).map(([name, value]) => [name, anew(value)])),
    );
  }

  /** @internal */
  override describe(): string {
    return this.layerName ? `${this.#definition.type} "${this.layerName}"` : this.#definition.type;
  }

  /** @internal */
  override layerConfig(subject: string, training: boolean): LayerConfig {
    return writeLayer!(this, this.#config, subject, training);
  }

  /** Records the layer on a tensor of the open trace. */
  override call(x: Tensor, options?: CallOptions): R;
  override call(x: Tensor | Tensor[], options: CallOptions = {}): R {
    const trace = currentTrace(this.describe());
    checkRecord(this.describe(), options);
    checkOptions(this.describe(), { ...options, placement: undefined }, CALL_OPTIONS);
    return within(trace, this, () => {
      const input = inputOf(this, x);
      const weights = this.#definition.parameters ? this.tensors((input as Tensor).shape.at(-1)!, trace) : {};
      const scope: LayerScope<object> = { trace, config: this.#config, label: this.describe(), weights };
      const result = this.#definition.call(scope, input as Tensor & Tensor[], options);
      const output = (Array.isArray(result) ? result[0] : result) as Tensor;
      const activity = this.#config.activityRegularizer as RegularizerInput | undefined;
      if (typeof activity === "function") trace.needsWholeBatch("a penalty of your own on an output");
      if (activity) trace.penalties.set(output, (value) => penaltyOf(this.describe(), activity, value));
      trace.expose(
        "output",
        () => output,
        (tape) => tape.gradient(output),
      );
      return result as R;
    });
  }

  #create(name: string, spec: ParameterSpec, { options: { int8, paths } }: Trace): Parameter {
    const { shape, initializer, constraint } = spec;
    const label = this.describe(); // the closure lives as long as the weights, which must not keep the layer alive
    const role = worthInt8(spec, this.#config.units as number | undefined);
    const path = paths?.get(this);
    const quantized =
      role && int8?.names.has(path ? `${path}/${name}` : name) ? int8Format(role, int8.activations) : undefined;
    return new Parameter(
      shape,
      initializerOf(label, initializer),
      this.trainable && !int8,
      constraint ? (weight) => constrained(label, constraint, weight) : undefined,
      { role, int8: quantized, fixed: int8 !== undefined },
    );
  }

  /** Its weights as tensors of the open trace, created for this many features when there are none. @internal */
  tensors(features: number, trace: Trace = currentTrace(this.describe())): Record<string, Tensor> {
    const specs = this.#definition.parameters?.(this.#config, features) ?? {};
    for (const [name, spec] of Object.entries(specs)) {
      if (!this.ownParameters.has(name)) {
        this.ownParameters.set(name, this.#create(name, spec, trace));
        trace.undo.push(() => this.ownParameters.delete(name));
      }
      const parameter = this.ownParameters.get(name)!;
      const { regularizer } = spec;
      if (regularizer)
        trace.penalties.set(trace.parameter(parameter), (value) => penaltyOf(this.describe(), regularizer, value));
    }
    return Object.fromEntries([...this.ownParameters].map(([name, parameter]) => [name, trace.parameter(parameter)]));
  }
}

/** A cell, as `cells.*` makes it: one step of a recurrent layer. */
export class Cell extends Layer<[output: Tensor, states: Tensor[]]> {
  /** The options it was made with, filled in. */
  override get config(): Readonly<Record<string, unknown> & CellOptions> {
    return super.config as Readonly<Record<string, unknown> & CellOptions>;
  }

  /** Size of each state. */
  get stateSize(): number[] {
    const { cell } = this.definition as CellLayerDefinition<CellOptions>;
    return cell.states(this.config).map(({ size }) => size);
  }

  /** One step: x [batch, features] and states [batch, units], none for zeros. */
  override call(x: Tensor, states: readonly Tensor[] | CallOptions = []): [output: Tensor, states: Tensor[]] {
    const options = Array.isArray(states)
      ? { initialState: states.length > 0 ? (states as Tensor[]) : undefined }
      : states;
    const [output, ...after] = super.call(x, options as CallOptions) as unknown as Tensor[];
    return [output, after];
  }
}

/** An option for another layer: what has weights is made anew. */
function anew(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anew);
  if (!isModule(value)) return value;
  if (!(value instanceof Layer))
    throw new OptionError(`bidirectional: expected a backwardLayer beside a ${value.describe()} of your own, got none`);
  return value.another(value.config);
}

/** Runs `fn` with the layer's path as the trace's scope. */
function within<R>(trace: Trace, layer: ModuleBase, fn: () => R): R {
  const outer = trace.scope;
  trace.scope = trace.options.paths?.get(layer) ?? layer.describe();
  try {
    return fn();
  } finally {
    trace.scope = outer;
  }
}

/** The input as the definition's `call` takes it. @throws ShapeError naming the layer, what it expected and what came */
function inputOf(layer: Layer<any>, given: unknown): Tensor | Tensor[] {
  const { input } = layer.definition;
  if (input === "list") {
    if (!Array.isArray(given) || given.length === 0)
      throw new ShapeError(
        `${layer.describe()}: expected a list of tensors, got ${Array.isArray(given) ? "an empty one" : "one tensor"}`,
      );
    return given.map((item) => tensorOf(layer.describe(), item));
  }
  const x = tensorOf(layer.describe(), given);
  const features = input === "tokens" || input === "any" ? undefined : layer.ownParameters.get("kernel")?.shape[0];
  const fits = { sequence: x.rank === 3, features: x.rank >= 1, tokens: x.rank >= 1, any: true }[input];
  if (!fits || (features !== undefined && x.shape.at(-1) !== features)) {
    const help =
      input !== "sequence" || x.rank === 3
        ? ""
        : x.rank === 2
          ? "; a recurrent layer before it gives sequences with returnSequences: true"
          : "; an inputShape is that of one sample, without the batch: [time, features]";
    throw new ShapeError(
      `${layer.describe()}: expected input ${EXPECTED[input](features)}, got ${describe(x.shape)}${help}`,
    );
  }
  return x;
}
