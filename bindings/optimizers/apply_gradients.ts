/** Updates by gradients that the caller computed. */
import { StateError, ValueError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import { checkModule, type ModuleBase } from "../module/module_base.ts";
import { arraysOf } from "../module/named_arrays.ts";
import { optimizersOf } from "./model_optimizers.ts";
import type { UpdateRule } from "./update_rule.ts";

/** @throws OptionError, DisposedError, StateError for what is no model with weights */
function checkBuilt(subject: string, model: ModuleBase): void {
  checkModule(subject, model);
  model.throwIfDisposed();
  if (!model.built) throw new StateError(`${subject}: expected a model with weights, got one that is not built`);
}

/** See {@link Optimizer.apply}. */
export function applyGradients(rule: UpdateRule, model: ModuleBase, grads: Record<string, NDArray>): void {
  checkBuilt("apply", model);
  const arrays = arraysOf("apply", model.trainableParameters(), grads);
  const state = optimizersOf(model).stateOf(rule);
  state.shared = true;
  for (const block of model.parameterBlocks()) model.backend.heap.f32(block.gradientPtr(), block.floats).fill(0);
  for (const [, parameter, data] of arrays) parameter.block!.view(parameter, parameter.block!.gradientPtr()).set(data);
  state.beginStep(true);
  state.reducer.run(1, 0);
  if (state.endStep()) return;
  const what = state.overflowed ? "weights after the update, got some that are" : "gradients, got one that is";
  throw new ValueError(`apply: expected finite ${what} not; the weights are as before`);
}

/** See {@link Optimizer.finalizeVariableValues}. */
export function finishTraining(rule: UpdateRule, model: ModuleBase): void {
  checkBuilt("finalizeVariableValues", model);
  optimizersOf(model).stateOf(rule).finish();
}
