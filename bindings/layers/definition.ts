/** What a layer is: plain data and functions over tensors. `model/layer.ts` wraps definitions into modules. */
import type { ConstraintInput } from "./constraints.ts";
import type { InitializerInput } from "./initializers.ts";
import type { RegularizerInput } from "./regularizers.ts";
import type { Int8Role } from "../graph/int8_weight.ts";
import type { Shape } from "../base/shape.ts";
import type { Steps, Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";

/** A weight of a layer. */
export interface ParameterSpec {
  readonly shape: Shape;
  readonly initializer: InitializerInput;
  /** A penalty on it in the loss. */
  readonly regularizer?: RegularizerInput | undefined;
  /** What holds for it after every update. */
  readonly constraint?: ConstraintInput | undefined;
  /** What it is used for, when `quantize` may keep it in 8 bits: only products and rows of tables are. */
  readonly int8?: Int8Role;
}

/** Options every layer has. */
export interface CommonOptions {
  /** First part of its weights' names in a sequential; numbered by kind when absent. */
  name?: string | undefined;
  /** false: its weights, and those of layers inside it, stay as they are. @default true */
  trainable?: boolean | undefined;
}

/** Options of a recurrent layer's `call`. */
export interface CallOptions extends Steps {
  /** States to start from, [batch, units] each. */
  readonly initialState?: readonly Tensor[] | undefined;
  /** Set by `bidirectional`: outputs where their inputs were read, zeros at masked steps. @internal */
  readonly placement?: Placement | undefined;
}

/** The names of those that are public. */
export const CALL_OPTIONS: readonly (keyof CallOptions)[] = ["initialState", "lengths", "mask"];

/** Where a layer inside another puts its outputs. */
export interface Placement {
  readonly asRead: boolean;
  readonly zeroMasked: boolean;
}

/** What a layer's `call` sees of itself. */
export interface LayerScope<C> {
  readonly trace: Trace;
  readonly config: Readonly<C>;
  /** How errors name it: `gru "gru_1"`. */
  readonly label: string;
  /** Its weights as tensors, created at the first call. */
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** What the input of a layer must be. */
export type InputKind = "sequence" | "features" | "tokens" | "list" | "any";

export interface LayerDefinition<C extends object> {
  /** Name of the factory, and of the layer in saved files: `simpleRNN`. */
  readonly type: string;
  /** Default name: `simple_rnn`. */
  readonly prefix: string;
  /** Every option with its default; undefined for those that must be given. */
  readonly defaults: { readonly [K in keyof Required<C>]: C[K] | undefined };
  readonly required?: readonly (keyof C & string)[];
  /** Accepted and ignored, for configurations from elsewhere. */
  readonly ignored?: readonly string[];
  /** Makes options canonical and checks them: activation names, ranges. */
  normalize?(config: C, label: string): C;
  readonly input: InputKind;
  /** Shapes of the weights for inputs of this many features. */
  parameters?(config: C, features: number): Record<string, ParameterSpec>;
  /** @param x  a list of tensors for layers whose input is a list */
  call(scope: LayerScope<C>, x: Tensor & readonly Tensor[], options: CallOptions): Tensor | Tensor[];
  /** Modules inside it, with their paths below its own; those among its options when absent. */
  children?(config: C): [path: string, module: object][];
  /** Why it cannot run step by step, when it cannot. */
  unstreamable?(config: C): string | undefined;
}

export const defineLayer = <C extends object>(definition: LayerDefinition<C>): LayerDefinition<C> => definition;
