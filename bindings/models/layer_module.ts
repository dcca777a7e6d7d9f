/** Layers as modules: a definition with its options, its weights, and the calls of it that a trace records. */
import { OptionError, ShapeError, nearest } from "../base/errors.ts";
import { cellKinds, type CellKind, type CellOptions } from "../layers/rnn/cells.ts";
import { checkConstraint, constrained } from "../layers/constraints.ts";
import {
  CALL_OPTIONS,
  type CallOptions,
  type InputKind,
  type LayerDefinition,
  type LayerScope,
  type ParameterSpec,
} from "../layers/definition.ts";
import { initializerOf, type InitializerInput } from "../layers/initializers.ts";
import { checkFlags, checkOptions, checkRecord } from "../base/options.ts";
import { checkRegularizer, penaltyOf, type RegularizerInput } from "../layers/regularizers.ts";
import { quoted } from "../base/formatting.ts";
import { int8Format, type Int8Role } from "../graph/int8_weight.ts";
import { Parameter } from "../graph/parameter.ts";
import { describe } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { tensorOf } from "../ops/operands.ts";
import { ROWWISE, hide, isModule, type ModuleBase } from "../module/module_base.ts";
import type { Network } from "./network.ts";

type AnyDefinition = LayerDefinition<any>;
type Config = Record<string, unknown> & { name?: string; trainable?: boolean };

/** Shape of a layer's input as its errors give it. */
const EXPECTED: Record<InputKind, (features: number | undefined) => string> = {
  sequence: (features) => `[batch, time, ${features ?? "features"}]`,
  features: (features) => `[batch, .., ${features ?? "features"}]`,
  tokens: () => "[batch, time] tokens",
  list: () => "a list of tensors",
  any: () => "any shape",
};

/** What `layers.*` returns: a Module (or, where nothing trains, a Network) around a definition. */
export interface LayerPart {
  /** @internal */
  readonly definition: AnyDefinition;
  /** The options it was made with, filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Name in a sequential; set by it when the options gave none. */
  layerName: string | undefined;
  /** The same kind of layer with other options and weights of its own, layers among its options included. @internal */
  another(options: object): Network & LayerPart;
}

/** Checks options against a definition's table and fills in defaults. @throws OptionError */
function configure(definition: AnyDefinition, given: Config): Config {
  const { type, defaults, required = [], ignored = [] } = definition;
  checkRecord(type, given);
  const known = Object.keys(defaults);
  const config: Config = { ...defaults } as Config;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || ignored.includes(name)) continue;
    if (!Object.hasOwn(defaults, name))
      throw new OptionError(`${type}: expected one of ${known.join(", ")}, got "${name}"${nearest(name, known)}`);
    config[name] = value;
  }
  for (const name of required) {
    if (config[name] === undefined) throw new OptionError(`${type}: expected ${name}, got none`);
  }
  if (config.name !== undefined && (typeof config.name !== "string" || config.name === ""))
    throw new OptionError(`${type}: expected a name of at least one letter, got ${quoted(config.name)}`);
  const label = config.name ? `${type} "${config.name}"` : type;
  checkFlags(
    label,
    config,
    known.filter((name) => typeof defaults[name] === "boolean"),
  );
  for (const [name, value] of Object.entries(config)) {
    if (name.endsWith("Initializer")) initializerOf(label, value as InitializerInput);
    else if (name.endsWith("Regularizer")) checkRegularizer(label, value);
    else if (name.endsWith("Constraint")) checkConstraint(label, value);
  }
  return definition.normalize ? (definition.normalize(config, label) as Config) : config;
}

/** Inputs that a product of floats takes as fast (measured), and loses nothing on. */
const FEW_INPUTS = 32;

/** The use of a weight that is worth keeping in 8 bits: products of few inputs stay what they are, being few. */
function worthInt8({ int8: role, shape: [inputs] }: ParameterSpec, units = 0): Int8Role | undefined {
  return role === "input" && (inputs <= FEW_INPUTS || inputs <= units / 8) ? undefined : role;
}

/** Makes a layer of its definition and options. */
type LayerClass = new (definition: AnyDefinition, options: object) => Network & LayerPart;

