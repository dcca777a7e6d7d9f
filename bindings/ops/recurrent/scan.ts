/** A loop over time whose step is recorded once, with its gradient as a loop back. */
import type { GradientSink, Node } from "../../graph/node.ts";
import type { Loop } from "../../graph/ir.ts";
import type { Op } from "../../graph/op.ts";
import { sizeOf } from "../../base/shape.ts";
import { whenTraining } from "../../base/when_training.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { Exposed, Trace } from "../../graph/trace.ts";
import { affine } from "../elementwise.ts";
import { floatsOf } from "../operands.ts";

/** What a step gives. */
export interface ScanStep {
  readonly outputs: readonly Tensor[];
  /** For the next step, as many as it was given. */
  readonly carried: readonly Tensor[];
}

/** A recorded step, from both sides. */
interface Recording {
  readonly loop: Loop;
  readonly nodes: readonly Node[];
  /** The step's parts of the inputs. */
  readonly parts: readonly Tensor[];
  /** What it was given to carry, and what it carries on. */
  readonly before: readonly Tensor[];
  readonly after: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly exposed: readonly [name: string, value: Exposed][];
  /** GradientSink of what was exposed, once they are recorded. */
  readonly exposedGradients: Map<string, Tensor>;
}

/** The part of a whole [count, ..], from outside of the loop, that belongs to the step that is being recorded. */
export function partOf(trace: Trace, whole: Tensor, loop: Loop): Tensor {
  const shape = whole.shape.slice(1);
  const { dtype, storage, offset } = whole;
  const part = new Tensor(trace, shape, dtype, storage, { offset, loop, stride: { loop, by: sizeOf(shape) * 4 } });
  part.requiresGrad = whole.requiresGrad;
  return part;
}

/** Whether a step's tensor fills a place of its own, so that the places of all steps are the whole. */
const fillsPlace = ({ size, offset, storage, stride }: Tensor, loop: Loop): boolean =>
  storage.loop === loop && offset === 0 && storage.bytes === size * 4 && !stride;

/** The same in a place of its own. */
function placed(trace: Trace, tensor: Tensor, loop: Loop): Tensor {
  if (fillsPlace(tensor, loop)) return tensor;
  const copy = trace.tensor(tensor.shape);
  trace.copy(tensor, copy);
  return copy;
}

/** What every step has put in its place, as one [count, ..]. Called outside of the loop. */
function wholeOf(trace: Trace, { shape, dtype, storage, requiresGrad }: Tensor, { count }: Loop): Tensor {
  const whole = new Tensor(trace, [count, ...shape], dtype, storage, { loop: trace.body.loop });
  whole.requiresGrad = requiresGrad;
  return whole;
}

/** An output of a layer in the step, and what it adds to the loss. */
type Penalised = readonly [output: Tensor, penalty: (value: Tensor) => Tensor];

/** How a whole [count, ..] is arranged for those outside of the loop. */
type Arrange = (whole: Tensor) => Tensor;

/** Inputs: wholes, then what the first step is given to carry. Outputs: wholes, then what the last step carries on. */
const scanOp: Op<Recording> = {
  name: "scan",
  shape: () => [],
  forward: () => {},
  backward: whenTraining((trace, _inputs, _outputs, grads, recording) => {
    const { loop, parts, before, outputs } = recording;
    const running = before.map(({ shape }, i) => {
      const last = grads.of(outputs.length + i);
      if (!last) return trace.zeros(shape);
      const sum = trace.tensor(shape);
      trace.copy(last, sum);
      return sum;
    });
    const gradients = trace.repeat(loop, () => backStep(trace, grads, recording, running), true);
    gradients.forEach((gradient, i) => {
      if (gradient && grads.needs(i)) grads.pass(i, wholeOf(trace, gradient, loop));
    });
    running.forEach((gradient, i) => {
      if (grads.needs(parts.length + i)) grads.pass(parts.length + i, gradient);
    });
  }),
};

