/** `rnn(cell)`: any cell, or several stacked, over a sequence. */
import { OptionError, ShapeError, TraceError } from "../../base/errors.ts";
import { describe, sameShape } from "../../base/shape.ts";
import { isTensor, type Tensor } from "../../graph/tensor.ts";
import { shown } from "../../base/formatting.ts";
import { cellKinds, type CellOptions } from "./cells.ts";
import { defineLayer, type CommonOptions } from "../definition.ts";
import { stageOf as builtInStage } from "./recurrent_layer.ts";
import { runSequence } from "./checkpointed.ts";
import {
  asked,
  IGNORED,
  sequenceDefaults,
  type SequenceOptions,
  type SequenceRun,
  type Stage,
} from "./sequence_run.ts";
import { stepwiseStage } from "./stepwise_stage.ts";

/** What `rnn` needs of a cell. Cells of `cells.*` have it; a Module of your own says how large its states are. */
export interface Cell {
  /** x [B, I] and states [B, size] to `[output, states]`. */
  call(x: Tensor, states: Tensor[]): [Tensor, Tensor[]];
  /** Units of each state. */
  readonly stateSize?: number | readonly number[];
  /** The kind of a built-in cell, whose sequence may run in one kernel. @internal */
  readonly cellType?: keyof typeof cellKinds;
  /** @internal */
  readonly config?: CellOptions;
  /** Creates weights for this many input features and gives them as tensors. @internal */
  tensors?(features: number): Record<string, Tensor>;
}

/** Options of `layers.rnn`. */
export interface RNNOptions extends CommonOptions, SequenceOptions {
  /** The cell, or several, each on the output of the one before. */
  cell: Cell | readonly Cell[];
}

/** A cell of ours by what it computes, another by its `call`, which is recorded once for all steps. */
function stageOf(cell: Cell, label: string): Stage {
  const { cellType, config, stateSize } = cell;
  if (cellType) return builtInStage<any>(cellKinds[cellType], config!, (features) => cell.tensors!(features));
  if (stateSize === undefined)
    throw new OptionError(
      `${label}: expected the cell to have a stateSize (a number, or one for each state), got none`,
    );
  const states = [stateSize].flat().map((size, i) => ({ name: `state${i}`, size }));
  return stepwiseStage(states, (x, before) => {
    const given: unknown = cell.call(x, before);
    const [output, after] = Array.isArray(given)
      ? ([given[0], [given[1]].flat()] as [unknown, unknown[]])
      : [given, []];
    if (!isTensor(output) || !after.every(isTensor))
      throw new TraceError(
        `${label}: expected the cell's call to give [output, states], got ${Array.isArray(given) ? "something else in the list" : typeof given}`,
      );
    if (after.length !== before.length || after.some(({ shape }, i) => !sameShape(shape, before[i].shape))) {
      throw new ShapeError(
        `${label}: expected the cell to give states ${before.map(({ shape }) => describe(shape)).join(", ")} as it was given, got ${after.map(({ shape }) => describe(shape)).join(", ") || "none"}`,
      );
    }
    return [output, after];
  });
}

/** A layer that runs a cell, or a stack of cells, over time. */
export const rnn = defineLayer<RNNOptions>({
  type: "rnn",
  prefix: "rnn",
  input: "sequence",
  defaults: { cell: undefined, ...sequenceDefaults, name: undefined, trainable: true },
  required: ["cell"],
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
  unstreamable: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end (goBackwards)" : undefined),
  call({ trace, config, label }, x, call) {
    const run: SequenceRun = { trace, label, options: config, call };
    const cells = [config.cell].flat() as Cell[];
    return asked(
      run,
      runSequence(
        run,
        cells.map((cell) => stageOf(cell, label)),
        x,
      ),
    );
  },
});
