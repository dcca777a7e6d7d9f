/** The graph of a config. */
import { FormatError, GatewiseError, OptionError } from "../base/errors.ts";
import { quoted } from "../base/formatting.ts";
import type { Structure } from "../graph/pytree.ts";
import { cellDefinitions, layerDefinitions } from "../layers/index.ts";
import {
  checkConfig,
  isLayer,
  isSource,
  type LayerConfig,
  type ModelConfig,
  type TensorSource,
} from "../module/config.ts";
import { chainOf, inputTypeOf, nameLayers, type Graph, type GraphCall, type ValueRef } from "./graph.ts";
import { Cell, Layer } from "./layer.ts";
import type { ModuleBase } from "../module/module_base.ts";

/** Makes a model of the config of one inside another. */
export type MakeInnerModel = (config: ModelConfig) => ModuleBase;

/** A layer of a config, layers and cells inside it first. */
function layerFrom(subject: string, { layer, config }: LayerConfig, makeModel: MakeInnerModel): ModuleBase {
  if (layer === "model") {
    const { name, ...rest } = config as unknown as ModelConfig & { name?: string };
    checkConfig(subject, rest);
    const model = makeModel(rest);
    model.layerName = name;
    return model;
  }
  const isCell = layer.startsWith("cells.");
  const table: object = isCell ? cellDefinitions : layerDefinitions;
  const key = isCell ? layer.slice("cells.".length) : layer;
  if (!Object.hasOwn(table, key))
    throw new FormatError(`${subject}: expected a layer this version knows, got ${quoted(layer)}`);
  const inner = (value: unknown): unknown => (isLayer(value) ? layerFrom(subject, value, makeModel) : value);
  const options = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, Array.isArray(value) ? value.map(inner) : inner(value)]),
  );
  const definition = (table as Record<string, ConstructorParameters<typeof Layer>[0]>)[key];
  return isCell ? new Cell(definition, options) : new Layer(definition, options);
}

/** The steps that sources name. */
class Sources {
  private readonly subject: string;
  private readonly steps = new Map<string, number[]>();

  constructor(subject: string) {
    this.subject = subject;
  }

  /** Takes note of a step, which later ones may name. */
  add(name: string, step: number): void {
    const steps = this.steps.get(name);
    if (steps) steps.push(step);
    else this.steps.set(name, [step]);
  }

  /** @throws FormatError for a source that no step before is */
  readonly ref = ([name, call, output]: TensorSource): ValueRef => {
    const step = this.steps.get(name)?.[call];
    if (step === undefined || !(Number.isInteger(output) && output >= 0))
      throw new FormatError(
        `${this.subject}: expected sources [name, call, output] of inputs and earlier calls, got ${JSON.stringify([name, call, output])}`,
      );
    return { step, output };
  };
}

/** The calls of a config, and what it gives. */
function joined(
  subject: string,
  config: ModelConfig,
  layers: readonly ModuleBase[],
): Pick<Graph, "calls" | "structure" | "outputs"> {
  const sources = new Sources(subject);
  const { ref } = sources;
  const byName = new Map(layers.map((layer) => [layer.layerName!, layer]));
  config.inputs.forEach(({ name }, i) => sources.add(name, i));
  const calls = config.calls!.map(({ layer: name, inputs, initialState, mask, lengths }, i): GraphCall => {
    const layer = byName.get(name);
    if (!layer) throw new FormatError(`${subject}: expected calls of layers of the config, got ${quoted(name)}`);
    const call = {
      layer,
      inputs: (isSource(inputs) ? [inputs] : inputs).map(ref),
      initialState: initialState?.map(ref),
      mask: mask && ref(mask),
      lengths: lengths && ref(lengths),
    };
    sources.add(name, config.inputs.length + i);
    return call;
  });
  const outputs: ValueRef[] = [];
  const leaf = (source: TensorSource): Structure => ({ kind: "leaf", index: outputs.push(ref(source)) - 1 });
  const given = config.outputs ?? [config.calls!.at(-1)!.layer, 0, 0];
  const structure: Structure = isSource(given)
    ? leaf(given)
    : Array.isArray(given)
      ? { kind: "list", items: (given as readonly TensorSource[]).map(leaf) }
      : { kind: "record", items: Object.entries(given).map(([name, source]) => [name, leaf(source as TensorSource)]) };
  return { calls, structure, outputs };
}

/**
 * @param subject  who was given the config, for errors: "loadModel"
 * @throws FormatError for layers that this version does not know, options that are none, and joins that lead nowhere
 */
export function graphFrom(subject: string, config: ModelConfig, makeModel: MakeInnerModel): Graph {
  try {
    const layers = config.layers.map((layer) => layerFrom(subject, layer, makeModel));
    if (!config.calls) {
      if (config.inputs.length > 1)
        throw new FormatError(`${subject}: expected calls in a config of several inputs, got none`);
      const chain = chainOf(layers, config.inputs[0].shape ?? undefined);
      const [{ name, dtype }] = config.inputs;
      return { ...chain, inputs: [{ ...chain.inputs[0], name, dtype: dtype ?? chain.inputs[0].dtype }] };
    }
    const unshaped = config.inputs.find(({ shape }) => shape === null);
    if (unshaped)
      throw new FormatError(`${subject}: expected the shape of input ${quoted(unshaped.name)} in the config, got null`);
    nameLayers(
      subject,
      layers,
      config.inputs.map(({ name }) => name),
    );
    const inputs = config.inputs.map(({ name, shape, dtype }) => ({
      name,
      shape: shape!,
      dtype: dtype ?? inputTypeOf(layers[0]),
    }));
    return { chain: false, inputs, ...joined(subject, config, layers) };
  } catch (error) {
    if (error instanceof OptionError || (error instanceof GatewiseError && !(error instanceof FormatError)))
      throw new FormatError(`${subject}: ${error.message}`);
    throw error;
  }
}
