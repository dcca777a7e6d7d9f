/** A cell on its own, as `cells.lstm` is: one step, recorded by its `call`. */
import { defineLayer, type LayerDefinition } from "../definition.ts";
import { reshape } from "../../ops/shape.ts";
import type { CellDefinition } from "./cell.ts";
import type { CellOptions } from "./cell_options.ts";
import { cellStage } from "./cell_stage.ts";
import { drawMasks } from "./stage.ts";
import { initialStates, storeOf } from "./states.ts";

/** A cell as a layer that computes one step: `call(x [batch, features], states)` gives `[output, ...states]`. */
export interface CellLayerDefinition<C extends object> extends LayerDefinition<C> {
  readonly cell: CellDefinition<C>;
}

/** The layer of one step of a cell. */
export const cellLayer = <C extends CellOptions>(cell: CellDefinition<C>): CellLayerDefinition<C> => ({
  ...defineLayer<C>({
    type: `cells.${cell.type}`,
    prefix: `${cell.prefix}_cell`,
    input: "features",
    defaults: cell.defaults as never,
    normalize: cell.normalize,
    parameters: cell.parameters,
    call({ trace, config, label, weights }, x, { initialState }) {
      const [B, I] = x.shape;
      const stage = cellStage(cell, config, () => weights);
      const initial = initialStates({ trace, label }, stage.states, B, storeOf(trace, undefined), initialState);
      const { output, final } = stage.run(
        { trace, label, steps: undefined, order: {}, everyStep: false, masks: drawMasks(stage, B, I), prefix: "" },
        reshape(x, [B, 1, I]),
        initial,
      );
      return [output, ...final];
    },
  }),
  cell,
});
