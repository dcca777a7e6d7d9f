/** Layers around a layer. */
import { REQUIRED, defineLayer, type CallOptions, type CommonOptions, type LayerDefinition } from "../definition.ts";
import type { SequenceOptions } from "../rnn/sequence.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import { describe, type Shape } from "../../base/shape.ts";
import { add, affine, mul } from "../../ops/elementwise.ts";
import { max } from "../../ops/reduce.ts";
import { concat, reshape } from "../../ops/shape.ts";
import { axesOfSteps, stepsOfMask, validSteps } from "../../ops/valid_steps.ts";
import type { Tensor, ValidSteps } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";

/** A layer inside another. */
export interface InnerLayer {
  /** @internal */
  readonly definition: LayerDefinition<any>;
  /** The options it was made with, filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Records the layer on a tensor. */
  call(x: Tensor, options?: CallOptions): Tensor | Tensor[];
  /** A layer of the same kind with other options and weights of its own. @internal */
  another(options: object): InnerLayer;
}

/** How both outputs are merged: `concat` along the features, `sum`, `mul` or `ave` by elements; null gives both. */
export type MergeMode = "concat" | "sum" | "mul" | "ave" | null;

/** Options of `layers.bidirectional`. */
export interface BidirectionalOptions extends CommonOptions {
  /** Layer for the forward direction: simpleRNN, lstm, gru or rnn. */
  layer: InnerLayer;
  /** Layer for the backward direction, with `goBackwards`; by default one with the options of `layer`. */
  backwardLayer?: InnerLayer;
  /** How the outputs of both directions are merged; null gives both. @default "concat" */
  mergeMode?: MergeMode;
}

const MERGE: Readonly<Record<Exclude<MergeMode, null>, (a: Tensor, b: Tensor) => Tensor>> = {
  concat: (a, b) => concat([a, b], -1),
  sum: (a, b) => add(a, b),
  mul: (a, b) => mul(a, b),
  ave: (a, b) => affine(add(a, b), 0.5, 0),
};

/** Options that both directions must have alike. */
const SHARED: readonly (keyof SequenceOptions)[] = ["returnSequences", "returnState", "stateful"];

/** @throws OptionError unless it is a layer */
function checkLayer(label: string, name: string, value: unknown): void {
  const layer = typeof value === "object" && value !== null && "call" in value && typeof value.call === "function";
  if (!layer)
    throw new OptionError(
      `${label}: expected a layer as ${name}, such as layers.dense({ units: 1 }), got ${shown(value)}`,
    );
}

/** @throws OptionError unless it is a recurrent layer of the library */
function checkRecurrent(label: string, name: string, value: Partial<InnerLayer>): void {
  checkLayer(label, name, value);
  if (value.config?.returnSequences === undefined)
    throw new OptionError(
      `${label}: expected a recurrent layer as ${name}, got ${value.definition?.type ?? "a module of your own"}`,
    );
}

function checkDirections(label: string, layer: InnerLayer, backward: InnerLayer): void {
  if (layer.config.goBackwards)
    throw new OptionError(`${label}: expected a layer that reads forwards, got one with goBackwards`);
  if (!backward.config.goBackwards)
    throw new OptionError(`${label}: expected a backwardLayer with goBackwards, got one without`);
  const other = SHARED.find((name) => layer.config[name] !== backward.config[name]);
  if (other)
    throw new OptionError(
      `${label}: expected the same ${other} in both directions, ` +
        `got ${shown(layer.config[other])} and ${shown(backward.config[other])}`,
    );
}

const nameOf = ({ config, definition }: InnerLayer): string => (config.name as string | undefined) ?? definition.prefix;

/**
 * A recurrent layer in both directions (Schuster and Paliwal 1997): [batch, time, features] to [batch, 2·units], or to
 * [batch, time, 2·units] if the layer has `returnSequences`; `units` wide if `mergeMode` merges by elements. States are
 * the forward ones, then the backward ones. Weights: `forward_<layer>/…` and `backward_<layer>/…`.
 */
