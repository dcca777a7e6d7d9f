/** `rnn(cell)`: any cell, or several stacked, over a sequence. */
import { OptionError } from "../errors.ts";
import { where } from "../ops/elementwise.ts";
import { validSteps } from "../ops/rows.ts";
import { select, slice, stack } from "../ops/shape.ts";
import type { Tensor } from "../program/tensor.ts";
import { cellKinds, type CellOptions } from "./cells.ts";
import { defineLayer, type CommonOptions } from "./definition.ts";
import {
  carryStates, givesSequences, IGNORED, initialStates, results, rowOrder, runStages, sequenceDefaults, stateNames, stepsOf,
  type SequenceOptions, type SequenceResult, type SequenceRun, type Stage,
} from "./recurrent.ts";

/** What `rnn` needs of a cell. Cells of `cells.*` have it; a Module of your own says how large its states are. */
export interface Cell {
  /** x [B, I] and states [B, size] to `[output, states]`. */
  call(x: Tensor, states: Tensor[]): [Tensor, Tensor[]];
  /** Units of each state. */
  readonly stateSize?: number | readonly number[];
  /** The kind of a built-in cell, whose sequence runs in one kernel. @internal */
  readonly cellType?: keyof typeof cellKinds;
  /** @internal */
  readonly config?: CellOptions;
  /** Creates weights for this many input features and gives them as tensors. @internal */
  tensors?(features: number): Record<string, Tensor>;
}

export interface RNNOptions extends CommonOptions, SequenceOptions {
  cell: Cell | readonly Cell[];
}

/** Sizes of the states of one cell. */
function stateSizes(cell: Cell, label: string): number[] {
  if (cell.cellType) return cellKinds[cell.cellType].states.map(() => cell.config!.units);
  if (cell.stateSize === undefined) throw new OptionError(`${label}: expected the cell to have a stateSize (a number, or one for each state), got none`);
  return [cell.stateSize].flat() as number[];
}

/** Names of the states of cells that are not all built in. */
const ownStateNames = (cells: readonly Cell[], sizes: readonly number[][]): string[] =>
  cells.flatMap((_cell, k) => sizes[k].map((_, i) => (cells.length === 1 ? `state${i}` : `${k}/state${i}`)));

/** A built-in cell, whose whole sequence is one op. */
function stageOf(cell: Cell): Stage | undefined {
  const { cellType, config } = cell;
  return cellType && { kind: cellKinds[cellType], config: config!, weights: (features) => cell.tensors!(features) };
}

/** Other cells: step by step, masked steps keeping state and output. */
function runSteps(run: SequenceRun, cells: readonly Cell[], sizes: readonly number[][], x: Tensor, initial: readonly Tensor[]): SequenceResult {
  const { trace, options } = run;
  const [B, T] = x.shape;
  const steps = stepsOf(run, x);
  const valid = steps && validSteps(trace, steps, B, T);
  const { asRead, zeroMasked } = rowOrder(run);
  let states: readonly Tensor[] = initial.length > 0 ? initial : sizes.flat().map((size) => trace.zeros([B, size]));
  const outputs: Tensor[] = [];
  const silent = steps?.lengths || zeroMasked;
  let shown: Tensor | undefined;
  for (let s = 0; s < T; s++) {
    const t = options.goBackwards ? T - 1 - s : s;
    const step = runStack(cells, sizes, select(x, t, 1), states);
    const alive = valid && slice(valid, [0, t], [B, 1]);
    states = alive ? step.states.map((state, i) => where(alive, state, states[i])) : step.states;
    shown = alive ? where(alive, step.output, silent ? 0 : shown ?? lastShown(run, step.output)) : step.output;
    outputs[asRead ? t : s] = shown;
  }
  if (valid && !silent) carryStates(run, ["output"], [shown!]);
  if (givesSequences(run)) return { output: stack(outputs, 1), final: [...states] };
  return { output: steps?.lengths ? states[0] : shown!, final: [...states] };
}

/** What masked steps repeat before the first valid one: zeros, or in a stream the output of the run before. */
function lastShown(run: SequenceRun, { shape }: Tensor): Tensor | 0 {
  return run.trace.options.stream ? initialStates(run, ["output"], [shape])[0] : 0;
}

function runStack(cells: readonly Cell[], sizes: readonly number[][], x: Tensor, states: readonly Tensor[]): { output: Tensor; states: Tensor[] } {
  const next: Tensor[] = [];
  let output = x;
  cells.forEach((cell, k) => {
    const own = states.slice(next.length, next.length + sizes[k].length);
    const [y, after] = cell.call(output, [...own]);
    next.push(...[after].flat());
    output = y;
  });
  return { output, states: next };
}

/** A layer that runs a cell, or a stack of cells, over time. */
export const rnn = defineLayer<RNNOptions>({
  type: "rnn",
  prefix: "rnn",
  input: "sequence",
  defaults: { cell: undefined, ...sequenceDefaults, name: undefined, trainable: true },
  required: ["cell"],
  ignored: IGNORED,
  unstreamable: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end (goBackwards)" : undefined),
  call({ trace, config, label }, x, call) {
    const run: SequenceRun = { trace, label, options: config, call };
    const cells = [config.cell].flat() as Cell[];
    if (cells.length === 0) throw new OptionError(`${label}: expected at least one cell, got none`);
    const sizes = cells.map((cell) => stateSizes(cell, label));
    const stages = cells.flatMap((cell) => stageOf(cell) ?? []);
    const builtIn = stages.length === cells.length;
    const names = builtIn ? stateNames(stages) : ownStateNames(cells, sizes);
    const initial = initialStates(run, names, sizes.flat().map((size) => [x.shape[0], size]));
    const { output, final } = builtIn ? runStages(run, stages, x, initial) : runSteps(run, cells, sizes, x, initial);
    carryStates(run, names, final);
    if (givesSequences(run)) output.steps = stepsOf(run, x);
    return results(run, output, final);
  },
});
