/** Matrix products. */
import { transposedScratch } from "../abi/scratch.ts";
import { ShapeError } from "../base/errors.ts";
import { describe } from "../base/shape.ts";
import { whenTraining } from "../base/when_training.ts";
import { read, update, write, type Tensor } from "../graph/tensor.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { recordInt8Linear } from "./int8_linear.ts";
import { broadcastShape, floatsOf, required, tensorOf } from "./operands.ts";
import { expand } from "./shape.ts";
import { panels, panelsOfTranspose } from "./packed_weights.ts";
import { keepSteps } from "./valid_steps.ts";

/**
 * C += Aᵀ·D over M rows (or the `live` first of them): the product of every weight gradient.
 *
 * @param N    columns of D that count, when not all of them do
 * @param ldc  row stride of C; N when absent
 */
export function addTransposedProduct(
  trace: Trace,
  a: Tensor,
  d: Tensor,
  c: Tensor,
  M: number,
  live?: Tensor,
  { N = d.size / M, ldc = N }: { N?: number; ldc?: number } = {},
): void {
  const K = a.size / M;
  const scratch = trace.tensor([transposedScratch(N)]);
  trace.call("f32_gemm_tn_acc", M, read(live), K, N, read(a), K, read(d), d.size / M, update(c), ldc, write(scratch));
}

/** x·W + b. Inputs: x [.., K], W [K, N], b [N] or absent. */
const linearOp: Op = {
  name: "matmul",
  int8: true,
  shape(inputs) {
    const [x, w] = [required(inputs, 0), required(inputs, 1)];
    if (x.shape.at(-1) !== w.shape[0]) {
      throw new ShapeError(`matmul: expected [.., K] and [K, N], got ${describe(x.shape)} and ${describe(w.shape)}`);
    }
    return [{ shape: [...x.shape.slice(0, -1), w.shape[1]] }];
  },
  forward(trace, inputs, [y]) {
    const w = required(inputs, 1);
    if (w.dtype === "i8") return recordInt8Linear(trace, required(inputs, 0), w, inputs[2], y);
    const [K, N] = w.shape;
    trace.call(
      "f32_gemm_nn",
      y.size / N,
      0,
      N,
      K,
      read(inputs[0]),
      K,
      panels(trace, w),
      read(inputs[2]),
      0,
      write(y),
      N,
    );
  },
  backward: whenTraining((trace, inputs, [y], grads) => {
    const [x, w] = [required(inputs, 0), required(inputs, 1)];
    const [K, N] = w.shape;
    const M = y.size / N;
    const dy = grads.of(0)!;
    if (grads.needs(1)) addTransposedProduct(trace, x, dy, grads.accumulate(1), M);
    if (grads.needs(2)) trace.call("f32_rsum_rows_acc", M, 0, N, read(dy), N, update(grads.accumulate(2)));
    if (grads.needs(0)) {
      trace.call(
        "f32_gemm_nn",
        M,
        0,
        K,
        N,
        read(dy),
        N,
        panelsOfTranspose(trace, w),
        0,
        0,
        write(grads.overwrite(0)),
        K,
      );
    }
  }),
};

/**
 * x·w + b over the last axis.
 *
 * @param x  [.., K]
 * @param w  [K, N]
 * @param b  [N]; none when absent
 * @returns [.., N]
 */
export function linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
  const trace = currentTrace("linear");
  return keepSteps(apply(trace, linearOp, [floatsOf(trace, x), w, b], undefined)[0], x);
}

/** a·b for each pair of matrices of a [.., M, K] and b [.., K, N], whose leading axes are the same. */
const batchedOp: Op = {
  name: "matmul",
  shape: (inputs) => [{ shape: [...required(inputs, 0).shape.slice(0, -1), required(inputs, 1).shape.at(-1)!] }],
  forward(trace, inputs, [y]) {
    eachMatrix(trace, [required(inputs, 0), required(inputs, 1), y], (a, b, c) => {
      const [[M, K], [, N]] = [a.shape, b.shape];
      trace.call("f32_gemm_nn", M, 0, N, K, read(a), K, panels(trace, b), 0, 0, write(c), N);
    });
  },
  backward: whenTraining((trace, inputs, _outputs, grads) => {
    const [a, b] = [required(inputs, 0), required(inputs, 1)];
    const dy = grads.of(0)!;
    if (grads.needs(0)) {
      eachMatrix(trace, [dy, b, grads.overwrite(0)], (dc, bi, da) => {
        const [K, N] = bi.shape;
        trace.call("f32_gemm_nn", dc.shape[0], 0, K, N, read(dc), N, panelsOfTranspose(trace, bi), 0, 0, write(da), K);
      });
    }
    if (!grads.needs(1)) return;
    eachMatrix(trace, [a, dy, grads.accumulate(1)], (ai, dc, db) =>
      addTransposedProduct(trace, ai, dc, db, ai.shape[0]),
    );
  }),
};

function eachMatrix(trace: Trace, tensors: Tensor[], visit: (...matrices: Tensor[]) => void): void {
  const count = tensors[0].shape.slice(0, -2).reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    visit(
      ...(tensors.map((tensor) => trace.view(tensor, tensor.shape.slice(-2), (i * tensor.size) / count)) as [
        Tensor,
        Tensor,
        Tensor,
      ]),
    );
  }
}

/**
 * Matrix product: a [.., K] with one matrix b [K, N], or by matrices with b [.., K, N], whose leading axes are
 * broadcast.
 *
 * @throws ShapeError if the contracted extents differ, or the leading ones do not broadcast
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const trace = currentTrace("matmul");
  const [x, y] = [floatsOf(trace, tensorOf("matmul", a)), floatsOf(trace, tensorOf("matmul", b))];
  if (x.rank >= 1 && y.rank === 2) return linear(x, y);
  if (x.rank < 2 || y.rank < 2 || x.shape.at(-1) !== y.shape.at(-2)) {
    throw new ShapeError(
      `matmul: expected [.., M, K] and [.., K, N], got ${describe(x.shape)} and ${describe(y.shape)}`,
    );
  }
  const leading = broadcastShape("matmul", x.shape.slice(0, -2), y.shape.slice(0, -2));
  const [product] = apply(
    trace,
    batchedOp,
    [x, y].map((matrices) => expand(matrices, [...leading, ...matrices.shape.slice(-2)])),
    undefined,
  );
  return keepSteps(product, a);
}
