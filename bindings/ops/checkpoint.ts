/** Recomputation: less memory for more time (Chen et al. 2016). */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { whenTraining } from "../base/when_training.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Node } from "../graph/node.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace } from "../graph/trace.ts";

interface CheckpointConfig {
  readonly results: readonly Tensor[];
  rerun(): { result: readonly Tensor[]; nodes: Node[] };
}

/** What a function computed; backward runs the function again and goes back over what it did. */
const checkpointOp: Op<CheckpointConfig> = {
  name: "checkpoint",
  shape: (_inputs, { results }) =>
    results.map((result) => ({ shape: result.shape, dtype: result.dtype, viewOf: result })),
  forward: () => {},
  backward: whenTraining((_trace, _inputs, _outputs, grads, { rerun }) => {
    const { result, nodes } = rerun();
    grads.through(nodes, result);
  }),
};

/**
 * Gradient checkpointing: the inner values of `fn` are not kept for the gradient, but computed again in the backward
 * pass, which saves their memory between. Dropout in `fn` drops the same elements both times.
 *
 * @param fn  makes the tensors from tensors made before; it runs twice if gradients are required
 */
export function checkpoint(fn: () => Tensor[]): Tensor[] {
  const trace = currentTrace("checkpoint");
  if (typeof fn !== "function")
    throw new OptionError(`checkpoint: expected a function that gives tensors, got ${shown(fn)}`);
  if (!trace.options.gradients || trace.options.inspect) return fn();
  const { result, rerun } = trace.runWithoutSaving(fn);
  return apply(trace, checkpointOp, result, { results: result, rerun });
}
