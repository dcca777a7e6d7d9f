/** Every layer and cell, by the name of its factory. Users see the docblocks of the definitions. */
import * as core from "./core/index.ts";
import type { LayerDefinition } from "./definition.ts";
import type { CellDefinition } from "./rnn/cell.ts";
import { cellLayer, type CellLayerDefinition } from "./rnn/cell_layer.ts";
import type { CellOptions } from "./rnn/cell_options.ts";
import * as cells from "./rnn/cells.ts";
import { recurrentLayer, type RecurrentOptions } from "./rnn/recurrent_layer.ts";
import * as rnn from "./rnn/rnn.ts";

type Cells = typeof cells;

/** The options of a cell's definition. */
type OptionsOf<D> = D extends CellDefinition<infer C> ? C : never;

/** Makes something of every cell. */
const ofCells = <R>(make: (cell: CellDefinition<CellOptions>) => object): R =>
  Object.fromEntries(
    Object.entries(cells).map(([name, cell]) => [name, make(cell as unknown as CellDefinition<CellOptions>)]),
  ) as R;

type RecurrentLayers = { readonly [K in keyof Cells]: LayerDefinition<OptionsOf<Cells[K]> & RecurrentOptions> };
type CellLayers = { readonly [K in keyof Cells]: CellLayerDefinition<OptionsOf<Cells[K]>> };

export const layerDefinitions: typeof core & typeof rnn & RecurrentLayers = {
  ...core,
  ...rnn,
  ...ofCells<RecurrentLayers>(recurrentLayer),
};

export const cellDefinitions: CellLayers = ofCells<CellLayers>(cellLayer);
