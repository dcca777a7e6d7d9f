/** What a layer is: plain data, and functions over tensors. `models/layer_module.ts` makes modules of definitions. */
import type { ConstraintInput } from "./constraints.ts";
import type { InitializerInput } from "./initializers.ts";
import type { RegularizerInput } from "./regularizers.ts";
import type { Defaults } from "../base/options.ts";
import type { Shape } from "../base/shape.ts";
import type { Int8Role } from "../graph/int8_weight.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";

/** A weight of a layer. */
export interface ParameterSpec {
  readonly shape: Shape;
  readonly initializer: InitializerInput;
  /** Penalty on it, added to the loss. */
  readonly regularizer?: RegularizerInput | undefined;
  /** Constraint on it, applied after every update. */
  readonly constraint?: ConstraintInput | undefined;
  /** Its use, for weights that `quantize` may keep in 8 bits: operands of products, and tables of vectors. */
  readonly int8?: Int8Role;
}

/** Options that all layers have. */
export interface CommonOptions {
  /** Name in a model: the first part of its weights' names. By default its kind with a number: `lstm`, `lstm_1`, … */
  name?: string | undefined;
  /** Trains its weights, and those of layers inside it; false freezes them. @default true */
  trainable?: boolean | undefined;
}

const COMMON_DEFAULTS: Defaults<CommonOptions> = { name: undefined, trainable: true };

/** Options of a layer's `call`. */
export interface CallOptions {
  /** Valid steps of each row [batch]; null says that all count, where the input knows others. Those of the input by default. */
  readonly lengths?: Tensor | null | undefined;
  /** Nonzero where a step is valid [batch, time]; null as for `lengths`. That of the input by default. */
  readonly mask?: Tensor | null | undefined;
  /** Initial states of a recurrent layer, [batch, units] each; zeros by default. */
  readonly initialState?: readonly Tensor[] | undefined;
  /** Set by `bidirectional`. @internal */
  readonly placement?: Placement | undefined;
}

/** The options of `call` that users may give. */
export const CALL_OPTIONS: Defaults<Omit<CallOptions, "placement">> = {
  initialState: undefined,
  lengths: undefined,
  mask: undefined,
};

/** Where a layer inside another puts its outputs. */
export interface Placement {
  /** At the step whose input was read, instead of in the order of reading. */
  readonly asRead: boolean;
  /** Zeros at masked steps instead of the previous output. */
  readonly zeroMasked: boolean;
}

/** What a layer's `call` sees of the layer. */
export interface LayerScope<C> {
  readonly trace: Trace;
  readonly config: Readonly<C>;
  /** How errors name it: `gru "gru_1"`. */
  readonly label: string;
  /** Its weights, created at the first call. */
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** What the input of a layer must be. */
export type InputKind = "sequence" | "features" | "tokens" | "list" | "any";

/** In the place of a default: the option must be given. */
export const REQUIRED = Symbol("required");

/** Every option with its default; undefined for optional ones without. */
export type LayerDefaults<C extends object> = {
  readonly [K in keyof Required<C>]: object extends Pick<C, K> ? C[K] | undefined : typeof REQUIRED;
};

/** A kind of layer. */
export interface LayerDefinition<C extends object> {
  /** Name of the factory, and of the layer in saved files: `simpleRNN`. */
  readonly type: string;
  /** Default name of the layer: `simple_rnn`. */
  readonly prefix: string;
  /** The one list of its options. */
  readonly defaults: LayerDefaults<C>;
  /** Options of Keras that are accepted and ignored. */
  readonly ignored?: readonly string[];
  /** Makes options canonical, such as names of activations. @throws OptionError for those that are out of range */
  normalize?(config: C, label: string): C;
  readonly input: InputKind;
  /** Its weights for inputs of this many features. */
  parameters?(config: C, features: number): Record<string, ParameterSpec>;
  /** @param x  a list of tensors for layers whose input is a list */
  call(scope: LayerScope<C>, x: Tensor & readonly Tensor[], options: CallOptions): Tensor | Tensor[];
  /** Layers inside it, with their paths below its own; by default those among its options. */
  children?(config: C): [path: string, module: object][];
  /** Why it cannot run step by step, if it cannot. */
  unstreamable?(config: C): string | undefined;
}

/** A kind of layer by its own options; those that all layers have are added. */
interface OwnDefinition<C extends CommonOptions> extends Omit<LayerDefinition<C>, "defaults"> {
  readonly defaults: LayerDefaults<Omit<C, keyof CommonOptions>>;
}

export const defineLayer = <C extends CommonOptions>(own: OwnDefinition<C>): LayerDefinition<C> => ({
  ...own,
  defaults: { ...own.defaults, ...COMMON_DEFAULTS } as LayerDefaults<C>,
});
