/** Gradients held to central differences, both in double precision, and to the gradients of every build in single. */
import * as assert from "uvu/assert";
import type { Normalized } from "../../../bindings/base/ndarray.ts";
import { TracedFunction, recordGradients, type Root } from "../../../bindings/program/traced_function.ts";
import type { Tensor } from "../../../bindings/graph/tensor.ts";
import { currentTrace } from "../../../bindings/graph/trace.ts";
import { add, mul } from "../../../bindings/ops/elementwise.ts";
import { sum } from "../../../bindings/ops/reduce.ts";
import type { Backend } from "../../../bindings/runtime/backend.ts";
import { on } from "../backends.ts";
import { doubleBackend } from "./double_backend.ts";
import { close, real } from "../numbers.ts";

export type Differentiable = (...inputs: Tensor[]) => Tensor | Tensor[];

/** A function with what to call it on. */
export interface Subject {
  readonly fn: Differentiable;
  readonly inputs: readonly Normalized[];
  /** Whose weights it uses; disposed of with the probe. */
  readonly root?: (Root & { dispose(): void }) | null;
  readonly training?: boolean;
}

/** Error of the gradients of a build, relative to the largest one. */
const BUILD_BOUND = 2e-5;
/** The same for the difference quotients, whose own error is about step² and ε/step. */
const DIFFERENCE_BOUND = 1e-6;
const STEP = 1e-5;
/** Largest weight: biases are not zero, and no gate is saturated. */
const WEIGHT = 0.7;

/** A scalar whose gradient tells every element of every output apart. */
function blend(outputs: readonly Tensor[]): Tensor {
  const trace = currentTrace("blend");
  return outputs
    .map((output, i) => sum(mul(output, trace.constant(real(output.size, i + 11), output.shape))))
    .reduce((a, b) => add(a, b));
}

/** A compiled subject: its outputs, the blend of them, and the gradients of that. */
export class Probe {
  readonly outputs: readonly { readonly data: ArrayLike<number>; readonly shape: readonly number[] }[];
  private readonly subject: Subject;
  private readonly program;
  private readonly floats: number[];

  constructor(subject: Subject) {
    const { fn, inputs, root = null, training = false } = subject;
    this.subject = subject;
    this.floats = [...inputs.keys()].filter((i) => inputs[i].dtype === "f32");
    const traced = new TracedFunction<undefined>(
      "probe",
      root,
      ((...tensors: Tensor[]) => {
        const outputs = [fn(...tensors)].flat();
        return [blend(outputs), ...outputs];
      }) as never,
      { training, gradients: true },
      {
        gradientInputs: true,
        extension: (trace, tensors, result) => {
          const tape = recordGradients("probe", trace, root, (result as Tensor[])[0]);
          return {
            outputs: this.floats.map((i) => tape.gradient(tensors[i]) ?? trace.zeros(tensors[i].shape)),
            extra: undefined,
          };
        },
      },
    );
    this.program = traced.compile(traced.flatten(inputs)).program;
    (root?.parameters() ?? []).forEach(([, parameter], i) =>
      parameter.block?.view(parameter).set(real(parameter.size, i + 1, WEIGHT)),
    );
    for (const block of root?.parameterBlocks() ?? []) block.version++;
    inputs.forEach(({ data }, i) => this.program.inputs[i].write(data, `input ${i}`));
    this.value();
    const outputs = this.program.outputs.slice(1, this.program.outputs.length - this.floats.length);
    this.outputs = outputs.map((port) => ({ data: port.read(), shape: port.shape }));
  }

  /** Runs it; dropout draws the same numbers every time. */
  value(): number {
    this.program.random?.view.set([7, 3]);
    this.program.run();
    return this.program.outputs[0].view[0];
  }

  /** Gradients by name, of the float inputs and then of the weights; `nudge` changes one element of the variable. */
  *variables(): Iterable<{ name: string; gradient: Float64Array; nudge(i: number, by: number): void }> {
    const {
      program,
      floats,
      subject: { root },
    } = this;
    this.value();
    const first = program.outputs.length - floats.length;
    const inputs = floats.map((i, k) => ({
      name: `input ${i}`,
      gradient: Float64Array.from(program.outputs[first + k].view),
      nudge: (at: number, by: number) => {
        program.inputs[i].view[at] += by;
      },
    }));
    const weights = (root?.trainableParameters() ?? []).map(([name, parameter]) => {
      const block = parameter.block!;
      return {
        name,
        gradient: Float64Array.from(block.view(parameter, block.gradientPtr())),
        nudge: (at: number, by: number) => {
          block.view(parameter)[at] += by;
          block.version++;
        },
      };
    });
    yield* [...inputs, ...weights];
  }

  dispose(): void {
    this.program.dispose();
    this.subject.root?.dispose();
  }
}

/** Holds a probe on doubles to central differences, and gives its gradients by name. */
function checkDifferences(what: string, probe: Probe): Map<string, Float64Array> {
  const gradients = new Map<string, Float64Array>();
  for (const { name, gradient, nudge } of probe.variables()) {
    const differences = gradient.map((_, i) => {
      nudge(i, STEP);
      const up = probe.value();
      nudge(i, -2 * STEP);
      const down = probe.value();
      nudge(i, STEP);
      return (up - down) / (2 * STEP);
    });
    const scale = Math.max(1e-3, ...differences.map(Math.abs));
    differences.forEach((difference, i) => {
      if (!(Math.abs(gradient[i] - difference) <= DIFFERENCE_BOUND * scale))
        assert.unreachable(
          `${what}: gradient of ${name}[${i}]: the difference quotient is ${difference}, got ${gradient[i]}`,
        );
    });
    gradients.set(name, gradient);
  }
  return gradients;
}

/** Holds what every backend gives to what doubles give, and its gradients where there are any to compare with. */
function checkBackends(
  what: string,
  exact: Probe,
  gradients: ReadonlyMap<string, Float64Array>,
  backends: readonly Backend[],
  make: () => Subject,
): void {
  for (const backend of backends) {
    const probe = on(backend, () => new Probe(make()));
    probe.outputs.forEach(({ data, shape }, i) => {
      assert.equal(shape, exact.outputs[i].shape, `${what} [${backend.build}]: shape`);
      close(data, exact.outputs[i].data, BUILD_BOUND, `${what} [${backend.build}]: output ${i}`);
    });
    for (const { name, gradient } of probe.variables()) {
      if (gradients.has(name))
        close(gradient, gradients.get(name)!, BUILD_BOUND, `${what} [${backend.build}]: gradient of ${name}`);
    }
    probe.dispose();
  }
}

/**
 * Checks a subject's gradients by differences, and the values and gradients of each backend by those.
 *
 * @param make  makes the subject on the current backend; its weights are then set to the same values everywhere
 * @returns the outputs in double precision
 */
export function checkGradients(what: string, backends: readonly Backend[], make: () => Subject): Probe["outputs"] {
  const exact = on(doubleBackend(), () => new Probe(make()));
  checkBackends(what, exact, checkDifferences(what, exact), backends, make);
  exact.dispose();
  return exact.outputs;
}

/** The same for what has no gradient. */
export function checkValues(what: string, backends: readonly Backend[], make: () => Subject): Probe["outputs"] {
  const exact = on(doubleBackend(), () => new Probe(make()));
  checkBackends(what, exact, new Map(), backends, make);
  exact.dispose();
  return exact.outputs;
}
