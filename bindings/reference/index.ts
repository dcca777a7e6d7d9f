/** The kernel table in plain TypeScript: oracle, fallback and parity twin of the wasm builds. README.md says more. */
import { whenTraining } from "../base/when_training.ts";
import type { Kernels } from "../generated/kernels.ts";
import { abi } from "./abi.ts";
import { copy, copyTraining } from "./elementwise/copy.ts";
import { dropout } from "./elementwise/dropout.ts";
import { vecBinary, vecBinaryTraining } from "./elementwise/vec_binary.ts";
import { vecUnary, vecUnaryTraining } from "./elementwise/vec_unary.ts";
import { int8Gemm } from "./int8/q8_gemm.ts";
import { int8Sequences } from "./int8/q8_sequences.ts";
import { gemm, gemmTraining } from "./linear/gemm.ts";
import { pack, packTraining } from "./linear/pack.ts";
import { gruResetAfter, gruResetAfterTraining } from "./recurrent/gru_reset_after.ts";
import { gruResetBefore, gruResetBeforeTraining } from "./recurrent/gru_reset_before.ts";
import { lstm, lstmTraining } from "./recurrent/lstm.ts";
import { simpleRnn, simpleRnnTraining } from "./recurrent/simple_rnn.ts";
import { steps } from "./recurrent/steps.ts";
import { softmax, softmaxTraining } from "./reduction/softmax.ts";
import { vecReduce, vecReduceTraining } from "./reduction/vec_reduce.ts";
import { gather, gatherTraining } from "./rows/gather.ts";
import { packRows } from "./rows/pack_rows.ts";
import { shiftRows } from "./rows/shift_rows.ts";
import { clip } from "./training/clip.ts";
import { losses } from "./training/loss.ts";
import { optimizer } from "./training/optimizer.ts";
import { softmaxXent } from "./training/softmax_xent.ts";
import { viewsOf, type Memory, type Views } from "./views.ts";

/** The kernels that running a model needs: those of assembly/infer.ts and assembly/q8.ts. */
export const forwardKernels = (views: Views) => ({
  ...abi(),
  ...copy(views),
  ...gather(views),
  ...gemm(views),
  ...gruResetAfter(views),
  ...gruResetBefore(views),
  ...int8Gemm(views),
  ...int8Sequences(views),
  ...lstm(views),
  ...pack(views),
  ...packRows(views),
  ...simpleRnn(views),
  ...softmax(views),
  ...steps(views),
  ...vecBinary(views),
  ...vecReduce(views),
  ...vecUnary(views),
});

/** The kernels that training needs besides. */
const trainingKernels = (views: Views) => ({
  ...clip(views),
  ...copyTraining(views),
  ...dropout(views),
  ...gatherTraining(views),
  ...gemmTraining(views),
  ...gruResetAfterTraining(views),
  ...gruResetBeforeTraining(views),
  ...losses(views),
  ...lstmTraining(views),
  ...optimizer(views),
  ...packTraining(views),
  ...shiftRows(views),
  ...simpleRnnTraining(views),
  ...softmaxTraining(views),
  ...softmaxXent(views),
  ...vecBinaryTraining(views),
  ...vecReduceTraining(views),
  ...vecUnaryTraining(views),
});

/**
 * The table over any views: the tests compute with doubles where these give floats. Bundles that only run models have
 * its first half.
 */
export const kernelsOver = (views: Views): Kernels => ({
  ...forwardKernels(views),
  ...(whenTraining(trainingKernels)?.(views) as ReturnType<typeof trainingKernels>),
});

/** Every kernel over a memory; pointers are byte offsets into it. */
export const referenceKernels = (memory: Memory): Kernels => kernelsOver(viewsOf(memory));
