/** What the sequence ops of all cells share: their configuration, their result, and how arguments reach the kernels. */
import { GRU_GATES, LSTM_GATES } from "../../abi/gates.ts";
import { encodeActivations, type ActivationRecord } from "../../abi/records.ts";
import { sequenceScratch } from "../../abi/scratch.ts";
import type { Operand } from "../../graph/ir.ts";
import type { TensorSpec } from "../../graph/op.ts";
import { read, write, type Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import type { PackedSequence } from "./packed_sequence.ts";

/** Gates of a unit. */
export const LSTM = LSTM_GATES.length;
export const GRU = GRU_GATES.length;

/** Configuration of a sequence op. */
export interface SequenceConfig {
  readonly rows: PackedSequence;
  /** Units. */
  readonly H: number;
  /** [activation, recurrent activation]; absent for tanh and sigmoid, which the kernels have fused. */
  readonly activations?: readonly ActivationRecord[];
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

/** The shape of the pre-activations kept for backward: that of the gates, or empty with the default activations. */
export const preactivationSpec = (z: Tensor | undefined, { activations }: SequenceConfig): TensorSpec => ({
  shape: activations ? z!.shape : [0],
});

/** Records for kernels, or 0 for tanh and sigmoid. */
export function activationRecords(trace: Trace, { activations }: SequenceConfig): Operand | 0 {
  if (!activations) return 0;
  return read(trace.constant(encodeActivations(activations)));
}

/** Scratch of a sequence kernel. */
export const scratch = (trace: Trace, { rows, H }: SequenceConfig): Operand | 0 =>
  write(trace.tensor([sequenceScratch(rows.B, H)]));
