/**
 * Long sequences in chunks of steps, if nothing is kept for a gradient: the projected inputs of a chunk are still in
 * the second-level cache when the recurrence reads them (measured: 6 to 15 % of batches of 100 steps), and a program
 * needs memory for those of one chunk only.
 */
import { projectsTokens } from "../../ops/recurrent/input_projection.ts";
import type { Sequence } from "../../ops/recurrent/recurrent_config.ts";
import { gatherRows, packedBefore, type PackedSequence } from "../../ops/recurrent/packed_sequence.ts";
import { partOf } from "../../ops/recurrent/scan.ts";
import { reshape } from "../../ops/shape.ts";
import { parameterOf } from "../../ops/packed_weights.ts";
import { sizeOf } from "../../base/shape.ts";
import type { Loop } from "../../graph/ir.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import type { Weights } from "./cell.ts";

/** Bytes of a chunk's inputs and their projection: from a half to three times as many are as fast (measured). */
const CHUNK = 384 * 1024;

/** Least rows of a chunk; products of fewer read weights more often (`BLOCK_ROWS` of assembly/lib/linear/gemm.ts). */
const LEAST_ROWS = 96;

/** What a cell's kernel runs over: a whole sequence, or some of its steps. */
export interface SequencePart {
  /** Inputs [B, T, I]. */
  readonly x: Tensor;
  readonly rows: PackedSequence;
  /** States before the first step [B, size], in sorted order; none means zeros. */
  readonly states: readonly Tensor[];
  /** Where outputs go [B·T, H]; a tensor of their own when absent. */
  readonly into?: Tensor;
}

/** How a sequence is cut: a first chunk, then `count` chunks of `steps` steps. */
export interface Chunks {
  readonly first: number;
  readonly steps: number;
  readonly count: number;
}

/**
 * How to cut a sequence all of whose steps are valid; undefined where it runs in one piece.
 *
 * @param width  of a projected row
 */
export function chunksOf(trace: Trace, { x, rows }: SequencePart, weights: Weights, width: number): Chunks | undefined {
  const {
    options: { gradients, inspect },
    body,
  } = trace;
  if (gradients || inspect || body.loop) return undefined;
  // weights that are no parameters would be packed anew for each chunk
  if (!Object.values(weights).every(parameterOf) || projectsTokens(trace, x, weights.kernel, rows)) return undefined;
  const { B, T } = rows;
  const most = Math.max(LEAST_ROWS, CHUNK / 4 / (x.shape[2] + width));
  const chunks = Math.floor(T / Math.max(1, Math.floor(most / B)));
  if (chunks < 2) return undefined;
  const steps = Math.floor(T / chunks);
  return { first: T - (chunks - 1) * steps, steps, count: chunks - 1 };
}

/**
 * Runs a sequence chunk by chunk. The first is by itself: without initial states it has one product less.
 *
 * @param H    units
 * @param run  runs the kernel over a chunk
 */
export function runChunks(
  trace: Trace,
  { x, rows, states }: SequencePart,
  { first, steps, count }: Chunks,
  H: number,
  run: (chunk: SequencePart) => Sequence,
): Sequence {
  const { B, T } = rows;
  const I = x.shape[2];
  const packed = packedBefore(x, rows);
  const lines = packed ?? rows.source!;
  const width = sizeOf(lines.shape.slice(1));
  const flat = reshape(x, [B * T, I]);
  const h = trace.tensor([B * T, H]);
  /** Runs steps whose inputs are `part` of what is packed, or of where it comes from. */
  const runPart = (part: Tensor, T: number, states: readonly Tensor[], into: Tensor): Sequence => {
    const inputs = packed ? part : gatherRows(trace, flat, part, [B * T, I]);
    return run({ x: reshape(inputs, [B, T, I]), rows: ordered(B, T), states, into });
  };
  const begin = runPart(
    trace.view(lines, [first * B, ...lines.shape.slice(1)]),
    first,
    states,
    trace.view(h, [first * B, H]),
  );
  const loop: Loop = { count, outer: undefined, depth: 0 };
  trace.repeat(loop, () => {
    const partsOf = (whole: Tensor, width: number): Tensor =>
      partOf(trace, trace.view(whole, [count, steps * B, ...whole.shape.slice(1)], first * B * width), loop);
    const { final } = runPart(partsOf(lines, width), steps, begin.final, partsOf(h, H));
    final.forEach((state, i) => trace.copy(state, begin.final[i]));
  });
  return { ...begin, h };
}

/** Steps that are packed already. */
const ordered = (B: number, T: number): PackedSequence => ({ B, T, whole: true, masked: false });
