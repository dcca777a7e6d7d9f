/** How much memory a model will take, said before it takes it. */
import { ShapeError, StateError } from "../errors.ts";
import type { NDArray } from "../program/array.ts";
import { describe, sizeOf, type DType, type Shape } from "../program/tensor.ts";
import { Dataset } from "./dataset.ts";
import type { Module } from "./module.ts";
import { predictFunction } from "./predict.ts";
import { inputArrays } from "./inputs.ts";
import type { BatchRunner } from "./runner.ts";

/** Extents with the batch in front; of floats unless `dtype` says "i32", as tokens and labels are. */
export type ArrayShape = Shape | TypedShape;

/** Extents of an array, and what it holds. */
export interface TypedShape {
  /** Extents with the batch in front. */
  readonly shape: Shape;
  /** Floats or integers. @default "f32" */
  readonly dtype?: DType;
}

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

/** An array of zeros, which costs nothing until it is touched. */
function zeros(given: ArrayShape, name: string): NDArray<Float32Array | Int32Array> {
  const { shape, dtype = "f32" } = Array.isArray(given) ? { shape: given as Shape } : given as TypedShape;
  const fits = Array.isArray(shape) && shape.length > 0 && shape.every((extent) => Number.isInteger(extent) && extent > 0);
  if (!fits) throw new ShapeError(`memory: expected ${name} as extents with the batch in front, got ${Array.isArray(shape) ? describe(shape) : String(shape)}`);
  return { data: dtype === "i32" ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)), shape: [...shape] };
}

function measurePrediction(model: Module, input: NDArray<Float32Array | Int32Array>): number {
  const { whole } = predictFunction(model);
  return whole.measure(whole.flatten([inputArrays(input, "memory: x"), {}]));
}

/** See {@link Module.memory}. */
export function memory(model: Module, runner: BatchRunner | undefined, x: ArrayShape, y: ArrayShape | undefined): MemoryNeed {
  const input = zeros(x, "x");
  if (y !== undefined && !runner) throw new StateError("memory: expected a compiled model to train on y, got one that is not; call compile({ optimizer, loss }) first");
  const program = y === undefined || !runner
    ? measurePrediction(model, input)
    : runner.measure(Dataset.of(input, zeros(y, "y"), {}, "memory"));
  const weights = model.parameterBlocks().reduce((sum, { floats }) => sum + floats * 4, 0);
  const trained = y === undefined ? 0 : weights;
  const need = { weights, gradients: trained, optimizer: trained * (model.optimizer?.slots.length ?? 0), program };
  return { ...need, total: need.weights + need.gradients + need.optimizer + need.program };
}
