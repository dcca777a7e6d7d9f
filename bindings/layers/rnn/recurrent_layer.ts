/** The recurrent layer of a cell, or of several such cells stacked, as `layers.lstm` is. */
import { checkSize } from "../checks.ts";
import { defineLayer, type LayerDefinition } from "../definition.ts";
import type { CellDefinition, Weights } from "./cell.ts";
import type { CellOptions } from "./cell_options.ts";
import { cellStage } from "./cell_stage.ts";
import { IGNORED, SEQUENCE_DEFAULTS, runSequence, unstreamable, type SequenceOptions } from "./sequence.ts";

/** Options of recurrent layers besides those of their cell. */
export interface RecurrentOptions extends SequenceOptions {
  /**
   * Gradient checkpointing: keeps only the states at every so many steps for the gradient and computes the steps
   * between again. Long sequences train in a fraction of the memory, for about a third more time.
   */
  checkpointEvery?: number | undefined;
  /**
   * Number of stacked layers, as PyTorch's `num_layers`: weights `0/kernel`, `1/kernel` …, states layer by layer,
   * `dropout` between the layers instead of on the input. In `bidirectional` each direction is a stack of its own; for
   * layers that read both directions of the one below, as in PyTorch, stack `bidirectional` layers. @default 1
   */
  numLayers?: number;
}

/** Most stacked layers; a file with more is damaged. */
const MOST_LAYERS = 1000;

/** Weights of layer k: `kernel` or, when there are several layers, `k/kernel`. */
function weightsOf(weights: Weights, k: number, layers: number): Weights {
  if (layers === 1) return { ...weights };
  const prefix = `${k}/`;
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, weight]) => [name.slice(prefix.length), weight]),
  );
}

/** The layer of a cell. */
export function recurrentLayer<C extends CellOptions>(cell: CellDefinition<C>): LayerDefinition<C & RecurrentOptions> {
  type Config = C & RecurrentOptions;
  return defineLayer<Config>({
    type: cell.type,
    prefix: cell.prefix,
    input: "sequence",
    defaults: { ...cell.defaults, ...SEQUENCE_DEFAULTS, numLayers: 1, checkpointEvery: undefined } as never,
    ignored: IGNORED,
    normalize(config, label) {
      checkSize(label, "numLayers", config.numLayers, MOST_LAYERS);
      if (config.checkpointEvery !== undefined) checkSize(label, "checkpointEvery", config.checkpointEvery);
      return cell.normalize(config, label) as Config;
    },
    parameters(config, features) {
      const { numLayers = 1 } = config;
      if (numLayers === 1) return cell.parameters(config, features);
      const [{ size }] = cell.states(config);
      const layers = Array.from({ length: numLayers }, (_, k) =>
        Object.entries(cell.parameters(config, k === 0 ? features : size)).map(
          ([name, spec]) => [`${k}/${name}`, spec] as const,
        ),
      );
      return Object.fromEntries(layers.flat());
    },
    unstreamable,
    call(scope, x, call) {
      const { config, weights } = scope;
      const { numLayers = 1, dropout = 0 } = config;
      // between layers, as in PyTorch, when there are several; else on the input, as in Keras
      const [own, between] = numLayers > 1 ? [{ ...config, dropout: 0 }, dropout] : [config, 0];
      const stages = Array.from({ length: numLayers }, (_, k) =>
        cellStage(cell, own as C, () => weightsOf(weights, k, numLayers)),
      );
      return runSequence(scope, { stages, between }, x, call);
    },
  });
}
