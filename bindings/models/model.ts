/** Models of layers: what `sequential`, `functional` and files make. */
import { FormatError, OptionError, ShapeError, nearest } from "../base/errors.ts";
import { quoted } from "../base/formatting.ts";
import { whenTraining } from "../base/when_training.ts";
import { describe, type Shape } from "../base/shape.ts";
import type { Activations, Int8Names } from "../graph/int8_weight.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace, currentTrace } from "../graph/trace.ts";
import { ModelSteps } from "../inference/model_stream.ts";
import { Stream, type StreamOptions, type Streamed } from "../inference/stream.ts";
import { CONFIG_VERSION, type InputConfig, type LayerConfig, type ModelConfig } from "../module/config.ts";
import { ROWWISE, type ModuleBase, type ModuleOptions } from "../module/module_base.ts";
import { loadInt8 } from "../runtime/wasm/int8.ts";
import { checkWeights, type FileWeights } from "../saving/load.ts";
import { joinsOf, layersOf, runGraph, wholeSequenceIn, type Graph, type InputShape } from "./graph.ts";
import { graphFrom } from "./read_config.ts";
import type { Layer } from "./layer.ts";
import { Module } from "./module.ts";
import { summary } from "./summary.ts";
import { configOf } from "./write_config.ts";

/** What only runs is never written down. */
const writeGraph = whenTraining(configOf);

/** A layer of a model: one of `layers.*`, with its options, or a Module of one's own, without. */
export type ModelLayer = Module & Partial<Pick<Layer, "config">>;

/** All that a file says of a model. */
export interface ModelParts {
  readonly config: ModelConfig;
  readonly weights: FileWeights;
  /** Runs that drew random numbers so far. */
  readonly runs: number;
}

/**
 * Layers and how they are joined.
 *
 * @typeParam R  what `call` gives: a tensor, or a list or a record of them
 * @example
 * const model = sequential([layers.lstm({ units: 8 }), layers.dense({ units: 1 })], { inputShape: [null, 4] });
 */
export class Model<R = Tensor> extends Module {
  #graph: Graph;
  #quantized: Activations | undefined;

  /** @internal */
  constructor(graph: Graph, options: ModuleOptions = {}) {
    super(options);
    this.#graph = graph;
  }

