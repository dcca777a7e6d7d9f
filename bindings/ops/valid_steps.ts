/** Which steps of a sequence are valid, and how that travels through ops. */
import { sameShape, sizeOf, type Shape } from "../base/shape.ts";
import { read, write, type Tensor, type ValidSteps } from "../graph/tensor.ts";
import { currentTrace, type Trace } from "../graph/trace.ts";
import { indicesOf, integersOf } from "./operands.ts";

/** Lengths and mask as kernels read them. */
export const stepIntegers = (
  trace: Trace,
  steps: ValidSteps | undefined,
  T: number,
): [lengths?: Tensor, mask?: Tensor] => [
  steps?.lengths && indicesOf(trace, steps.lengths, T + 1, "lengths"),
  steps?.mask && integersOf(trace, steps.mask),
];

const axesOf = (steps: ValidSteps | undefined, shape: Shape): Shape => steps?.mask?.shape ?? shape.slice(0, 2);

/** The leading axes of x that its steps are about: [batch, time], or [batch, .., time] for sequences of sequences. */
export const axesOfSteps = ({ steps, shape }: Tensor): Shape => axesOf(steps, shape);

/**
 * 1 at valid steps, 0 elsewhere.
 *
 * @param shape  of the tensor [batch, time, ..] that the steps belong to
 * @returns [batch, time], or [batch, .., time] as the mask
 */
export function validSteps(trace: Trace, steps: ValidSteps, shape: Shape): Tensor {
  const axes = axesOf(steps, shape);
  return trace.once(steps.mask ?? steps.lengths, `valid ${axes.join(" ")}`, () => {
    const T = axes.at(-1)!;
    const [lengths, mask] = stepIntegers(trace, steps, T);
    const valid = trace.tensor(axes);
    trace.call("f32_valid_steps", sizeOf(axes) / T, T, read(lengths), read(mask), write(valid));
    return valid;
  });
}

const sameSteps = (a: ValidSteps, b: ValidSteps): boolean => a.lengths === b.lengths && a.mask === b.mask;

/** Steps that are valid in any of these tensors of one leading shape. */
export function anyValid(trace: Trace, valid: readonly Tensor[]): ValidSteps {
  const mask = valid.reduce((a, b) => {
    const either = trace.tensor(a.shape);
    trace.call("f32_vmaximum", a.size, read(a), read(b), write(either));
    return either;
  });
  return { mask: integersOf(trace, mask) };
}

/**
 * Tells the result of an op which steps count, where it has the axes [batch, time, ..] of the inputs that know it. Where
 * several inputs know different steps, those count that are valid in any.
 *
 * @returns y
 */
export function keepSteps(y: Tensor, ...inputs: readonly Tensor[]): Tensor {
  const known = inputs.filter(({ steps, shape }) => {
    if (!steps) return false;
    const axes = axesOf(steps, shape);
    return sameShape(axes, y.shape.slice(0, axes.length));
  });
  if (known.length === 0) return y;
  const [first] = known;
  const same = known.every(({ steps }) => sameSteps(steps!, first.steps!));
  const trace = currentTrace("steps");
  y.steps = same
    ? first.steps
    : anyValid(
        trace,
        known.map(({ steps, shape }) => validSteps(trace, steps!, shape)),
      );
  return y;
}

/** Steps that a mask of floats [batch, time] makes valid. */
export const stepsOfMask = (trace: Trace, valid: Tensor): ValidSteps => ({ mask: integersOf(trace, valid) });
