/**
 * Replaces initializers, regularizers and constraints in `gatewise/infer` and `gatewise/worklet`, where weights are
 * loaded and never change.
 */
import type { Initializer } from "../graph/parameter.ts";
import { sizeOf } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";

export const initializerOf = (): Initializer => (shape) => new Float32Array(sizeOf(shape));

export const penaltyOf = (_subject: string, _regularizer: unknown, weight: Tensor): Tensor => weight;

export const constrained = penaltyOf;

export const checkRegularizer = (): void => {};

export const checkConstraint = checkRegularizer;