/** The layer classes over a base: Module where models train, Network where they only run. */
// eslint-disable-next-line max-lines-per-function -- classes over a base are declared inside a function
export function layerClasses(Base: new (...args: any[]) => Network): { Layer: LayerClass; CellLayer: LayerClass } {
  class Layer extends Base implements LayerPart {
    declare readonly definition: AnyDefinition;
    declare readonly config: Readonly<Config>;
    declare layerName: string | undefined;
    /** Its weights stay as they are, by its own option or by that of a layer around it. */
    declare frozen: boolean;

    constructor(...args: any[]) {
      super();
      const [definition, given] = args as [AnyDefinition, Config];
      hide(this, "definition", definition);
      hide(this, "config", configure(definition, given ?? {}));
      hide(this, "layerName", this.config.name);
      if (this.config.trainable === false) freeze(this);
    }

    get [ROWWISE](): true {
      return true;
    }

    override childModules(): [string, ModuleBase][] {
      if (this.definition.children) return this.definition.children(this.config) as [string, ModuleBase][];
      const found: [string, ModuleBase][] = [];
      for (const [key, value] of Object.entries(this.config)) {
        if (isModule(value)) found.push([key, value]);
        else if (Array.isArray(value)) {
          const list = key.endsWith("s") ? key : `${key}s`;
          value.forEach((item, i) => isModule(item) && found.push([`${list}/${i}`, item]));
        }
      }
      return found;
    }

    another(options: object): Network & LayerPart {
      return new (this.constructor as LayerClass)(
        this.definition,
        Object.fromEntries(Object.entries(options).map(([name, value]) => [name, anew(value)])),
      );
    }

    override describe(): string {
      return this.layerName ? `${this.definition.type} "${this.layerName}"` : this.definition.type;
    }

    override call(...args: any[]): any {
      const [x, options = {}] = args as [Tensor, CallOptions | undefined];
      const trace = currentTrace(this.describe());
      checkRecord(this.describe(), options);
      checkOptions(this.describe(), { ...options, placement: undefined }, CALL_OPTIONS);
      return within(trace, this, () => {
        const input = inputOf(this, x);
        const weights = this.definition.parameters ? this.tensors((input as Tensor).shape.at(-1)!, trace) : {};
        const scope: LayerScope<object> = { trace, config: this.config, label: this.describe(), weights };
        const result = this.definition.call(scope, input as Tensor & Tensor[], options);
        const output = (Array.isArray(result) ? result[0] : result) as Tensor;
        const activity = this.config.activityRegularizer as RegularizerInput | undefined;
        if (typeof activity === "function") trace.needsWholeBatch("a penalty of your own on an output");
        if (activity) trace.penalties.set(output, (value) => penaltyOf(this.describe(), activity, value));
        trace.expose(
          "output",
          () => output,
          (tape) => tape.gradient(output),
        );
        return result;
      });
    }

    private create(name: string, spec: ParameterSpec, { options: { int8, paths } }: Trace): Parameter {
      const { shape, initializer, constraint } = spec;
      const label = this.describe(); // the closure lives as long as the weights, which must not keep the layer alive
      const role = worthInt8(spec, this.config.units as number | undefined);
      const path = paths?.get(this);
      const quantized =
        role && int8?.names.has(path ? `${path}/${name}` : name) ? int8Format(role, int8.activations) : undefined;
      return new Parameter(
        shape,
        initializerOf(label, initializer),
        this.frozen !== true && !int8,
        constraint ? (weight) => constrained(label, constraint, weight) : undefined,
        { role, int8: quantized },
      );
    }

    /** Its weights as tensors of the open trace, created for this many features when there are none. @internal */
    tensors(features: number, trace: Trace = currentTrace(this.describe())): Record<string, Tensor> {
      const specs = this.definition.parameters?.(this.config, features) ?? {};
      for (const [name, spec] of Object.entries(specs)) {
        if (!this.ownParameters.has(name)) {
          this.ownParameters.set(name, this.create(name, spec, trace));
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

  /** One step of a cell. */
  class CellLayer extends Layer {
    /** Which built-in cell it is. @internal */
    get cellType(): keyof typeof cellKinds {
      return this.definition.type.replace("cells.", "") as keyof typeof cellKinds;
    }

    get stateSize(): number[] {
      const kind = cellKinds[this.cellType] as unknown as CellKind<CellOptions>;
      return kind.states(this.config as unknown as CellOptions).map(({ size }) => size);
    }

    /** x [batch, features] and states [batch, units] (none: zeros) to `[output, states]`. */
    override call(...args: any[]): any {
      const [x, states] = args as [Tensor, Tensor[] | undefined];
      const [output, ...after] = super.call(x, { initialState: states?.length ? states : undefined }) as Tensor[];
      return [output, after];
    }
  }

  return { Layer, CellLayer };
}

/** Keeps the weights of a module, and of all that it is made of, as they are. */
function freeze(module: ModuleBase): void {
  hide(module, "frozen", true);
  for (const [, child] of module.childModules()) freeze(child);
}

/** An option for another layer: what has weights is made anew. */
function anew(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anew);
  if (!isModule(value)) return value;
  const layer = value as Network & LayerPart & { another?: (options: object) => Network };
  if (!layer.another)
    throw new OptionError(`bidirectional: expected a backwardLayer beside a ${layer.describe()} of your own, got none`);
  return layer.another(layer.config);
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
function inputOf(layer: Network & LayerPart, given: unknown): Tensor | Tensor[] {
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
    throw new ShapeError(`${layer.describe()}: expected input ${EXPECTED[input](features)}, got ${describe(x.shape)}`);
  }
  return x;
}
