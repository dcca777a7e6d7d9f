/** `rnn(cell)`: any cell, or several stacked, over a sequence. */
import { OptionError, ShapeError, TraceError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import { describe, sameShape } from "../../base/shape.ts";
import { isTensor, type Tensor } from "../../graph/tensor.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";
import type { Weights } from "./cell.ts";
import type { CellLayerDefinition } from "./cell_layer.ts";
import { cellStage } from "./cell_stage.ts";
import { IGNORED, SEQUENCE_DEFAULTS, runSequence, unstreamable, type SequenceOptions } from "./sequence.ts";
import type { Stage } from "./stage.ts";
import { stepwiseStage } from "./stepwise_stage.ts";

/** A cell as `layers.rnn` takes it: one of `cells.*`, or a Module of your own with a `call` and a `stateSize`. */
export interface StepCell {
  /** One step: x [batch, features] and states [batch, size] to `[output, states]`; without a type of its own, that is a list. */
  call(x: Tensor, states: Tensor[]): [Tensor, Tensor[]] | (Tensor | Tensor[])[];
  /** Size of each state. */
  readonly stateSize?: number | readonly number[];
  /** Those of `cells.*`: what they compute. @internal */
  readonly definition?: Partial<CellLayerDefinition<any>>;
  /** Those of `cells.*`: their options. @internal */
  readonly config?: object;
  /** Those of `cells.*`: creates weights for this many input features and gives them as tensors. @internal */
  tensors?(features: number): Weights;
}

/** Options of `layers.rnn`. */
export interface RNNOptions extends CommonOptions, SequenceOptions {
  /** The cell, or a list of cells to stack, each on the output of the one before. */
  cell: StepCell | readonly StepCell[];
}

const shapesOf = (tensors: readonly Tensor[]): string =>
  tensors.map(({ shape }) => describe(shape)).join(", ") || "none";

/** The result of a cell's `call`. @throws TraceError, ShapeError unless it is `[output, states]`, states as given */
function checkStep(label: string, given: unknown, before: readonly Tensor[]): [output: Tensor, states: Tensor[]] {
  const [output, after] = Array.isArray(given) ? ([given[0], [given[1]].flat()] as [unknown, unknown[]]) : [given, []];
  if (!isTensor(output) || !after.every(isTensor)) {
    const got = Array.isArray(given) ? "something else in the list" : typeof given;
    throw new TraceError(`${label}: expected the cell's call to give [output, states], got ${got}`);
  }
  if (after.length !== before.length || after.some(({ shape }, i) => !sameShape(shape, before[i].shape)))
    throw new ShapeError(
      `${label}: expected the cell to give states ${shapesOf(before)} as it was given, got ${shapesOf(after)}`,
    );
  return [output, after];
}

/** A cell of `cells.*` by its definition, another by its `call`. */
function stageOf(cell: StepCell, label: string): Stage {
  const { definition, config, stateSize } = cell;
  if (definition?.cell) return cellStage<any>(definition.cell, config, (features) => cell.tensors!(features));
  if (stateSize === undefined)
    throw new OptionError(
      `${label}: expected the cell to have a stateSize (a number, or one for each state), got none`,
    );
  const states = [stateSize].flat().map((size, i) => ({ name: `state${i}`, size }));
  return stepwiseStage(states, (x, before) => checkStep(label, cell.call(x, [...before]), before));
}

/**
 * Runs a cell, or a stack of cells, over a sequence: [batch, time, features] to the last output [batch, units] or, with
 * `returnSequences`, to all of them [batch, time, units]. States are those of the cells, one cell after the other.
 */
export const rnn = defineLayer<RNNOptions>({
  type: "rnn",
  prefix: "rnn",
  input: "sequence",
  defaults: { cell: REQUIRED, ...SEQUENCE_DEFAULTS },
  ignored: IGNORED,
  normalize(config, label) {
    const cells: readonly unknown[] = [config.cell].flat();
    if (cells.length === 0) throw new OptionError(`${label}: expected at least one cell, got none`);
    const odd = cells.findIndex(
      (cell) => !(typeof cell === "object" && cell !== null && "call" in cell && typeof cell.call === "function"),
    );
    if (odd >= 0)
      throw new OptionError(`${label}: expected cells, such as cells.gru({ units: 8 }), got ${shown(cells[odd])}`);
    return config;
  },
  unstreamable,
  call(scope, x, call) {
    const cells = [scope.config.cell].flat() as StepCell[];
    return runSequence(scope, { stages: cells.map((cell) => stageOf(cell, scope.label)), between: 0 }, x, call);
  },
});
