/** Seeing inside a model: gates, states and outputs of every layer, and gradients, on one batch. */
import { StateError } from "../base/errors.ts";
import { withDefaults, type Defaults } from "../base/options.ts";
import { TracedFunction, recordGradients, type Extension } from "../program/traced_function.ts";
import type { ValidSteps, Tensor } from "../graph/tensor.ts";
import type { FlatArguments } from "../graph/pytree.ts";
import { Dataset, type Targets } from "./data/dataset.ts";
import type { Objective } from "./output_heads.ts";
import { attachSteps, inputArrays, stepArrays, type ModelInput, type StepOptions } from "../inference/model_inputs.ts";
import type { ArrayRecord, ModuleBase } from "../module/module_base.ts";
import { stepFunction } from "./batch_loss.ts";

/** Options of `inspect`. */
export interface InspectOptions extends StepOptions {
  /** Targets, for gradients of the compiled loss. */
  y?: Targets | undefined;
  /** Also the gradients of the compiled loss; needs `y`. @default false */
  gradients?: boolean | undefined;
}

const DEFAULTS = {
  lengths: undefined,
  mask: undefined,
  y: undefined,
  gradients: false,
} satisfies Defaults<InspectOptions>;

/** Names of the extra outputs. */
type Names = string[];

const forwardValues: Extension<Names> = ({ body: { exposed } }) => ({
  outputs: [...exposed.values()].map(({ value }) => value),
  extra: [...exposed.keys()],
});

/** What layers exposed, then the gradients of what has any, then those of the weights. */
const withGradients =
  (model: ModuleBase): Extension<Names> =>
  (trace, _inputs, result) => {
    const { exposed } = trace.body;
    const values = new Map([...exposed].map(([name, { value }]) => [name, value]));
    const tape = recordGradients("inspect", trace, model, (result as { loss: Tensor }).loss);
    for (const [name, { gradient }] of exposed) {
      const tensor = gradient?.(tape);
      if (tensor) values.set(`${name}/grad`, tensor);
    }
    for (const [name, parameter] of model.trainableParameters()) {
      const used = trace.parameters.get(parameter);
      const gradient = used && tape.gradient(used);
      if (gradient) values.set(`${name}/grad`, gradient);
    }
    return { outputs: [...values.values()], extra: [...values.keys()] };
  };

/** Runs the function once and gives what its extension named. */
function namedValues(traced: TracedFunction<Names>, args: FlatArguments, skip: number): ArrayRecord {
  const { program, extra } = traced.run(args);
  const ports = program.outputs.slice(skip);
  const record = Object.fromEntries(
    extra.map((name, i) => [name, { data: ports[i].read() as Float32Array, shape: [...ports[i].shape] }]),
  );
  program.dispose();
  return record;
}

/** See {@link Module.inspect}. */
export function inspect(
  model: ModuleBase,
  x: ModelInput,
  options: InspectOptions,
  objective: Objective | undefined,
): ArrayRecord {
  model.throwIfDisposed();
  const { y, gradients, ...steps } = withDefaults("inspect", options, DEFAULTS);
  if (!gradients) {
    const arrays = inputArrays(x, "inspect: x", model.inputConfigs);
    const valid = stepArrays(steps, arrays[0].shape, "inspect");
    const forward = (inputs: Tensor[], given: ValidSteps): void => {
      attachSteps(inputs, given);
      model.call(...inputs);
    };
    const traced = new TracedFunction(
      "inspect",
      model,
      forward as never,
      { inspect: true },
      { extension: forwardValues },
    );
    return namedValues(traced, traced.flatten([arrays, valid]), 0);
  }
  if (!objective || y === undefined)
    throw new StateError("inspect: expected a compiled model and y for gradients, got none");
  return inspectStep(model, objective, Dataset.of(x, y, steps, "inspect", model.inputConfigs), false);
}

/** Values and gradients inside a step on a whole batch. @param training  as in training, with dropout, or as in evaluation */
export function inspectStep(model: ModuleBase, objective: Objective, batch: Dataset, training: boolean): ArrayRecord {
  const step = stepFunction(model, { ...objective, metrics: [] });
  const loss = (...args: Parameters<typeof step>): unknown => ({ loss: step(...args).loss });
  const traced = new TracedFunction(
    "inspect",
    model,
    loss,
    { inspect: true, gradients: true, training },
    { extension: withGradients(model) },
  );
  return namedValues(traced, batch.arguments(), 1);
}
