/** What the sequence ops of all cells share: their configuration, their result, and how arguments reach the kernels. */
import type { Operand } from "../../graph/ir.ts";
import type { TensorSpec } from "../../graph/op.ts";
import { read, type Tensor } from "../../graph/tensor.ts";
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

/** Configuration of a sequence op. */
export interface SequenceConfig {
  readonly rows: Rows;
  /** Units. */
  readonly H: number;
  /** [activation, recurrent activation]; absent for tanh and sigmoid, which the kernels have fused. */
  readonly activations?: readonly Activation[];
  /** Where outputs go [N, H]; a tensor of their own when absent. */
  readonly into?: Tensor | undefined;
}

/** Result of a sequence op; rows are in sorted order. */
export interface Sequence {
  /** Output of every step [N, H]. */
  readonly h: Tensor;
  /** States after each row's last step, [B, H] each. */
  readonly final: Tensor[];
  /** Gates in panel order [N, G·Hp]; after the backward pass the gradients of their pre-activations. */
  readonly gates: Tensor;
  /** Values besides h that `inspect` shows, by name [N, H]. */
  readonly inner: Record<string, Tensor>;
}

/** The first arguments of every sequence kernel: T, B, H, rows alive at each step. */
export const extents = ({ rows, H }: SequenceConfig): [T: number, B: number, H: number, active: Operand | 0] => [
  rows.T,
  rows.B,
  H,
  read(rows.active),
];

/** Shape of a state [B, H]. */
export const stateSpec = ({ rows, H }: SequenceConfig): TensorSpec => ({ shape: [rows.B, H] });

/** Shape of the outputs [N, H], and where they go. */
export const outputSpec = (z: Tensor | undefined, { H, into }: SequenceConfig): TensorSpec => ({
  shape: [z!.shape[0], H],
  ...(into && { viewOf: into }),
});

/** Shape of the pre-activations kept for backward: those of the gates, or none where the kernels' own activations act. */
export const preactivationSpec = (z: Tensor | undefined, { activations }: SequenceConfig): TensorSpec => ({
  shape: activations ? z!.shape : [0],
});

/** Records of { code, alpha, beta, 0 } for kernels, or 0 for tanh and sigmoid. */
export function activationRecords(trace: Trace, { activations }: SequenceConfig): Operand | 0 {
  if (!activations) return 0;
  const words = new Int32Array(activations.length * 4);
  const floats = new Float32Array(words.buffer);
  activations.forEach(({ code, alpha, beta }, i) => {
    words[i * 4] = code;
    floats.set([alpha, beta], i * 4 + 1);
  });
  return read(trace.constant(words));
}

/** Scratch of a sequence kernel of G gates. */
export const scratch = (trace: Trace, { rows, H }: SequenceConfig, G: number): Tensor =>
  trace.tensor([rows.B, (G + 3) * ((H + 7) & ~7)]);
