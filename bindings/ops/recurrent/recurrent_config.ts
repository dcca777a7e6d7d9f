/** What the sequences of all cells share. */
import { read, type Tensor } from "../../graph/tensor.ts";
import type { TensorSpec } from "../../graph/op.ts";
import type { Trace } from "../../graph/trace.ts";
import type { Rows } from "./packed_sequence.ts";

/** Gates of a unit. */
export const LSTM = 4;
export const GRU = 3;

/** An activation as kernels take it. */
export interface Activation {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

export interface SequenceConfig {
  readonly rows: Rows;
  readonly H: number;
  /** [activation, recurrent activation]; absent for the usual pair, which is fused. */
  readonly activations?: readonly Activation[];
  /** Where outputs go [N, H]; a place of their own when absent. */
  readonly into?: Tensor | undefined;
}

/** What holds the outputs of a sequence. */
export const outputs = (z: Tensor | undefined, { H, into }: SequenceConfig): TensorSpec => ({
  shape: [z!.shape[0], H],
  ...(into && { viewOf: into }),
});

/** Outputs of a sequence: every step's, and the states after each row's last step, in sorted order. */
export interface Sequence {
  /** [N, H] */
  readonly h: Tensor;
  /** [B, H] each */
  readonly final: Tensor[];
  /** Gates in panel order [N, G·Hp], once computed. */
  readonly gates: Tensor;
  /** Other values worth looking at, by name [N, H]. */
  readonly inner: Record<string, Tensor>;
}

/** Records of { code, alpha, beta, 0 } for kernels, or 0 for the usual pair. */
export function activationRecords(trace: Trace, activations: SequenceConfig["activations"]): ReturnType<typeof read> {
  if (!activations) return 0;
  const words = new Int32Array(activations.length * 4);
  const floats = new Float32Array(words.buffer);
  activations.forEach(({ code, alpha, beta }, i) => {
    words[i * 4] = code;
    floats.set([alpha, beta], i * 4 + 1);
  });
  return read(trace.constant(words));
}

/** The update and reset gates, which multiply h, and the candidate, which multiplies r⊙h. */
export const resetBeforeGates = (H: number) =>
  [
    { G: 2, H },
    { G: 1, H, first: 2 * H },
  ] as const;
