/** What a model runs, as text: nothing is computed for it. */
import { OptionError, ShapeError, StateError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { describe, type Shape } from "../base/shape.ts";
import { rebuild, type FlatArguments } from "../graph/pytree.ts";
import { inputArrays } from "../inference/model_inputs.ts";
import { traceSteps } from "../inference/model_stream.ts";
import { predictFunction } from "../inference/predict.ts";
import { inputZeros, zerosOf, type InputShapes } from "../module/array_shape.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { CarriedStates } from "../module/state_stores.ts";
import { listing } from "../program/listing.ts";
import { planProgram, type ProgramPlan } from "../program/program.ts";
import type { BatchRunner } from "../training/batch_runner.ts";
import { Dataset, type Targets } from "../training/data/dataset.ts";

/** What `explain` shows: one of `predict`, `train` and `stream`. */
export interface ExplainOptions {
  /** Extents of the input, the batch in front, of several as a list or a record: what `predict` runs. */
  predict?: InputShapes | undefined;
  /** The same: what a training step runs, with what `compile` settled. Targets are as the outputs, or labels of them. */
  train?: InputShapes | undefined;
  /** True: what one step of a stream runs. */
  stream?: boolean | undefined;
  /** A line for each kernel call, or one for each layer. @default "call" */
  by?: "call" | "layer" | undefined;
}

const KINDS = ["predict", "train", "stream"] as const;

type Arrays = ReturnType<typeof inputZeros>;

const predictArguments = (model: ModuleBase, inputs: Arrays): FlatArguments =>
  predictFunction(model).flatten([inputArrays(inputs, "explain: predict"), {}]);

/** Targets for these inputs: of the outputs' shapes, or of those without the last axis. */
function targetsOf(model: ModuleBase, inputs: Arrays, labels: boolean): Targets {
  const like = (shape: Shape): Arrays[0] =>
    labels && shape.length > 1
      ? zerosOf({ shape: shape.slice(0, -1), dtype: "i32" }, "explain: expected targets")
      : zerosOf(shape, "explain: expected targets");
  return predictFunction(model).record(predictArguments(model, inputs), ({ outputs, structure }) => {
    const targets = rebuild(structure, (i) => like(outputs[i].shape));
    return (Array.isArray(targets) && targets.length === 1 ? targets[0] : targets) as Targets;
  });
}

function planTraining(model: ModuleBase, runner: BatchRunner | undefined, inputs: Arrays): ProgramPlan {
  if (!runner)
    throw new StateError(
      "explain: this model is not compiled, so it is not settled how it trains; call compile({ optimizer, loss }) first",
    );
  const planned = (labels: boolean): ProgramPlan =>
    runner.plan(Dataset.of(inputs, targetsOf(model, inputs, labels), {}, "explain"));
  try {
    return planned(false);
  } catch (error) {
    if (error instanceof ShapeError) return planned(true); // a loss that takes labels
    throw error;
  }
}

function planStream(model: ModuleBase): ProgramPlan {
  const states = new CarriedStates(model.backend, "explain");
  try {
    const { trace, inputs, outputs } = traceSteps("explain", model, states, 1, 1);
    return planProgram(trace, inputs, outputs);
  } finally {
    states.dispose();
  }
}

const shapesOf = (inputs: Arrays): string => inputs.map(({ shape }) => describe(shape)).join(", ");

/** What `explain` of a model gives. */
export function explain(model: ModuleBase, runner: BatchRunner | undefined, options: ExplainOptions): string {
  checkOptions("explain", options, [...KINDS, "by"]);
  const { by = "call" } = options;
  if (by !== "call" && by !== "layer")
    throw new OptionError(`explain: expected by to be "call" or "layer", got ${shown(by)}`);
  const given = KINDS.filter((kind) => options[kind] !== undefined && options[kind] !== false);
  if (given.length !== 1)
    throw new OptionError(`explain: expected one of predict, train and stream, got ${given.join(" and ") || "none"}`);
  const [kind] = given;
  if (kind === "stream") return listing("stream, one step", planStream(model), by);
  const inputs = inputZeros(options[kind]!, `explain: expected ${kind}`, model.inputConfigs);
  const plan =
    kind === "train"
      ? planTraining(model, runner, inputs)
      : predictFunction(model).plan(predictArguments(model, inputs));
  return listing(`${kind} ${shapesOf(inputs)}`, plan, by);
}
