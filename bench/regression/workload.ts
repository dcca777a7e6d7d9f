import type { Arithmetic } from "../support/bound.ts";
import type { Contender } from "../support/measure.ts";

/** Some work and the ways to do it. */
export interface Workload {
  readonly name: string;
  /** Multiply-adds per run, where they are most of the work. */
  readonly work?: number;
  /** The arithmetic per run, for the share of its bound. */
  readonly arithmetic?: Arithmetic;
  /** Seconds per run of something that cannot run here. */
  readonly elsewhere?: { readonly name: string; readonly seconds: number };
  /** Makes the contenders; the first one is gatewise. */
  contenders(): Contender[];
}
