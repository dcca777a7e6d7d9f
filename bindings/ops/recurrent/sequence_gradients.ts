/** What the backward passes of all sequence ops share. */
import { read, write, type Tensor } from "../../graph/tensor.ts";
import type { GradientSink } from "../../graph/node.ts";
import type { Trace } from "../../graph/trace.ts";
import type { SequenceConfig } from "./recurrent_config.ts";

/** The gradient of a state [B, H], updated in place: of the final state before the kernel, of the initial one after. */
export function stateGradient(trace: Trace, grads: GradientSink, output: number, { rows, H }: SequenceConfig): Tensor {
  const final = grads.of(output);
  if (!final) return trace.zeros([rows.B, H]);
  const gradient = trace.tensor([rows.B, H]);
  trace.copy(final, gradient);
  return gradient;
}

/**
 * The operands of the recurrent weight's gradient: h(t−1) of every step and the gradients of its gates. If every step
 * has all rows and there is no state before the first, both are in memory already, one step apart.
 */
export function recurrentOperands(
  trace: Trace,
  { rows: { B, T, active }, H }: SequenceConfig,
  h: Tensor,
  d: Tensor,
  h0: Tensor | undefined,
  drop: Tensor | undefined,
): { x: Tensor; d: Tensor } {
  if (!active && !h0 && !drop) return laterSteps(trace, B, h, d);
  const x = trace.tensor(h.shape);
  trace.call("f32_shift_rows", T, B, H, read(active), read(h0), read(drop), read(h), write(x));
  return { x, d };
}

/** All of x [N, K] but its last step, and all of d [N, width] but its first. */
function laterSteps(trace: Trace, B: number, x: Tensor, d: Tensor): { x: Tensor; d: Tensor } {
  const [[N, K], [, width]] = [x.shape, d.shape];
  return { x: trace.view(x, [N - B, K]), d: trace.view(d, [N - B, width], B * width) };
}

/** 1 if a kernel must compute the gradient of the initial state h0: without it the first step has a product less. */
export const needsInitial = (grads: GradientSink, h0: number): number => +grads.needs(h0);

/** The gradient of a weight, to be added to; undefined where none is required. */
export const weightGradient = (grads: GradientSink, input: number): Tensor | undefined =>
  grads.needs(input) ? grads.accumulate(input) : undefined;
