/** Updates by gradients that somebody else computed. */
import { StateError, ValueError } from "../base/errors.ts";
import type { Optimizer } from "./index.ts";
import type { NDArray } from "../base/ndarray.ts";
import { Program } from "../program/program.ts";
import { Trace } from "../graph/trace.ts";
import { arraysOf } from "../module/named_arrays.ts";
import { checkModule, type ModuleBase } from "../module/module_base.ts";
import { updaterOf, type Updater } from "./optimizer_state.ts";

const appliers = new WeakMap<Updater, Program>();

/** The program of the update alone. */
function applier(model: ModuleBase, updater: Updater): Program {
  let program = appliers.get(updater);
  if (!program || program.disposed || updater.outdated) {
    program?.dispose();
    const trace = new Trace(model.backend);
    updater.record(trace, undefined);
    appliers.set(updater, (program = new Program(trace, [], [], { owner: model.ownPrograms })));
  }
  return program;
}

/** See {@link Optimizer.apply}. */
export function applyGradients(optimizer: Optimizer, model: ModuleBase, grads: Record<string, NDArray>): void {
  checkModule("apply", model);
  model.throwIfDisposed();
  if (!model.built) throw new StateError("apply: expected a model with weights, got one that is not built");
  const arrays = arraysOf("apply", model.trainableParameters(), grads);
  const updater = updaterOf(model, optimizer);
  updater.shared = true;
  for (const block of model.parameterBlocks()) model.backend.heap.f32(block.gradientPtr(), block.floats).fill(0);
  for (const [, parameter, data] of arrays) parameter.block!.view(parameter, parameter.block!.gradientPtr()).set(data);
  const program = applier(model, updater);
  updater.before();
  program.run();
  if (!updater.after())
    throw new ValueError("apply: expected finite gradients, got one that is not; the weights are as before");
}

/** See {@link Optimizer.finalizeVariableValues}. */
export function finishTraining(optimizer: Optimizer, model: ModuleBase): void {
  checkModule("finalizeVariableValues", model);
  model.throwIfDisposed();
  if (!model.built)
    throw new StateError("finalizeVariableValues: expected a model with weights, got one that is not built");
  updaterOf(model, optimizer).finish();
}