  /**
   * The model of a config and its weights, built.
   *
   * @throws FormatError, ShapeError when weights are not those of the model
   * @internal
   */
  static restore<R>(subject: string, { config, weights, runs }: ModelParts): Model<R> {
    const model = Model.fromConfig<R>(subject, config);
    try {
      model.startFrom(weights, () => checkWeights(model, weights, subject));
      const { quantized } = config;
      const names = new Set([...weights.keys()].filter((name) => weights.get(name)!.scales));
      if (!model.inputShapesKnown) throw new FormatError(`${subject}: expected the shape of its input in the config`);
      model.build(quantized && { names, activations: quantized.activations });
      checkWeights(model, weights, subject); // where there was no parameter to ask for them
      model.restoreRandom({ seed: config.seed, runs });
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** The model of a config, not built. @internal */
  static fromConfig<R>(subject: string, config: ModelConfig): Model<R> {
    const graph = graphFrom(subject, config, (inner) => Model.fromConfig(subject, inner));
    return new Model<R>(graph, { seed: config.seed });
  }

  /** The layers, in the order of first use. */
  get layers(): readonly ModelLayer[] {
    return layersOf(this.#graph) as Module[];
  }

  /** The layer of this name. @throws OptionError when there is none */
  getLayer(name: string): ModelLayer {
    const found = this.layers.find(({ layerName }) => layerName === name);
    if (found) return found;
    const names = this.layers.map(({ layerName }) => layerName!);
    throw new OptionError(
      `getLayer: expected one of ${names.join(", ")}, got ${quoted(name)}${nearest(String(name), names)}`,
    );
  }

  /** What it takes: name, shape without the batch (null for any extent), and type of each input. */
  get inputs(): readonly InputConfig[] {
    return this.inputConfigs;
  }

  /** @internal */
  override get inputConfigs(): readonly InputConfig[] {
    return this.#graph.inputs.map(({ name, shape, dtype }) => ({ name, shape: shape ?? null, dtype }));
  }

  /** Shape of its only input, without the batch, null for any extent; undefined before the first call when it was not given. */
  get inputShape(): InputShape | undefined {
    return this.#graph.inputs.length === 1 ? this.#graph.inputs[0].shape : undefined;
  }

  /** @internal */
  override get unstreamable(): string | undefined {
    return wholeSequenceIn(this.#graph);
  }

  /** What its outputs are called; undefined for one that has no name. @internal */
  override get outputNames(): readonly string[] | undefined {
    const { structure, outputs, calls, inputs } = this.#graph;
    if (structure.kind !== "list") return undefined;
    const names = outputs.map(({ step }) => calls[step - inputs.length]?.layer.layerName ?? inputs[step].name);
    return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}_${i}`));
  }

  /** @internal */
  get inputShapesKnown(): boolean {
    return this.#graph.inputs.every(({ shape }) => shape);
  }

  /** Creates the weights by recording a batch of one, with 1 wherever any extent will do; those named in 8 bits. @internal */
  build(int8?: Int8Names): void {
    if (int8) loadInt8(this.backend);
    this.#quantized = int8?.activations;
    const trace = new Trace(this.backend, { paths: this.modulePaths(), int8 });
    trace.run(() => {
      const inputs = this.#graph.inputs.map(({ shape, dtype }) =>
        trace.pinned([1, ...shape!.map((extent) => extent ?? 1)] as Shape, dtype),
      );
      this.call(...inputs);
      this.allocate(trace);
    });
  }

  /** @internal */
  get [ROWWISE](): true {
    return true;
  }

  /** @internal */
  override get quantized(): Activations | undefined {
    return this.#quantized;
  }

  /** @internal */
  override childModules(): [string, ModuleBase][] {
    return this.layers.map((layer) => [layer.layerName!, layer]);
  }

  /** @internal */
  override describe(): string {
    return this.#graph.chain ? "sequential" : "functional";
  }

  /** Records the layers on tensors of the open trace, one for each input. */
  override call(...args: any[]): R {
    const { inputs } = this.#graph;
    const tensors = args.slice(0, inputs.length) as Tensor[];
    if (!this.#graph.chain) this.#checkInputs(tensors);
    else if (!inputs[0].shape) this.#see(tensors[0]);
    return runGraph(this.#graph, tensors, args.slice(inputs.length)) as R;
  }

  /** Takes note of the shape of a first input: any time, but these features. */
  #see({ shape, dtype }: Tensor): void {
    const before = this.#graph;
    const [input] = before.inputs;
    const seen = shape.slice(1).map((extent, i, all) => (dtype === "f32" && i === all.length - 1 ? extent : null));
    this.#graph = { ...before, inputs: [{ ...input, shape: seen }] };
    currentTrace(this.describe()).undo.push(() => {
      this.#graph = before;
    });
  }

  #checkInputs(tensors: readonly Tensor[]): void {
    const { inputs } = this.#graph;
    if (tensors.length < inputs.length)
      throw new ShapeError(
        `functional: expected ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")}), got ${tensors.length}`,
      );
    for (const [i, { name, shape }] of inputs.entries()) {
      const extents = tensors[i].shape.slice(1);
      if (
        extents.length === shape!.length &&
        shape!.every((extent, axis) => extent === null || extent === extents[axis])
      )
        continue;
      throw new ShapeError(
        `functional: expected input "${name}" [batch, ${shape!.map(String).join(", ")}], got ${describe(tensors[i].shape)}`,
      );
    }
  }

  /** A table of the layers with output shapes and weights, and what each is applied to unless they are a chain. */
  override summary(): string {
    this.throwIfDisposed();
    return summary(this, this.#graph.chain ? undefined : joinsOf(this.#graph));
  }

  /**
   * The model one step at a time, with a state of its own.
   *
   * @throws UnsupportedError for layers that need the whole sequence
   */
  stream(options?: StreamOptions): Stream<Streamed<R>> {
    return new Stream(new ModelSteps(this, options));
  }

  /**
   * The model without its weights, as plain JSON.
   *
   * @throws OptionError for layers of one's own, and options that are functions
   * @example
   * const twin = modelFromConfig(model.getConfig(), model.getWeights());
   */
  getConfig(): ModelConfig {
    return this.modelConfig("getConfig", true);
  }

  /** @internal */
  override modelConfig(subject: string, training: boolean): ModelConfig {
    const config = { version: CONFIG_VERSION, seed: this.seed, ...writeGraph!(this.#graph, subject, training) };
    return this.#quantized ? { ...config, quantized: { bits: 8, activations: this.#quantized } } : config;
  }

  /** @internal */
  override layerConfig(subject: string, training: boolean): LayerConfig {
    return { layer: "model", config: { ...this.modelConfig(subject, training), name: this.layerName } };
  }

  /** @internal */
  override remake(subject: string, parts: () => ModelParts): this {
    return Model.restore(subject, parts()) as this;
  }
}
