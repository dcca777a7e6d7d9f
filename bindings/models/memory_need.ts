/** How much memory a model will take, said before it takes it. */
import { StateError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import { inputZeros, zerosOf, type ArrayShape, type InputShapes } from "../module/array_shape.ts";
import { Dataset } from "../training/data/dataset.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { predictFunction } from "../inference/predict.ts";
import { inputArrays } from "../inference/model_inputs.ts";
import { programBytes, type ProgramPlan } from "../program/program.ts";
import type { BatchRunner } from "../training/batch_runner.ts";

/** Bytes that a run of a model takes. */
export interface MemoryNeed {
  /** The weights as they are. */
  readonly weights: number;
  /** As many again as weights where the model trains. */
  readonly gradients: number;
  /** What the optimizer keeps beside the weights. */
  readonly optimizer: number;
  /** Inputs, outputs, everything between them, and packed weights. */
  readonly program: number;
  /** All of it together. */
  readonly total: number;
}

function planPrediction(model: ModuleBase, inputs: readonly NDArray<Float32Array | Int32Array>[]): ProgramPlan {
  const traced = predictFunction(model);
  return traced.plan(traced.flatten([inputArrays(inputs, "memory: x"), {}]));
}

/** See {@link Module.memory}. */
export function memory(
  model: ModuleBase,
  runner: BatchRunner | undefined,
  x: InputShapes,
  y: ArrayShape | undefined,
): MemoryNeed {
  const inputs = inputZeros(x, "memory: expected x", model.inputConfigs);
  if (y !== undefined && !runner)
    throw new StateError(
      "memory: expected a compiled model to train on y, got one that is not; call compile({ optimizer, loss }) first",
    );
  const plan =
    y === undefined || !runner
      ? planPrediction(model, inputs)
      : runner.plan(Dataset.of(inputs, zerosOf(y, "memory: expected y"), {}, "memory"));
  const weights = model.parameterBlocks().reduce((sum, { floats }) => sum + floats * 4, 0);
  const trained = y === undefined ? 0 : weights;
  const need = {
    weights,
    gradients: trained,
    optimizer: trained * (runner?.optimizer.slots.length ?? 0),
    program: programBytes(plan),
  };
  return { ...need, total: need.weights + need.gradients + need.optimizer + need.program };
}
