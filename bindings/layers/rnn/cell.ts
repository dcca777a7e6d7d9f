/** What a cell is. lstm.ts, gru.ts and simple_rnn.ts describe one each; the rest of this folder works for any cell. */
import type { Sequence, SequenceConfig } from "../../ops/recurrent/recurrent_config.ts";
import { slice } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import type { LayerDefaults, ParameterSpec } from "../definition.ts";

/** Weights by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** Gives a cell's weights for inputs of this many features. */
export type WeightsFor = (features: number) => Weights;

/** A state of a cell [batch, size]. */
export interface StateSpec {
  readonly name: string;
  readonly size: number;
}

/** Result of a step: the output [B, W], and the next states [B, size]. */
export type StepOutput = readonly [output: Tensor, states: readonly Tensor[]];

/** One step over time, from an input [B, I] and states [B, size]. */
export type Step = (x: Tensor, states: readonly Tensor[]) => StepOutput;

/** What a cell's equations use besides the input and the states of a step. */
export interface StepScope<C extends object> {
  readonly config: Readonly<C>;
  readonly weights: Weights;
  /** Applies recurrent dropout to h, for the recurrent product. */
  readonly dropped: (h: Tensor) => Tensor;
  /** Applies `recurrentActivation` to a pre-activation, after `cellClip`; `inspect` shows the gate by its name. */
  readonly gate: (name: string, z: Tensor) => Tensor;
  /** Applies `activation` in the same way. */
  readonly candidate: (name: string, z: Tensor) => Tensor;
  /** Names a value for `inspect` that is no gate, candidate or state: those are shown anyway. */
  readonly expose: (name: string, value: Tensor) => void;
}

/** What a cell's kernels use besides the inputs and the initial states. */
export interface SequenceScope<C extends object> {
  readonly trace: Trace;
  readonly config: Readonly<C>;
  readonly weights: Weights;
  /** Recurrent dropout mask [B, W], in sorted order. */
  readonly drop: Tensor | undefined;
  /** Packed rows, units, and activations other than tanh and sigmoid. */
  readonly options: SequenceConfig;
}

/**
 * A cell: its options and weights, its states, one step, and a whole sequence. Both are given x·W + b, which is computed for
 * all steps at once; the columns of W are G blocks of `units`, one for each gate.
 */
export interface CellDefinition<C extends object> {
  /** Name of the factory, and of the layer in saved files: `simpleRNN`. */
  readonly type: string;
  /** Default name of the layer: `simple_rnn`. */
  readonly prefix: string;
  /** The one list of its options. */
  readonly defaults: LayerDefaults<C>;
  /** Makes options canonical. @throws OptionError for those that are out of range */
  normalize(config: C, label: string): C;
  /** Its weights for inputs of this many features, `kernel`, `recurrent_kernel` and `bias` among them. */
  parameters(config: C, features: number): Record<string, ParameterSpec>;
  /** Names of its gates for `inspect`, in the order of the kernel's columns. */
  readonly gates: readonly string[];
  /** Its states; the first is the output. */
  states(config: C): readonly StateSpec[];
  /**
   * The equations, as ops.
   *
   * @param x  x·W + b of the step [B, G·units]
   */
  step(scope: StepScope<C>, x: Tensor, states: readonly Tensor[]): StepOutput;
  /**
   * The same for all steps in one kernel; absent where there is none.
   *
   * @param x       x·W + b of packed rows [N, G·units], in panel order
   * @param states  in sorted order; none means zeros
   */
  sequence?(scope: SequenceScope<C>, x: Tensor, states: readonly Tensor[]): Sequence;
  /** True if the kernel does not know options of its own; `step` is repeated then. */
  unfused?(config: C): boolean;
}

/** Block k of the columns of z [B, G·units]. */
export const columns = (z: Tensor, k: number, units: number): Tensor => slice(z, [0, k * units], [-1, units]);
