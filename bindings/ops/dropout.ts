/** Dropout by a counter-based generator: nothing but its counter is kept, the gradient draws the same numbers again. */
import { ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { whenTraining } from "../base/when_training.ts";
import { read, write, type Tensor } from "../graph/tensor.ts";
import type { Argument } from "../graph/ir.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { floatsOf, required, tensorOf } from "./operands.ts";
import { keepSteps } from "./valid_steps.ts";

/** Elements per row of the batch in a trace that computes only some of its rows; 0 for tensors without batch axis. */
function rowOf({ options: { shard } }: Trace, { shape, size }: Tensor): number {
  return shard && shape.length > 0 && shape[0] % shard.rows === 0 ? size / shard.rows : 0;
}

interface DropoutConfig {
  readonly rate: number;
  readonly state: Tensor;
  readonly site: Argument;
}

const dropoutOp: Op<DropoutConfig> = {
  name: "dropout",
  shape: (inputs) => [{ shape: required(inputs, 0).shape }],
  forward(trace, inputs, [y], { rate, state, site }) {
    trace.call("f32_dropout_fwd", y.size, read(inputs[0]), read(state), write(y), site, rowOf(trace, y), rate);
  },
  backward: whenTraining((trace, _inputs, [y], grads, { rate, state, site }) => {
    trace.call(
      "f32_dropout_fwd",
      y.size,
      read(grads.of(0)),
      read(state),
      write(grads.overwrite(0)),
      site,
      rowOf(trace, y),
      rate,
    );
  }),
};

/**
 * Zeroes a share of the elements and scales the others up (inverted dropout) where the training flag is on; else x.
 *
 * @param rate  share of zeros, 0 ≤ rate < 1
 */
export function dropout(x: Tensor, rate: number): Tensor {
  const trace = currentTrace("dropout");
  if (!(typeof rate === "number" && rate >= 0 && rate < 1))
    throw new ValueError(`dropout: expected a rate of 0 ≤ rate < 1, got ${shown(rate)}`);
  const input = floatsOf(trace, tensorOf("dropout", x));
  if (!trace.options.training || rate === 0) return input;
  const [y] = apply(trace, dropoutOp, [input], { rate, ...trace.random() });
  return keepSteps(y, input);
}

/** A mask of 0 and 1/(1 − rate), to be multiplied at every step; undefined where nothing is dropped. */
export function dropoutMask(shape: readonly number[], rate: number): Tensor | undefined {
  const trace = currentTrace("dropout");
  if (!trace.options.training || rate === 0) return undefined;
  const { state, site } = trace.random();
  const mask = trace.tensor(shape);
  trace.call("f32_dropout_mask", mask.size, read(state), write(mask), site, rowOf(trace, mask), rate);
  return mask;
}