export const bidirectional = defineLayer<BidirectionalOptions>({
  type: "bidirectional",
  prefix: "bidirectional",
  input: "sequence",
  defaults: { layer: REQUIRED, backwardLayer: undefined, mergeMode: "concat" },
  normalize(config, label) {
    const { layer, mergeMode } = config;
    if (mergeMode !== null && !(typeof mergeMode === "string" && Object.hasOwn(MERGE, mergeMode))) {
      throw new OptionError(
        `${label}: expected mergeMode ${Object.keys(MERGE).join(", ")} or null, got ${shown(mergeMode)}`,
      );
    }
    checkRecurrent(label, "layer", layer);
    const backwardLayer = config.backwardLayer ?? layer.another({ ...layer.config, goBackwards: true });
    checkRecurrent(label, "backwardLayer", backwardLayer);
    checkDirections(label, layer, backwardLayer);
    return { ...config, backwardLayer };
  },
  children: ({ layer, backwardLayer }) => [
    [`forward_${nameOf(layer)}`, layer],
    [`backward_${nameOf(backwardLayer!)}`, backwardLayer!],
  ],
  unstreamable: () => "its backward half needs the end of the sequence",
  call({ config: { layer, backwardLayer, mergeMode } }, x, { initialState, ...steps }) {
    const half = (initialState?.length ?? 0) / 2;
    const placement = { asRead: true, zeroMasked: layer.config.returnSequences === true };
    const run = (inner: InnerLayer, first: number): Tensor[] =>
      [inner.call(x, { ...steps, placement, initialState: initialState?.slice(first, first + half) })].flat();
    const [[forward, ...forwardStates], [backward, ...backwardStates]] = [run(layer, 0), run(backwardLayer!, half)];
    const outputs = mergeMode === null ? [forward, backward] : [MERGE[mergeMode!](forward, backward)];
    for (const output of outputs) output.steps = forward.steps;
    const all = [...outputs, ...forwardStates, ...backwardStates];
    return all.length === 1 ? all[0] : all;
  },
});

/** Options of `layers.timeDistributed`. */
export interface TimeDistributedOptions extends CommonOptions {
  /** The layer that is applied to every step. */
  layer: InnerLayer;
}

/**
 * The valid steps of sequences of sequences [batch, time, inner]: those valid in the inner ones, of the steps that are
 * valid in the outer one.
 */
function nestedSteps(trace: Trace, x: Tensor, inner: Tensor, shape: Shape): ValidSteps {
  const [B, T] = x.shape;
  const valid = reshape(validSteps(trace, inner.steps!, inner.shape), [B, T, ...shape]);
  if (!x.steps || axesOfSteps(x).length > 2) return stepsOfMask(trace, valid);
  const outer = validSteps(trace, x.steps, x.shape);
  return stepsOfMask(trace, mul(valid, reshape(outer, [B, T, ...shape.map(() => 1)])));
}

/** The steps [batch, time] of which some inner step is valid. */
function outerSteps(trace: Trace, x: Tensor): ValidSteps | undefined {
  if (!x.steps || axesOfSteps(x).length === 2) return x.steps;
  const valid = validSteps(trace, x.steps, x.shape);
  return stepsOfMask(trace, max(valid, { axis: valid.shape.map((_, i) => i).slice(2) }));
}

/**
 * Applies a layer to every step with the same weights: [batch, time, ..] to [batch, time, ..]. Where each step is a sequence
 * of its own, with a mask [batch, time, inner] as an embedding with `maskZero` gives it, the layer gets the mask of each
 * step, as in Keras; a step without a valid one inside is masked outside.
 */
export const timeDistributed = defineLayer<TimeDistributedOptions>({
  type: "timeDistributed",
  prefix: "time_distributed",
  input: "any",
  defaults: { layer: REQUIRED },
  normalize: (config, label) => (checkLayer(label, "layer", config.layer), config),
  call({ trace, config: { layer }, label }, x) {
    if (x.rank < 3) throw new ShapeError(`${label}: expected input [batch, time, ..], got ${describe(x.shape)}`);
    const [B, T, ...rest] = x.shape;
    const each = reshape(x, [B * T, ...rest]);
    const inner = axesOfSteps(x).slice(2);
    if (inner.length > 0) each.steps = { mask: reshape(x.steps!.mask!, [B * T, ...inner]) };
    const y = layer.call(each);
    if (Array.isArray(y)) throw new OptionError(`${label}: expected a layer with one output, got ${y.length}`);
    const output = reshape(y, [B, T, ...y.shape.slice(1)]);
    output.steps = y.steps ? nestedSteps(trace, x, y, axesOfSteps(y).slice(1)) : outerSteps(trace, x);
    return output;
  },
});
