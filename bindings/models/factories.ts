/** `layers`, `cells`, `sequential` and `loadModel` over a base class: Module where models train, Network where they only run. */
import { FormatError, OptionError } from "../base/errors.ts";
import type { CellOptions } from "../layers/rnn/cells.ts";
import type { SequenceOptions } from "../layers/rnn/sequence_run.ts";
import { cellDefinitions, layerDefinitions } from "../layers/index.ts";
import type { CallOptions, LayerDefinition } from "../layers/definition.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { SavedLayer } from "../saving/metadata.ts";
import { layerClasses, type LayerPart } from "./layer_module.ts";
import { openFile, restore, type OpenedFile } from "../saving/load.ts";
import type { Network } from "./network.ts";
import { sequentialClass, type SequentialLayer, type SequentialOptions } from "./sequential.ts";
import { Stream, type StreamOptions } from "../inference/stream.ts";
import { ModelSteps } from "../inference/model_stream.ts";

type OptionsOf<D> = D extends LayerDefinition<infer C> ? C : never;
type Base = new (...args: any[]) => Network;

// what `call` is stands before N, whose own takes and gives anything: the first signature that fits is the one

/** A layer as its factory gives it. */
export type LayerOf<N extends Network, R = Tensor> = {
  /** Records the layer on a tensor of the open trace. */
  call(x: Tensor, options?: CallOptions): R;
} & LayerPart &
  N;

/** A cell as its factory gives it. */
export type CellOf<N extends Network> = {
  /** Units of each state. */
  readonly stateSize: number[];
  /** The options it was made with, filled in. */
  readonly config: Readonly<CellOptions>;
  /** One step: x [batch, features] and states [batch, units], none for zeros. */
  call(x: Tensor, states?: Tensor[]): [output: Tensor, states: Tensor[]];
} & LayerPart &
  N;

/** Layers one after the other, as `sequential` gives them. */
export type SequentialOf<N extends Network> = {
  /** The layers, in order. */
  readonly layers: readonly SequentialLayer[];
  /** Without the batch, null for any extent; undefined before the first call when it was not given. */
  readonly inputShape: readonly (number | null)[] | undefined;
  /** Records the layers on a tensor of the open trace. */
  call(x: Tensor, options?: CallOptions): Tensor;
  /** The model one step at a time, with a state of its own. */
  stream(options?: StreamOptions): Stream;
} & N;

/** A factory of layers: options may be left out when none is required; `returnState` says what `call` gives. */
type LayerFactory<N extends Network, O> = object extends O
  ? (options?: O) => LayerOf<N>
  : O extends SequenceOptions
    ? {
        (options: O & { returnState: true }): LayerOf<N, [output: Tensor, ...states: Tensor[]]>;
        (options: O): LayerOf<N>;
      }
    : (options: O) => LayerOf<N>;

/** `layers`, by name. */
type LayerFactories<N extends Network> = {
  readonly [K in keyof typeof layerDefinitions]: LayerFactory<N, OptionsOf<(typeof layerDefinitions)[K]>>;
};

/** `cells`, by name. */
type CellFactories<N extends Network> = {
  readonly [K in keyof typeof cellDefinitions]: (options: OptionsOf<(typeof cellDefinitions)[K]>) => CellOf<N>;
};

export function factories<B extends Base>(BaseClass: B) {
  type N = InstanceType<B>;
  const { Layer, CellLayer } = layerClasses(BaseClass);
  const map = <T>(table: object, make: (definition: LayerDefinition<any>, options: object) => unknown): T =>
    Object.fromEntries(
      Object.entries(table).map(([name, definition]) => [
        name,
        (options: object) => make(definition as LayerDefinition<any>, options),
      ]),
    ) as T;

  const layers = map<LayerFactories<N>>(layerDefinitions, (definition, options) => new Layer(definition, options));
  const cells = map<CellFactories<N>>(cellDefinitions, (definition, options) => new CellLayer(definition, options));

  class Sequential extends sequentialClass(BaseClass) {
    stream(options?: StreamOptions): Stream {
      return new Stream(new ModelSteps(this, options));
    }

    /** The model of what a file would hold. @internal */
    remake(file: OpenedFile): Network {
      return restoreModel(file);
    }
  }

  /**
   * Layers one after the other.
   *
   * @throws OptionError for an empty list, unknown options, or layers of the same name
   */
  const sequential = (list: readonly Network[], options?: SequentialOptions): SequentialOf<N> =>
    new Sequential(list, options) as unknown as SequentialOf<N>;

  /** A layer of a file, cells inside it first. */
  function layerOf({ layer, config }: SavedLayer): Network {
    const make = layer.startsWith("cells.")
      ? (cells as Record<string, (options: object) => Network>)[layer.slice("cells.".length)]
      : (layers as unknown as Record<string, (options: object) => Network>)[layer];
    if (!make) throw new FormatError(`loadModel: expected a layer this version knows, got "${layer}"`);
    const inner = (value: unknown): unknown =>
      typeof value === "object" && value !== null && "layer" in value ? layerOf(value as SavedLayer) : value;
    const options = Object.fromEntries(
      Object.entries(config).map(([name, value]) => [name, Array.isArray(value) ? value.map(inner) : inner(value)]),
    );
    try {
      return make(options);
    } catch (error) {
      if (error instanceof OptionError) throw new FormatError(`loadModel: ${error.message}`);
      throw error;
    }
  }

  /** Makes the model of an opened file. */
  const restoreModel = (opened: OpenedFile): SequentialOf<N> =>
    restore(opened, (saved, options) => {
      const model = new Sequential(saved.map(layerOf), options);
      return { model, build: (inputShape, int8) => model.build(inputShape, int8) };
    }) as unknown as SequentialOf<N>;

  return { layers, cells, sequential, restoreModel, openFile };
}
