/** Fused losses: one number per row or element, and the gradient that follows from it without a detour. */
import { whenTraining } from "../base/when_training.ts";
import { read, write, type Tensor } from "../graph/tensor.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace } from "../graph/trace.ts";
import { floatsOf, indicesOf, required } from "./operands.ts";

/** Inputs: logits [.., N], labels [..]. Outputs: loss [..], log of the sum of exponentials [..]. */
const sparseOp: Op = {
  name: "softmaxCrossEntropy",
  shape(inputs) {
    const { shape } = required(inputs, 1);
    return [{ shape }, { shape }];
  },
  forward(trace, [x, labels], [loss, lse]) {
    trace.call(
      "f32_softmax_xent_sparse_fwd",
      loss.size,
      x!.shape.at(-1)!,
      read(x),
      read(labels),
      write(loss),
      write(lse),
    );
  },
  backward: whenTraining((trace, [x, labels], [loss, lse], grads) => {
    trace.call(
      "f32_softmax_xent_sparse_bwd",
      loss.size,
      x!.shape.at(-1)!,
      read(x),
      read(labels),
      read(lse),
      read(grads.of(0)),
      write(grads.overwrite(0)),
    );
  }),
};

/** −log softmax(logits)[label] per row. */
export function sparseCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const trace = currentTrace("sparseCrossEntropy");
  const x = floatsOf(trace, logits);
  return apply(trace, sparseOp, [x, indicesOf(trace, labels, x.shape.at(-1)!, "labels")], undefined)[0];
}

/** Inputs: logits [.., N], targets [.., N]. Outputs: loss [..], log of the sum of exponentials [..]. */
const denseOp: Op = {
  name: "softmaxCrossEntropy",
  shape(inputs) {
    const shape = required(inputs, 0).shape.slice(0, -1);
    return [{ shape }, { shape }];
  },
  forward(trace, [x, targets], [loss, lse]) {
    trace.call(
      "f32_softmax_xent_dense_fwd",
      loss.size,
      x!.shape.at(-1)!,
      read(x),
      read(targets),
      write(loss),
      write(lse),
    );
  },
  backward: whenTraining((trace, [x, targets], [loss, lse], grads) => {
    trace.call(
      "f32_softmax_xent_dense_bwd",
      loss.size,
      x!.shape.at(-1)!,
      read(x),
      read(targets),
      read(lse),
      read(grads.of(0)),
      write(grads.overwrite(0)),
    );
  }),
};

/** An elementwise loss of predictions and targets of one shape. */
function elementLoss(kernel: "sigmoid_xent" | "squared_error"): Op {
  return {
    name: kernel,
    shape: (inputs) => [{ shape: required(inputs, 0).shape }],
    forward: (trace, [x, targets], [loss]) =>
      trace.call(`f32_${kernel}_fwd`, loss.size, read(x), read(targets), write(loss)),
    backward: whenTraining((trace, [x, targets], [loss], grads) =>
      trace.call(`f32_${kernel}_bwd`, loss.size, read(x), read(targets), read(grads.of(0)), write(grads.overwrite(0))),
    ),
  };
}

const sigmoidOp = elementLoss("sigmoid_xent");
const squaredOp = elementLoss("squared_error");

function applied(op: Op, predictions: Tensor, targets: Tensor): Tensor {
  const trace = currentTrace(op.name);
  return apply(trace, op, [floatsOf(trace, predictions), floatsOf(trace, targets)], undefined)[0];
}

/** −Σ target·log softmax(logits) per row; targets are constants. */
export const denseCrossEntropy = (logits: Tensor, targets: Tensor): Tensor => applied(denseOp, logits, targets);

/** Cross-entropy of sigmoid(logits) per element, stable for any logit; targets are constants. */
export const sigmoidCrossEntropy = (logits: Tensor, targets: Tensor): Tensor => applied(sigmoidOp, logits, targets);

/** (prediction − target)² per element; targets are constants. */
export const squaredError = (predictions: Tensor, targets: Tensor): Tensor => applied(squaredOp, predictions, targets);
