/** Recurrent layers: a cell, or several stacked, over a whole sequence; and the cells on their own. */
import { reshape } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import {
  gruCell,
  lstmCell,
  simpleRnnCell,
  type CellKind,
  type CellOptions,
  type GRUCellOptions,
  type LSTMCellOptions,
  type SimpleRNNCellOptions,
} from "./cells.ts";
import { defineLayer, type LayerDefinition } from "../definition.ts";
import { equationStage } from "./equations.ts";
import { fusedStage, type WeightsFor } from "./fused_stage.ts";
import { runSequence } from "./checkpointed.ts";
import {
  asked,
  IGNORED,
  initialStates,
  sequenceDefaults,
  type SequenceOptions,
  type SequenceRun,
  type Stage,
} from "./sequence_run.ts";
import { positive } from "../core/simple.ts";

/** Options of recurrent layers besides those of their cell. */
export interface RecurrentOptions extends SequenceOptions {
  /**
   * Keeps only the states at every so many steps for the gradient and computes what lies between once more: long sequences
   * train in a fraction of the memory for a third more time.
   */
  checkpointEvery?: number | undefined;
  /**
   * Layers on top of each other with weights `0/kernel`, `1/kernel` …; `dropout` is between them then. States come layer by layer.
   * In `bidirectional` each direction is a stack of its own; where layers read both directions of the one below, as in PyTorch,
   * stack `bidirectional` layers. @default 1
   */
  numLayers?: number;
}

/** Options of `layers.simpleRNN`. */
export interface SimpleRNNOptions extends SimpleRNNCellOptions, RecurrentOptions {}
/** Options of `layers.lstm`. */
export interface LSTMOptions extends LSTMCellOptions, RecurrentOptions {}
/** Options of `layers.gru`. */
export interface GRUOptions extends GRUCellOptions, RecurrentOptions {}

/** A cell of ours in a stack: by its kernels, or, where its options are none of theirs, by its equations. */
export const stageOf = <C extends CellOptions>(kind: CellKind<C>, config: C, weights: WeightsFor): Stage =>
  (kind.fused(config) ? fusedStage : equationStage)(kind, config, weights);

/** Weights of layer k out of those of all: `kernel`, or `k/kernel` when there are several. */
function weightsOf(weights: Readonly<Record<string, Tensor>>, k: number, layers: number): Record<string, Tensor> {
  if (layers === 1) return { ...weights };
  const prefix = `${k}/`;
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, weight]) => [name.slice(prefix.length), weight]),
  );
}

/** The layer of a cell, or of several stacked. */
function recurrentLayer<C extends CellOptions>(kind: CellKind<C>): LayerDefinition<C & RecurrentOptions> {
  type Config = C & RecurrentOptions;
  return defineLayer<Config>({
    type: kind.type,
    prefix: kind.prefix,
    input: "sequence",
    defaults: {
      ...kind.defaults,
      ...sequenceDefaults,
      numLayers: 1,
      checkpointEvery: undefined,
    } as LayerDefinition<Config>["defaults"],
    required: ["units"],
    ignored: IGNORED,
    normalize(config, label) {
      positive(label, "numLayers", config.numLayers, 1000); // more is a damaged file
      if (config.checkpointEvery !== undefined) positive(label, "checkpointEvery", config.checkpointEvery);
      return kind.normalize(config, label) as Config;
    },
    parameters(config, features) {
      const { numLayers = 1 } = config;
      if (numLayers === 1) return kind.parameters(config, features);
      const [{ size }] = kind.states(config);
      const layers = Array.from({ length: numLayers }, (_, k) =>
        Object.entries(kind.parameters(config, k === 0 ? features : size)).map(
          ([name, spec]) => [`${k}/${name}`, spec] as const,
        ),
      );
      return Object.fromEntries(layers.flat());
    },
    unstreamable: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end (goBackwards)" : undefined),
    call({ trace, config, label, weights }, x, call) {
      const run: SequenceRun = { trace, label, options: config, call };
      const { numLayers = 1 } = config;
      // between layers, as in PyTorch, when there are several; else on the input, as in Keras
      const [own, between] = numLayers > 1 ? [{ ...config, dropout: 0 }, config.dropout!] : [config, 0];
      const stages = Array.from({ length: numLayers }, (_, k) =>
        stageOf(kind, own, () => weightsOf(weights, k, numLayers)),
      );
      return asked(run, runSequence(run, stages, x, { between, every: config.checkpointEvery }));
    },
  });
}

export const simpleRNN: LayerDefinition<SimpleRNNOptions> = recurrentLayer(simpleRnnCell);
export const lstm: LayerDefinition<LSTMOptions> = recurrentLayer(lstmCell);
export const gru: LayerDefinition<GRUOptions> = recurrentLayer(gruCell);

/** One step of a cell: `call(x [B, I], states)` gives `[output, states]`. */
function cellLayer<C extends CellOptions>(kind: CellKind<C>): LayerDefinition<C> {
  return defineLayer<C>({
    type: `cells.${kind.type}`,
    prefix: `${kind.prefix}_cell`,
    input: "features",
    defaults: kind.defaults,
    required: ["units"],
    normalize: (config, label) => kind.normalize(config, label),
    parameters: (config, features) => kind.parameters(config, features),
    call({ trace, config, label, weights }, x, call) {
      const [B, I] = x.shape;
      const run: SequenceRun = { trace, label, options: {}, call };
      const stage = stageOf<C>(kind, config, () => weights);
      const initial = initialStates(
        run,
        stage.states.map(({ name }) => name),
        stage.states.map(({ size }) => [B, size]),
      );
      const { output, final } = stage.run(run, reshape(x, [B, 1, I]), initial, {
        prefix: "",
        sequence: false,
        drop: stage.draw(B, I),
      });
      return [output, ...final];
    },
  });
}

export const simpleRNNCell = cellLayer(simpleRnnCell);
export const lstmCellLayer = cellLayer(lstmCell);
export const gruCellLayer = cellLayer(gruCell);
