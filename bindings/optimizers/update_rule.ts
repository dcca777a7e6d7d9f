/** What an optimizer's state needs of the optimizer: its hyperparameters, its slots, and the kernel of its update. */
import type { Operand } from "../graph/ir.ts";
import type { Trace } from "../graph/trace.ts";
import type { Convention, Schedule } from "./optimizer_options.ts";

/** Neighbouring weights that one kernel call updates. */
export interface UpdateRange {
  /** Floats. */
  readonly size: number;
  readonly gradient: Operand;
  readonly parameter: Operand;
  /** Where the hyperparameters lie. */
  readonly hyper: Operand;
  /** An integer that is 0 when this step makes no update. */
  readonly guard: Operand;
}

/** See {@link Optimizer}, which implements it. */
export interface UpdateRule {
  readonly kind: string;
  /** Whether an update may divide by 0, or by the rounding of a difference: weights are copied before it. */
  readonly isRisky: boolean;
  readonly convention: Convention;
  /** Names of the arrays kept beside every weight. */
  readonly slots: readonly string[];
  /** The value that each slot starts from. */
  readonly slotValues: Readonly<Record<string, number>>;
  /** Learning rates by path. */
  readonly learningRates: Readonly<Record<string, number | Schedule>>;
  /** Paths and names of weights without decay. */
  readonly withoutDecay: readonly string[];
  readonly clipping: Clipping;
  readonly stepsPerUpdate: number;
  /** Whether averages of the weights are kept. */
  readonly averages: boolean;
  /** Hyperparameters of the step after `done` steps, for weights of one learning rate. */
  hyper(done: number, path: string | undefined, decays: boolean): number[];
  /** Hyperparameters of the averages in the step after `done` steps. */
  averageHyper(done: number): number[];
  /** Records the update of a range. @param slot  where a slot of the range lies; 0 for one that is not kept */
  record(trace: Trace, range: UpdateRange, slot: (name: string) => Operand | 0): void;
}

/** Limits of gradients; see the options of the same names. */
export interface Clipping {
  readonly clipNorm: number | undefined;
  readonly globalClipNorm: number | undefined;
  readonly clipValue: number | undefined;
}
