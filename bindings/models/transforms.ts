/** Your own functions of tensors: run, differentiate, train. Each is traced once per shape of its arguments. */
import { checkFlags, checkOptions } from "../base/options.ts";
import { NonFiniteError, StateError, TraceError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import { TracedFunction, recordGradients, type Compiled } from "../program/traced_function.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Port } from "../program/port.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import type { FlatArguments } from "../graph/pytree.ts";
import { rebuild } from "../graph/pytree.ts";

import { checkModule, type ArrayRecord, type ModuleBase } from "../module/module_base.ts";
import { statefulStore } from "../module/state_stores.ts";
import { optimizersOf } from "../optimizers/model_optimizers.ts";
import { optimizerOf, type Optimizer } from "../optimizers/index.ts";

/** A function over tensors. Its arguments and results may be lists and records. */
export type TensorFunction = (...args: any[]) => unknown;

/** Options of `jit`. */
export interface FunctionOptions {
  /** Whether dropout acts; by default in `valueAndGrad` and `trainStep`, not in `jit`. */
  training?: boolean;
}

/** Options of `valueAndGrad`. */
export interface GradOptions extends FunctionOptions {
  /** Also gives the gradients of the arguments. @default false */
  inputs?: boolean;
  /** The function gives `[scalar, more]`; more comes back as `aux`. @default false */
  aux?: boolean;
}

const carried = (module: ModuleBase | null) => (module ? { stateful: statefulStore(module) } : {});

/**
 * A function over arrays from one over tensors.
 *
 * @param module  whose weights it uses; null for none
 * @returns takes arrays, numbers, and lists and records of them; gives `{ data, shape }`, and numbers for scalars
 * @throws TraceError when the function reads a tensor's values
 * @example
 * const double = jit(null, (x) => ops.mul(x, 2));
 * double([1, 2]).data; // Float32Array [2, 4]
 */
export function jit(
  module: ModuleBase | null,
  fn: TensorFunction,
  options: FunctionOptions = {},
): (...args: unknown[]) => any {
  if (module !== null) checkModule("jit", module, ", or null");
  checkOptions("jit", options, ["training"]);
  checkFlags("jit", options, ["training"]);
  const traced = new TracedFunction("jit", module, fn, { training: options.training ?? false, ...carried(module) });
  return (...args) => traced.run(traced.flatten(args)).result();
}

/** What a function of `valueAndGrad` gives. */
export interface GradResult {
  /** The scalar. */
  value: number;
  /** Gradients of the trainable weights, with the names and shapes of `getWeights`. */
  grads: ArrayRecord;
  /** One per argument, in its structure; null for integers and for targets of losses. With `inputs: true`. */
  inputGrads?: any;
  /** What else the function gave, with `aux: true`. */
  aux?: any;
}

/** The scalar to differentiate, out of what a function gave. */
function scalarOf(name: string, result: unknown, aux: boolean): Tensor {
  const scalar = !aux ? result : Array.isArray(result) && result.length === 2 ? (result[0] as unknown) : undefined;
  if (isTensor(scalar)) return scalar;
  const got = !Array.isArray(result)
    ? typeof result
    : aux
      ? `a list of ${result.length}`
      : "a list; say aux: true for [scalar, more]";
  throw new TraceError(
    `${name}: expected the function to return ${aux ? "[scalar, more]" : "a scalar tensor"}, got ${got}`,
  );
}

interface GradPorts {
  /** Weights that the function uses: what lies at the gradients of others is from other functions. */
  readonly used: ReadonlySet<Parameter>;
  /** For each input array, which of the outputs after those is its gradient; undefined for integers and targets of losses. */
  readonly inputs: readonly (number | undefined)[];
}

const readArray = (port: Port): NDArray => ({ data: port.read() as Float32Array, shape: [...port.shape] });

/**
 * A function that gives the value of a scalar function and its gradients.
 *
 * @param fn  gives a scalar tensor; with `aux: true` `[scalar, more]`
 * @example
 * const step = valueAndGrad(model, (x, y) => loss(y, model.call(x)));
 * const { value, grads } = step(x, y);
 * optimizer.apply(model, grads);
 */
export function valueAndGrad(
  module: ModuleBase | null,
  fn: TensorFunction,
  options: GradOptions = {},
): (...args: unknown[]) => GradResult {
  const known = ["training", "inputs", "aux"];
  if (module !== null) checkModule("valueAndGrad", module, ", or null");
  checkOptions("valueAndGrad", options, known);
  checkFlags("valueAndGrad", options, known);
  const { training = true, inputs: gradientInputs = false, aux = false } = options;
  const traced = new TracedFunction<GradPorts>(
    "valueAndGrad",
    module,
    fn,
    { training, gradients: true, ...carried(module) },
    {
      gradientInputs,
      extension(trace, inputs, result) {
        const tape = recordGradients("valueAndGrad", trace, module, scalarOf("valueAndGrad", result, aux));
        const outputs: Tensor[] = [];
        const places = inputs.map((input) => {
          const gradient = tape.gradient(input);
          const constant = input.dtype !== "f32" || (!gradient && trace.targets.has(input.storage));
          if (!gradientInputs || constant) return undefined;
          outputs.push(gradient ?? trace.zeros(input.shape));
          return outputs.length - 1;
        });
        return { outputs, extra: { used: new Set(trace.parameters.keys()), inputs: places } };
      },
    },
  );
  return (...args) => {
    const flat = traced.flatten(args);
    const compiled = traced.run(flat);
    const result = compiled.result();
    return {
      value: (aux ? (result as unknown[])[0] : result) as number,
      ...(aux ? { aux: (result as unknown[])[1] } : {}),
      grads: module ? gradientsOf(module, compiled.extra) : {},
      ...(gradientInputs ? { inputGrads: inputGradients(flat, compiled) } : {}),
    };
  };
}

function gradientsOf(module: ModuleBase, { used }: GradPorts): ArrayRecord {
  return Object.fromEntries(
    module
      .trainableParameters()
      .filter(([, { block }]) => block)
      .map(([name, parameter]) => {
        const block = parameter.block!;
        const data = used.has(parameter)
          ? block.view(parameter, block.gradientPtr()).slice()
          : new Float32Array(parameter.size);
        return [name, { data, shape: [...parameter.shape] }];
      }),
  );
}

/** Gradients in the structure of the arguments; a scalar's is a number. */
function inputGradients({ structure }: FlatArguments, { program: { outputs }, extra }: Compiled<GradPorts>): unknown {
  const count = extra.inputs.filter((place) => place !== undefined).length;
  const first = outputs.length - count;
  return rebuild(structure, (i) => {
    const place = extra.inputs[i];
    if (place === undefined) return null;
    const port = outputs[first + place];
    return port.shape.length === 0 ? port.view[0] : readArray(port);
  });
}

/** What a function of `trainStep` gives. */
export interface StepResult {
  /** The scalar, before the update. */
  value: number;
  /** What else the function gave. */
  aux?: any;
}

/** Options of `trainStep`. */
export interface TrainStepOptions extends FunctionOptions {
  /** Whether the function gives `[scalar, more]`; by default as what it gives says. */
  aux?: boolean;
}

/**
 * A training step: value, gradients and update in one program.
 *
 * @param optimizer  from `optimizers.*`, or its name for the defaults
 * @param fn         gives the scalar to minimise, or `[scalar, more]`
 * @returns a function of arrays that updates the module once and gives `{ value, aux }`
 * @throws NonFiniteError when the value or a gradient is not finite; the weights are as before then
 * @example
 * const step = trainStep(model, optimizers.adam(), (x, y) => loss(y, model.call(x)));
 * const { value } = step(x, y);
 */
export function trainStep(
  module: ModuleBase,
  optimizer: Optimizer | string,
  fn: TensorFunction,
  options: TrainStepOptions = {},
): (...args: unknown[]) => StepResult {
  checkOptions("trainStep", options, ["training", "aux"]);
  checkFlags("trainStep", options, ["training", "aux"]);
  if (module === null) throw new StateError("trainStep: expected a module to train, got null");
  checkModule("trainStep", module);
  const { training = true } = options;
  const rule = optimizerOf(optimizer);
  const traced = new TracedFunction(
    "trainStep",
    module,
    fn,
    { training, gradients: true, ...carried(module) },
    {
      extension(trace, _inputs, result) {
        const scalar = scalarOf("trainStep", result, options.aux ?? Array.isArray(result));
        recordGradients("trainStep", trace, module, scalar);
        const state = optimizersOf(module).stateOf(rule);
        state.shared = true;
        state.record(trace, scalar);
        return { outputs: [], extra: undefined };
      },
    },
  );
  let calls = 0;
  return (...args) => {
    const flat = traced.flatten(args);
    const compiled = traced.compile(flat);
    const state = optimizersOf(module).stateOf(rule);
    state.beginStep();
    traced.run(flat);
    calls++;
    const result = compiled.result();
    const [value, aux] = (Array.isArray(result) ? result : [result]) as [number, unknown];
    if (!state.endStep()) {
      const what = state.overflowed ? "finite weights after the update" : "a finite value and gradients";
      throw new NonFiniteError(
        `trainStep: expected ${what}, got value ${value} in call ${calls}; the weights are those before it`,
        { epoch: 0, batch: calls - 1 },
      );
    }
    return Array.isArray(result) ? { value, aux } : { value };
  };
}