/** Records a backward step: gradients of the states go to `running`; returns those of its parts of the inputs. */
function backStep(
  trace: Trace,
  grads: GradientSink,
  recording: Recording,
  running: readonly Tensor[],
): (Tensor | undefined)[] {
  const { loop, nodes, parts, before, after, outputs, exposed, exposedGradients } = recording;
  const tape = grads.forStep();
  after.forEach((tensor, i) => {
    if (!tensor.requiresGrad) return;
    const gradient = trace.tensor(tensor.shape);
    trace.copy(running[i], gradient);
    tape.add(tensor, gradient);
  });
  outputs.forEach((tensor, i) => {
    const whole = grads.of(i);
    if (whole && tensor.requiresGrad) tape.add(tensor, partOf(trace, whole, loop));
  });
  tape.walk(nodes);
  before.forEach((tensor, i) => {
    const gradient = tape.gradient(tensor);
    if (gradient) trace.copy(gradient, running[i]);
    else trace.fill(running[i], 0);
  });
  for (const [name, { gradient }] of exposed) {
    const tensor = gradient?.(tape);
    if (tensor) exposedGradients.set(name, placed(trace, tensor, loop));
  }
  return parts.map((part) => {
    const gradient = tape.gradient(part);
    return gradient && placed(trace, gradient, loop);
  });
}

/** Moves what the step exposed and penalised out of the loop, where it is that of all steps. */
function surface(
  trace: Trace,
  { loop, exposed, exposedGradients }: Recording,
  penalised: readonly Penalised[],
  wholes: readonly Tensor[],
  arrange: Arrange,
): void {
  for (const [name, { value, gradient }] of exposed) {
    trace.body.exposed.set(name, {
      value: arrange(wholeOf(trace, value, loop)),
      gradient:
        gradient &&
        (() => {
          const found = exposedGradients.get(name);
          return found && arrange(wholeOf(trace, found, loop));
        }),
    });
  }
  penalised.forEach(([tensor, penalty], i) => {
    trace.penalties.delete(tensor);
    trace.penalties.set(arrange(wholes[i]), penalty);
  });
}

/**
 * Repeats a step, which is recorded once.
 *
 * @param count    steps
 * @param inputs   [count, ..] each: step t sees part t
 * @param initial  what the first step is given to carry
 * @param step     records one step, which carries on what it was given, in the same shapes
 * @param arrange  how what the step exposes and penalises is seen from outside, given that of all steps [count, ..]
 * @returns the outputs of all steps [count, ..] each, and what the last one carries on
 */
export function scan(
  trace: Trace,
  count: number,
  inputs: readonly Tensor[],
  initial: readonly Tensor[],
  step: (parts: readonly Tensor[], carried: readonly Tensor[]) => ScanStep,
  arrange: Arrange,
): { outputs: Tensor[]; carried: Tensor[] } {
  const outer = trace.body.loop;
  const loop: Loop = { count, outer, depth: outer ? outer.depth + 1 : 0 };
  const running = initial.map((state) => {
    const place = trace.tensor(state.shape);
    trace.copy(state, place);
    return place;
  });
  let penalised: Penalised[] = [];
  const recording = trace.repeat(loop, (): Recording => {
    const parts = inputs.map((whole) => partOf(trace, whole, loop));
    const before = running.map((place) => {
      const state = trace.tensor(place.shape);
      state.requiresGrad = trace.options.gradients === true;
      trace.copy(place, state);
      return state;
    });
    const result = step(parts, before);
    const after = result.carried.map((state) => floatsOf(trace, state));
    after.forEach((state, i) => trace.copy(state, running[i]));
    penalised = [...trace.penalties].filter(([tensor]) => tensor.loop === loop);
    const outputs = [...result.outputs, ...penalised.map(([tensor]) => tensor)].map((output) => {
      const value = floatsOf(trace, output);
      return fillsPlace(value, loop) ? value : affine(value, 1, 0);
    });
    const { nodes, exposed } = trace.body;
    const values = [...exposed].map(([name, { value, gradient }]): [string, Exposed] => [
      name,
      { value: placed(trace, value, loop), gradient },
    ]);
    return { loop, nodes, parts, before, after, outputs, exposed: values, exposedGradients: new Map() };
  });
  const wholes = recording.outputs.map((output) => wholeOf(trace, output, loop));
  const carried = running.map((place, i) => {
    const state = trace.view(place, place.shape);
    state.requiresGrad = recording.after[i].requiresGrad;
    return state;
  });
  if (trace.options.gradients) {
    const [given, results] = [
      [...inputs, ...initial],
      [...wholes, ...carried],
    ];
    // one op for the ops around it
    trace.addNode(given, results, (grads) => scanOp.backward!(trace, given, results, grads, recording));
  }
  surface(trace, recording, penalised, wholes.slice(wholes.length - penalised.length), arrange);
  return { outputs: wholes.slice(0, wholes.length - penalised.length), carried };
}
