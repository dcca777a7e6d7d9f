/** Back-propagation: the ops of a trace in reverse order, each recording what turns output gradients into input gradients. */
import { Storage, type Loop } from "./ir.ts";
import type { GradientSink, GradientTape, Node } from "./node.ts";
import type { Parameter } from "./parameter.ts";
import { Tensor, read, update } from "./tensor.ts";
import type { Trace } from "./trace.ts";

/** The gradients around one op, in a tape. */
class OpGradients implements GradientSink {
  private readonly tape: Tape;
  private readonly node: Node;
  private passed = new Set<Storage>();
  private pending: [Tensor, Tensor][] = [];

  constructor(tape: Tape, node: Node) {
    this.tape = tape;
    this.node = node;
  }

  needs(input: number): boolean {
    return this.node.inputs[input]?.requiresGrad ?? false;
  }

  of(output: number): Tensor | undefined {
    return this.tape.gradient(this.node.outputs[output]);
  }

  overwrite(input: number): Tensor {
    const tensor = this.node.inputs[input]!;
    const place = this.tape.trace.tensor(tensor.shape);
    this.settle(tensor, place);
    return place;
  }

  accumulate(input: number): Tensor {
    return this.tape.accumulator(this.node.inputs[input]!);
  }

  pass(input: number, gradient: Tensor): void {
    const tensor = this.node.inputs[input]!;
    if (this.passed.has(gradient.storage)) {
      this.tape.trace.copy(gradient, this.overwrite(input));
      return;
    }
    this.passed.add(gradient.storage);
    this.settle(tensor, this.tape.trace.view(gradient, tensor.shape));
  }

  through(nodes: readonly Node[], outputs: readonly Tensor[]): void {
    outputs.forEach((output, i) => {
      const gradient = this.of(i);
      if (gradient) this.tape.add(output, gradient);
    });
    this.tape.walk(nodes);
  }

  forStep(): Tape {
    return new Tape(this.tape.trace, this.tape);
  }

  private settle(tensor: Tensor, gradient: Tensor): void {
    if (this.tape.adopt(tensor, gradient)) return;
    this.pending.push([tensor, gradient]);
  }

  /** Adds what could not simply become the gradient. Called when the op has recorded. */
  finish(): void {
    for (const [tensor, gradient] of this.pending) this.tape.add(tensor, gradient);
  }
}

/** Where the gradient of a parameter lies: every shard has a place of its own. */
const gradientOf = ({ options: { shard } }: Trace, { block, offset, size }: Parameter): Storage =>
  new Storage(size * 4, { ptr: block!.gradientPtr(shard?.index) + offset * 4 });

/** Gradients by tensor; in a loop those of one step's tensors, in a tape of the step's own. */
export class Tape implements GradientTape {
  readonly trace: Trace;
  private readonly loop: Loop | undefined;
  /** Where gradients of what is there for all steps alike are summed up. */
  private readonly outer: Tape | undefined;
  private readonly gradients = new Map<Tensor, Tensor>();

  /** @param outer  the tape around the loop whose run back is being recorded */
  constructor(trace: Trace, outer?: Tape) {
    this.trace = trace;
    this.loop = trace.body.loop;
    this.outer = outer;
  }

  gradient(tensor: Tensor): Tensor | undefined {
    return this.gradients.get(tensor);
  }

  /** Takes `gradient` as it is when the tensor has none yet and no place where it must be. */
  adopt(tensor: Tensor, gradient: Tensor): boolean {
    if (this.gradients.has(tensor) || tensor.origin.has("parameter") || tensor.loop !== this.loop) return false;
    this.gradients.set(tensor, gradient);
    return true;
  }

  add(tensor: Tensor, gradient: Tensor): void {
    if (this.adopt(tensor, gradient)) return;
    const sum = this.accumulator(tensor);
    this.trace.call("f32_vadd", tensor.size, read(sum), read(gradient), update(sum));
  }

  accumulator(tensor: Tensor): Tensor {
    if (tensor.loop !== this.loop) return this.trace.outsideLoop(() => this.outer!.accumulator(tensor)); // one sum for all steps
    let sum = this.gradients.get(tensor);
    if (!sum) {
      const parameter = tensor.origin.get("parameter") as Parameter | undefined;
      sum = parameter
        ? new Tensor(this.trace, parameter.shape, "f32", gradientOf(this.trace, parameter))
        : this.trace.zeros(tensor.shape);
      this.gradients.set(tensor, sum);
    }
    return sum;
  }

  walk(nodes: readonly Node[]): void {
    const { trace } = this;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i];
      if (!node.outputs.some((output) => this.gradient(output))) continue;
      const grads = new OpGradients(this, node);
      trace.scope = node.scope;
      node.backward(grads);
      grads.finish();
    }
  }
}

/**
 * Records the gradient of a scalar. Gradients of parameters are added to their places in the parameter block, which the
 * caller has zeroed.
 *
 * @returns the tape, to look gradients of inputs up in
 */
export function backward(trace: Trace, scalar: Tensor): Tape {
  const tape = new Tape(trace);
  const one = trace.tensor(scalar.shape);
  trace.fill(one, 1);
  tape.adopt(scalar, one);
  tape.walk(trace.body.nodes);
  trace.scope = "";
  return tape;
}
