/** The kernel table in plain TypeScript: oracle, fallback and parity twin of the wasm builds. */
import type { Kernels } from "../generated/kernels.ts";
import { abi } from "./abi.ts";
import { clip } from "./clip.ts";
import { copy } from "./copy.ts";
import { dropout } from "./dropout.ts";
import { gather } from "./gather.ts";
import { gemm } from "./gemm.ts";
import { gruResetAfter } from "./gru_reset_after.ts";
import { gruResetBefore } from "./gru_reset_before.ts";
import { losses } from "./loss.ts";
import { lstm } from "./lstm.ts";
import { optimizer } from "./optimizer.ts";
import { pack } from "./pack.ts";
import { int8Gemm } from "./q8_gemm.ts";
import { int8Sequences } from "./q8_sequences.ts";
import { rows } from "./rows.ts";
import { shiftRows } from "./shift_rows.ts";
import { simpleRnn } from "./simple_rnn.ts";
import { softmax } from "./softmax.ts";
import { softmaxXent } from "./softmax_xent.ts";
import { steps } from "./steps.ts";
import { vecBinary } from "./vec_binary.ts";
import { vecReduce } from "./vec_reduce.ts";
import { vecUnary } from "./vec_unary.ts";
import { viewsOf, type Memory, type Views } from "./views.ts";

/** Every kernel over a memory; pointers are byte offsets into it. */
export const referenceKernels = (memory: Memory): Kernels => kernelsOver(viewsOf(memory));

/** The table over any views: the tests compute with doubles where these give floats. */
export function kernelsOver(views: Views): Kernels {
  return {
    ...abi(),
    ...clip(views),
    ...copy(views),
    ...dropout(views),
    ...gather(views),
    ...gemm(views),
    ...gruResetAfter(views),
    ...gruResetBefore(views),
    ...losses(views),
    ...lstm(views),
    ...optimizer(views),
    ...pack(views),
    ...int8Gemm(views),
    ...int8Sequences(views),
    ...rows(views),
    ...shiftRows(views),
    ...simpleRnn(views),
    ...softmax(views),
    ...softmaxXent(views),
    ...steps(views),
    ...vecBinary(views),
    ...vecReduce(views),
    ...vecUnary(views),
  };
}
