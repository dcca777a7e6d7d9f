/** Stages of a stack: cells with their options and weights, which run over whole sequences. */
import { dropoutMask } from "../../ops/dropout.ts";
import type { RowOrder } from "../../ops/recurrent/packed_sequence.ts";
import type { ValidSteps, Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import type { StateSpec } from "./cell.ts";

/** How a stack runs over a sequence. */
export interface SequencePass {
  readonly trace: Trace;
  /** How errors name the layer. */
  readonly label: string;
  /** Valid steps; all of them when absent. */
  readonly steps: ValidSteps | undefined;
  /** Direction, order of the outputs, and outputs at masked steps. */
  readonly order: RowOrder;
  /** Every step's output is needed; else only the last one. */
  readonly everyStep: boolean;
  /** Output before the first step [B, W], which masked steps repeat; zeros when absent. */
  readonly before?: Tensor | undefined;
}

/** Dropout masks of one cell, the same for every step. */
export interface DropoutMasks {
  /** Of the input [B, 1, I]. */
  readonly input: Tensor | undefined;
  /** Of h in the recurrent product [B, W]. */
  readonly state: Tensor | undefined;
}

/** How one cell of a stack runs. */
export interface StagePass extends SequencePass {
  readonly masks: DropoutMasks;
  /** Prefix of the names of inner values for `inspect`. */
  readonly prefix: string;
}

/** Result of a sequence. */
export interface SequenceResult {
  /** Outputs of every step [B, T, W], or the last one [B, W]. */
  readonly output: Tensor;
  /** States after each row's last valid step [B, size]. */
  readonly final: readonly Tensor[];
}

/** One cell of a stack. */
export interface Stage {
  readonly states: readonly StateSpec[];
  /** Rate of dropout of the input. */
  readonly dropout: number;
  /** Rate of dropout of h in the recurrent product. */
  readonly recurrentDropout: number;
  /**
   * @param x        [B, T, I]
   * @param initial  initial states; none means zeros
   */
  run(pass: StagePass, x: Tensor, initial: readonly Tensor[]): SequenceResult;
}

/** Draws the dropout masks of a cell for B rows of I features. */
export const drawMasks = ({ states, dropout, recurrentDropout }: Stage, B: number, I: number): DropoutMasks => ({
  input: dropoutMask([B, 1, I], dropout),
  state: dropoutMask([B, states[0].size], recurrentDropout),
});
