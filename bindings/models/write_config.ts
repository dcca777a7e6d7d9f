/** A graph, and a layer, as a config. */
import { OptionError } from "../base/errors.ts";
import { rebuild } from "../graph/pytree.ts";
import type { CallConfig, LayerConfig, ModelConfig, OutputsConfig, TensorSource } from "../module/config.ts";
import { isModule, type ModuleBase } from "../module/module_base.ts";
import { layersOf, type Graph, type ValueRef } from "./graph.ts";

type GraphConfig = Pick<ModelConfig, "inputs" | "layers" | "calls" | "outputs">;

/**
 * @param subject   who asks, for errors: "save"
 * @param training  whether what matters to training only is written down too
 * @throws OptionError for layers of one's own, and options that cannot be written down
 */
export function configOf(graph: Graph, subject: string, training: boolean): GraphConfig {
  const inputs = graph.inputs.map(({ name, shape, dtype }) => ({ name, shape: shape ?? null, dtype }));
  const layers = layersOf(graph).map((layer) => layer.layerConfig(subject, training));
  if (graph.chain) return { inputs, layers };
  const uses = new Map<ModuleBase, number>();
  const sources = [
    ...graph.inputs.map(({ name }): readonly [string, number] => [name, 0]),
    ...graph.calls.map(({ layer }): readonly [string, number] => {
      const use = uses.get(layer) ?? 0;
      uses.set(layer, use + 1);
      return [layer.layerName!, use];
    }),
  ];
  const source = ({ step, output }: ValueRef): TensorSource => [...sources[step], output];
  const calls = graph.calls.map(({ layer, inputs: given, initialState, mask, lengths }): CallConfig => ({
    layer: layer.layerName!,
    inputs: given.length === 1 ? source(given[0]) : given.map(source),
    ...(initialState && { initialState: initialState.map(source) }),
    ...(mask && { mask: source(mask) }),
    ...(lengths && { lengths: source(lengths) }),
  }));
  const outputs = rebuild(graph.structure, (i) => source(graph.outputs[i])) as OutputsConfig;
  return { inputs, layers, calls, outputs };
}

/** Options that a model which only runs has no use for. */
const TRAINING_ONLY = /(Initializer|Regularizer|Constraint)$/;

/**
 * @param options  of the layer, filled in
 * @throws OptionError for options that cannot be written down
 */
export function layerConfigOf(
  layer: ModuleBase,
  options: Readonly<Record<string, unknown>>,
  subject: string,
  training: boolean,
): LayerConfig {
  const nested = (value: unknown): unknown => (isModule(value) ? value.layerConfig(subject, training) : value);
  const config: Record<string, unknown> = { ...options, name: layer.layerName, trainable: layer.trainable };
  for (const [name, value] of Object.entries(config)) {
    if (!training && TRAINING_ONLY.test(name)) delete config[name];
    else if (typeof value === "function")
      throw new OptionError(
        `${subject}: expected options that can be written down, got a function as ${name} of ${layer.describe()}`,
      );
    else config[name] = Array.isArray(value) ? value.map(nested) : nested(value);
  }
  return { layer: layer.layerType!, config };
}
