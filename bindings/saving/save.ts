/** Writing a model to a safetensors file. */
import { StateError } from "../base/errors.ts";
import { encodeSafetensors, type TensorData } from "./safetensors.ts";
import { FILE_VERSION, METADATA_KEY, SLOTS, scaleName, slotName, type SavedFile } from "./metadata.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { optimizersOf } from "../optimizers/model_optimizers.ts";

/** Options of `save`. */
export interface SaveOptions {
  /** Also the optimizer's slots and counters, so that training goes on bit for bit. @default false */
  optimizer?: boolean;
}

/** Weights as they are kept. */
function savedWeights(model: ModuleBase): Record<string, TensorData> {
  return Object.fromEntries(
    model.parameters().flatMap(([name, parameter]): [string, TensorData][] => {
      const { block, shape, int8 } = parameter;
      if (!int8) return [[name, { data: block!.floatsOf(parameter), shape }]];
      const { data, scales } = block!.int8(parameter);
      return [
        [name, { data: data.slice(), shape }],
        [scaleName(name), { data: scales.slice(), shape: [scales.length] }],
      ];
    }),
  );
}

/** What no name of a weight begins with, as that of a layer called "optimizer" does. */
function freePrefix(names: readonly string[]): string {
  let prefix = SLOTS;
  while (names.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  return prefix;
}

/** See {@link Module.save}. */
export function save(model: ModuleBase, options: SaveOptions): Uint8Array {
  model.throwIfUnbuilt("save");
  const tensors = savedWeights(model);
  const { seed, randomState } = model;
  const config = model.modelConfig("save", true);
  const file: SavedFile = { version: FILE_VERSION, seed, runs: randomState.counter, model: config };
  if (!options.optimizer) return encodeSafetensors(tensors, { [METADATA_KEY]: JSON.stringify(file) });
  const state = optimizersOf(model).compiled;
  if (!state)
    throw new StateError("save: expected an optimizer whose state can be saved, got a model that is not compiled");
  const saved = state.saved();
  const { optimizer } = saved;
  const slots = freePrefix(Object.keys(tensors));
  for (const [slot, weights] of Object.entries(saved.slots)) {
    for (const [name, array] of Object.entries(weights)) tensors[slots + slotName(slot, name)] = array;
  }
  const about: SavedFile = { ...file, optimizer, ...(slots !== SLOTS && { slots }) };
  return encodeSafetensors(tensors, { [METADATA_KEY]: JSON.stringify(about) });
}
