/** What ops are, and how they are applied: forward calls are recorded at once, backward ones when a gradient is asked for. */
import type { DType, Shape } from "../base/shape.ts";
import type { GradientSink, Inputs } from "./node.ts";
import type { Parameter } from "./parameter.ts";
import type { Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";

export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Shares the bytes of this input instead of having its own. */
  readonly viewOf?: Tensor;
}

/**
 * One differentiable operation. Its functions record kernel calls; absent optional inputs are undefined.
 * An op without `backward` stops gradients.
 */
export interface Op<C = void> {
  readonly name: string;
  /** Takes int8 weights as they are; others are given the floats these stand for. */
  readonly int8?: boolean;
  /** Checks the inputs, naming the one that is wrong, and says what comes out. */
  shape(inputs: Inputs, config: C, trace: Trace): TensorSpec[];
  forward(trace: Trace, inputs: Inputs, outputs: Tensor[], config: C): void;
  backward?(trace: Trace, inputs: Inputs, outputs: Tensor[], grads: GradientSink, config: C): void;
}

/** An int8 weight as floats, for ops that know none: a copy in this program. */
function dequantized(trace: Trace, weight: Tensor): Tensor {
  return trace.once(weight, "floats", () => {
    const parameter = weight.origin.get("parameter") as Parameter;
    // without a place yet it has only a shape, and so has this trace
    return trace.constant(parameter.block?.floatsOf(parameter) ?? new Float32Array(parameter.size), parameter.shape);
  });
}

/** Applies an op: records its forward calls and remembers it for the gradient. */
export function apply<C>(trace: Trace, op: Op<C>, given: Inputs, config: C): Tensor[] {
  for (const input of given) if (input) trace.checkOwn(op.name, input);
  const inputs = op.int8 ? given : given.map((input) => (input?.dtype === "i8" ? dequantized(trace, input) : input));
  const outputs = op
    .shape(inputs, config, trace)
    .map(({ shape, dtype = "f32", viewOf }) => (viewOf ? trace.view(viewOf, shape) : trace.tensor(shape, dtype)));
  const differentiable = trace.options.gradients && op.backward !== undefined;
  if (differentiable && inputs.some((input) => input?.requiresGrad)) {
    for (const output of outputs) output.requiresGrad = output.dtype === "f32";
    trace.addNode(inputs, outputs, (grads) => op.backward!(trace, inputs, outputs, grads, config));
  }
  op.forward(trace, inputs, outputs, config);
  return outputs;
}
