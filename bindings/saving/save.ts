/** Writing a model to a safetensors file. */
import { OptionError, StateError } from "../base/errors.ts";
import { encodeSafetensors, type TensorData } from "./safetensors.ts";
import {
  FILE_VERSION,
  METADATA_KEY,
  scaleName,
  slotName,
  type SavedFile,
  type SavedLayer,
  type SavedModel,
} from "./metadata.ts";
import type { LayerPart } from "../models/layer_module.ts";
import { isModule, type ModuleBase } from "../module/module_base.ts";
import type { SequentialLayer } from "../models/sequential.ts";
import type { Updater } from "../optimizers/optimizer_state.ts";

/** Options of `save`. */
export interface SaveOptions {
  /** Also the optimizer's slots and counters, so that training goes on bit for bit. @default false */
  optimizer?: boolean;
}

type Savable = ModuleBase & { layers?: readonly SequentialLayer[]; inputShape?: readonly (number | null)[] };

/** What a model is written down for: a quantised one will not train, and has no use for functions of the user's own. */
type Purpose = "save" | "quantize";

const TRAINING_ONLY = /(Initializer|Regularizer|Constraint)$/;

/** A layer as its file has it. @throws OptionError for what cannot be written down */
function savedLayer(layer: ModuleBase & Partial<LayerPart>, what: Purpose): SavedLayer {
  if (!layer.definition)
    throw new OptionError(
      `${what}: expected layers from layers.*, got a ${layer.describe()} of your own; save the weights of the Module that holds it instead`,
    );
  const config: Record<string, unknown> = { ...layer.config, name: layer.layerName };
  for (const [name, value] of Object.entries(config)) {
    if (what === "quantize" && TRAINING_ONLY.test(name)) delete config[name];
    else if (isModule(value)) config[name] = savedLayer(value, what);
    else if (Array.isArray(value))
      config[name] = value.map((item: unknown) => (isModule(item) ? savedLayer(item, what) : item));
    else if (typeof value === "function")
      throw new OptionError(
        `save: expected options that can be written down, got a function as ${name} of ${layer.describe()}`,
      );
  }
  return { layer: layer.definition.type, config };
}

function savedModel({ layers, inputShape, quantized }: Savable, what: Purpose): SavedModel | undefined {
  if (!layers) return undefined;
  const described = { inputShape: inputShape!, layers: layers.map((layer) => savedLayer(layer, what)) };
  return quantized ? { ...described, quantized: { bits: 8, activations: quantized } } : described;
}

/** What a model's file says besides its weights. */
export const savedFile = (model: ModuleBase, what: Purpose): SavedFile => ({
  version: FILE_VERSION,
  seed: model.seed,
  runs: model.randomState.counter,
  model: savedModel(model as Savable, what),
});

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

/** See {@link Module.save}. */
export function save(model: ModuleBase, options: SaveOptions, updater: Updater | undefined): Uint8Array {
  model.throwIfUnbuilt("save");
  const tensors = savedWeights(model);
  const file = savedFile(model, "save");
  if (!options.optimizer) return encodeSafetensors(tensors, { [METADATA_KEY]: JSON.stringify(file) });
  if (!updater)
    throw new StateError("save: expected an optimizer whose state can be saved, got a model that is not compiled");
  const { optimizer, slots } = updater.saved();
  for (const [slot, weights] of Object.entries(slots)) {
    for (const [name, array] of Object.entries(weights)) tensors[slotName(slot, name)] = array;
  }
  return encodeSafetensors(tensors, { [METADATA_KEY]: JSON.stringify({ ...file, optimizer }) });
}
