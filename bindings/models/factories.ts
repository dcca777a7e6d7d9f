/** `layers`, `cells`, `sequential`, `functional`: what makes modules of definitions and models of modules. */
import { checkOptions } from "../base/options.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { LayerDefinition } from "../layers/definition.ts";
import { cellDefinitions, layerDefinitions } from "../layers/index.ts";
import type { SequenceOptions } from "../layers/rnn/sequence.ts";
import type { ModuleOptions } from "../module/module_base.ts";
import { chainOf, checkInputShape, type InputShape } from "./graph.ts";
import { Cell, Layer } from "./layer.ts";
import { Model } from "./model.ts";
import type { Module } from "./module.ts";
import { graphOf, type FunctionalSpec, type SymbolicTensors, type TensorsOf } from "./symbolic.ts";

type OptionsOf<D> = D extends LayerDefinition<infer C> ? C : never;

/**
 * A factory of layers: options may be left out when none is required; `returnState` decides what `call` gives. Not by
 * overloads: editors show the docblock of a layer for a factory of one signature only.
 */
type LayerFactory<O> = object extends O
  ? (options?: O) => Layer<Tensor>
  : O extends SequenceOptions
    ? <S extends boolean = false>(options: O & { returnState?: S }) => Layer<WithStates<S>>
    : (options: O) => Layer<Tensor>;

/** What `call` gives: the output or, with `returnState`, a list of the output and the states. */
type WithStates<S extends boolean> = [S] extends [true] ? [output: Tensor, ...states: Tensor[]] : Tensor;

/** `layers`, by name. */
type LayerFactories = {
  readonly [K in keyof typeof layerDefinitions]: LayerFactory<OptionsOf<(typeof layerDefinitions)[K]>>;
};

/** `cells`, by name. */
type CellFactories = {
  readonly [K in keyof typeof cellDefinitions]: (options: OptionsOf<(typeof cellDefinitions)[K]>) => Cell;
};

const mapped = <T>(table: object, make: (definition: LayerDefinition<any>, options: object) => Layer): T =>
  Object.fromEntries(
    Object.entries(table).map(([name, definition]) => [
      name,
      (options: object) => make(definition as LayerDefinition<any>, options),
    ]),
  ) as T;

/**
 * Layers by Keras' names in camelCase; each is a Module.
 *
 * @namespace
 */
export const layers = mapped<LayerFactories>(layerDefinitions, (definition, options) => new Layer(definition, options));

/**
 * Cells for `layers.rnn` and for stepping by hand: `call(x, states)` gives `[output, states]`.
 *
 * @namespace
 */
export const cells = mapped<CellFactories>(cellDefinitions, (definition, options) => new Cell(definition, options));

/** Options of `sequential`. */
export interface SequentialOptions extends ModuleOptions {
  /** Shape of the input without the batch, null for any extent: `[null, 8]`, or `[null]` for tokens. Builds the model at once. */
  inputShape?: InputShape | undefined;
}

const SEQUENTIAL_OPTIONS = ["seed", "inputShape"] satisfies (keyof SequentialOptions)[];

/**
 * Layers one after the other.
 *
 * @throws OptionError for an empty list, unknown options, or layers of the same name
 * @example
 * const model = sequential([layers.lstm({ units: 8 }), layers.dense({ units: 1 })], { inputShape: [null, 4] });
 */
export function sequential(list: readonly Module[], options: SequentialOptions = {}): Model<Tensor> {
  checkOptions("sequential", options, SEQUENTIAL_OPTIONS);
  const { seed, inputShape } = options;
  const shape = inputShape ?? undefined; // null is absent, too
  const graph = chainOf(list, shape);
  if (shape) checkInputShape("sequential", shape);
  const model = new Model<Tensor>(graph, { seed });
  if (shape) model.build();
  return model;
}

/**
 * A model of layers that are applied to each other's outputs: several inputs and outputs, skips, shared layers, initial
 * states from other tensors. It does all that a `sequential` does.
 *
 * @throws OptionError for inputs and outputs that are no symbolic tensors, and for layers of the same name
 * @example
 * const x = input({ shape: [null, 8] });
 * const h = layers.lstm({ units: 8, returnSequences: true }).apply(x);
 * const model = functional({ inputs: [x], outputs: layers.add().apply([h, x]) });
 */
export function functional<const O extends SymbolicTensors>(
  spec: FunctionalSpec<O>,
  options: ModuleOptions = {},
): Model<TensorsOf<O>> {
  checkOptions("functional", spec, ["inputs", "outputs"]);
  checkOptions("functional", options, ["seed"]);
  const model = new Model<TensorsOf<O>>(graphOf(spec), options);
  model.build();
  return model;
}
