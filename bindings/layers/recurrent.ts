/** Recurrent layers: a cell over a whole sequence, with masks, lengths, states and dropout around it. */
import { ShapeError, ValueError } from "../errors.ts";
import { dropout, dropoutMask } from "../ops/dropout.ts";
import { greaterEqual, mul, where } from "../ops/elementwise.ts";
import type { Sequence } from "../ops/recurrent.ts";
import { checkSteps, lastOutput, packRows, sortStates, unpack, unsortStates, type RowOrder, type Rows } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { Tensor, describe, read, write, sameShape, type Steps } from "../program/tensor.ts";
import type { Tape } from "../program/gradients.ts";
import type { StateStore, Trace } from "../program/trace.ts";
import { gruCell, lstmCell, simpleRnnCell, type CellKind, type CellOptions, type GRUCellOptions, type LSTMCellOptions, type SimpleRNNCellOptions } from "./cells.ts";
import { positive } from "./simple.ts";
import { defineLayer, type CallOptions, type LayerDefinition } from "./definition.ts";
import { runSegments } from "./segments.ts";

export interface SequenceOptions {
  /** Gives the output of every step [batch, time, units] instead of the last [batch, units]. */
  returnSequences?: boolean;
  /** Gives `[output, ...states]`. */
  returnState?: boolean;
  /** Reads the sequence from its end; outputs stay in that order. */
  goBackwards?: boolean;
  /** Keeps its states from one batch to the next, until `resetStates`. */
  stateful?: boolean;
  /** Outputs zeros at masked steps, instead of the former output. */
  zeroOutputForMask?: boolean;
}

export const sequenceDefaults = {
  returnSequences: false, returnState: false, goBackwards: false, stateful: false, zeroOutputForMask: false,
} as const;

/** Options that say how to compute, not what; there is one way here. */
export const IGNORED = ["unroll", "implementation"];

export interface RecurrentOptions extends SequenceOptions {
  /**
   * Keeps only the states at every so many steps for the gradient and computes what lies between once more: long sequences
   * train in a fraction of the memory for a third more time.
   */
  checkpointEvery?: number | undefined;
  /** Layers on top of each other with weights `0/kernel`, `1/kernel` …; `dropout` is between them then. States come layer by layer. */
  numLayers?: number;
}

export type SimpleRNNOptions = SimpleRNNCellOptions & RecurrentOptions;
export type LSTMOptions = LSTMCellOptions & RecurrentOptions;
export type GRUOptions = GRUCellOptions & RecurrentOptions;

/** What every layer over time needs to know of its run. */
export interface SequenceRun {
  readonly trace: Trace;
  readonly label: string;
  readonly options: SequenceOptions;
  readonly call: CallOptions;
}

/** The steps that count: those given to the call, else those that the input brings along. */
export function stepsOf({ label, call }: SequenceRun, x: Tensor): Steps | undefined {
  if (call.lengths && call.mask) throw new ValueError(`${label}: expected lengths or a mask, got both`);
  const steps = call.lengths || call.mask ? { lengths: call.lengths, mask: call.mask } as Steps : x.steps;
  if (steps) checkSteps(label, steps, x.shape);
  return steps;
}

/** Where states are carried, if they are. A cell called by hand is not asked whether it is stateful: its states are the caller's. */
function storeOf({ options: { stream, stateful, windows } }: Trace, options: SequenceRun["options"]): StateStore | undefined {
  if (stream || options.stateful === undefined) return stream;
  return options.stateful ? stateful : windows;
}

/** States to start from: the caller's, those carried from the last run, or none, which means zeros. */
export function initialStates({ trace, label, options, call }: SequenceRun, names: readonly string[], shapes: readonly (readonly number[])[]): Tensor[] {
  if (call.initialState) {
    const { initialState } = call;
    if (!Array.isArray(initialState)) throw new ShapeError(`${label}: expected a list of ${shapes.length} initial states, got something else; put a single one in brackets`);
    const wrong = initialState.length !== shapes.length || initialState.some((state, i) => !sameShape(state.shape, shapes[i]));
    if (wrong) {
      throw new ShapeError(`${label}: expected ${shapes.length} initial states ${shapes.map(describe).join(", ")}, got ${initialState.map(({ shape }) => describe(shape)).join(", ") || "none"}`);
    }
    return [...initialState];
  }
  const store = storeOf(trace, options);
  if (!store) return [];
  return names.map((name, i) => {
    const carried = new Tensor(trace, shapes[i], "f32", store.state(trace, name, shapes[i]));
    if (!trace.options.gradients) return carried;
    const state = trace.tensor(shapes[i]); // the gradient reads it after its place has been written anew
    trace.copy(carried, state);
    return state;
  });
}

/** Writes final states where the next run will find them. */
export function carryStates({ trace, options }: SequenceRun, names: readonly string[], final: readonly Tensor[]): void {
  const store = storeOf(trace, options);
  if (!store) return;
  names.forEach((name, i) => {
    const place = new Tensor(trace, final[i].shape, "f32", store.state(trace, name, final[i].shape));
    trace.call("f32_copy", place.size, read(final[i]), write(place));
  });
}

/** How rows are read and where their outputs go. */
export const rowOrder = ({ options, call: { placement } }: SequenceRun): RowOrder => ({
  backwards: options.goBackwards,
  asRead: placement?.asRead && options.returnSequences,
  zeroMasked: options.zeroOutputForMask || placement?.zeroMasked,
});

/** Whether the layer gives every step's output. */
export const givesSequences = ({ trace, options }: SequenceRun): boolean => options.returnSequences === true || trace.options.stream !== undefined;

/** Puts output and states together as the options ask. */
export function results({ options }: SequenceRun, output: Tensor, final: readonly Tensor[]): Tensor | Tensor[] {
  return options.returnState ? [output, ...final] : output;
}

/** One cell of a stack, with its weights for inputs of so many features. */
export interface Stage {
  readonly kind: CellKind<any>;
  readonly config: CellOptions;
  weights(features: number): Readonly<Record<string, Tensor>>;
}

/** Names of the states of a stack, by layer: `h`, `c`, or `0/h`, `0/c`, `1/h` … */
export const stateNames = (stages: readonly Stage[]): string[] =>
  stages.flatMap(({ kind }, k) => kind.states.map((name) => (stages.length === 1 ? name : `${k}/${name}`)));

/** Dropout of one stage: of its input, and of the state in its recurrent product; the same at every step. */
export interface StageDropout {
  readonly input: Tensor | undefined;
  readonly state: Tensor | undefined;
}

/** Draws the dropout of every stage for an input [B, T, I]. */
export const drawDropout = (stages: readonly Stage[], [B, , I]: readonly number[]): StageDropout[] => stages.map(({ config }, k) => ({
  input: dropoutMask([B, 1, k === 0 ? I : stages[k - 1].config.units], config.dropout!),
  state: dropoutMask([B, config.units], config.recurrentDropout!),
}));

/** What a sequence gives. */
export interface SequenceResult {
  readonly output: Tensor;
  /** [B, H] each, in the caller's order of rows. */
  readonly final: Tensor[];
}

/** What is the same for all segments of a sequence. */
export interface SequenceSetting {
  /** Dropout between stages. */
  readonly between: number;
  readonly drops: readonly StageDropout[];
}

/**
 * Runs cells one after the other, each over the whole sequence and all over the same packed rows.
 *
 * @param before  [B, H] output of the step before the first, which masked steps repeat; zeros when absent
 */
export function runStages(
  run: SequenceRun, stages: readonly Stage[], x: Tensor, states: readonly Tensor[],
  { between, drops }: SequenceSetting = { between: 0, drops: drawDropout(stages, x.shape) }, before?: Tensor,
): SequenceResult {
  const { trace } = run;
  const [B, T] = x.shape;
  const rows = packRows(trace, B, T, stepsOf(run, x), rowOrder(run));
  const final: Tensor[] = [];
  let output = x;
  stages.forEach((stage, k) => {
    const own = states.slice(final.length, final.length + stage.kind.states.length);
    const sequence = runCell(run, stage, output, rows, own, drops[k], stages.length > 1 ? `${k}/` : "");
    final.push(...sequence.final.map((state) => unsortStates(trace, state, rows)));
    const last = k === stages.length - 1;
    if (last && !givesSequences(run)) output = lastOutput(trace, sequence.h, sequence.final[0], rows);
    // in a stream the output of the run before is the state it left
    else output = held(run, unpack(trace, sequence.h, rows), rows, trace.options.stream ? own[0] : last ? before : undefined);
    if (!last) output = dropout(output, between);
  });
  return { output, final };
}

/** Masked steps before the first valid one repeat the output before, where there is one. */
function held(run: SequenceRun, output: Tensor, { masked, place }: Rows, before: Tensor | undefined): Tensor {
  if (!before || !masked || rowOrder(run).zeroMasked) return output;
  const [B, T, H] = output.shape;
  return where(reshape(greaterEqual(place!, 0), [B, T, 1]), output, reshape(before, [B, 1, H]));
}

/** Runs one cell over packed rows. */
function runCell(
  { trace }: SequenceRun, { kind, config, weights }: Stage, input: Tensor, rows: Rows, states: readonly Tensor[],
  { input: dropped, state: drop }: StageDropout, prefix: string,
): Sequence {
  const [B, T, I] = input.shape;
  const x = dropped ? mul(input, dropped) : input;
  const sorted = states.map((state) => sortStates(trace, state, rows));
  const sequence = kind.run(config, { trace, weights: weights(I), x, rows, states: sorted, drop });
  exposeInner(trace, kind.gates(config), sequence, rows, [B, T, config.units], prefix);
  return sequence;
}

/** Names gates and states for `inspect`, each [B, T, H]. */
function exposeInner(trace: Trace, gates: readonly string[], sequence: Sequence, rows: Rows, [B, T, H]: readonly number[], prefix: string): void {
  if (!trace.options.inspect) return;
  const N = B * T;
  const width = sequence.gates.shape[1];
  const gateOf = (g: number): Tensor => {
    const gate = trace.tensor([N, H]);
    trace.call("f32_unpermute_gate", N, read(rows.count), gates.length, H, g, read(sequence.gates), width, write(gate), H);
    return unpack(trace, gate, rows);
  };
  // after the backward pass the gates' buffer holds the gradients of their pre-activations
  gates.forEach((name, g) => trace.expose(prefix + name, () => gateOf(g), () => gateOf(g)));
  const gradientOf = (inner: Tensor) => (tape: Tape): Tensor | undefined => {
    const gradient = tape.gradient(inner);
    return gradient && unpack(trace, gradient, rows);
  };
  for (const [name, inner] of Object.entries({ ...sequence.inner, h: sequence.h })) {
    trace.expose(prefix + name, () => unpack(trace, inner, rows), gradientOf(inner));
  }
}

/** Weights of layer k out of those of all: `kernel`, or `k/kernel` when there are several. */
function weightsOf(weights: Readonly<Record<string, Tensor>>, k: number, layers: number): Record<string, Tensor> {
  if (layers === 1) return { ...weights };
  const prefix = `${k}/`;
  return Object.fromEntries(Object.entries(weights).filter(([name]) => name.startsWith(prefix)).map(([name, weight]) => [name.slice(prefix.length), weight]));
}

/** The layer of a cell, or of several stacked. */
function recurrentLayer<C extends CellOptions>(kind: CellKind<C>): LayerDefinition<C & RecurrentOptions> {
  type Config = C & RecurrentOptions;
  return defineLayer<Config>({
    type: kind.type,
    prefix: kind.prefix,
    input: "sequence",
    defaults: { ...kind.defaults, ...sequenceDefaults, numLayers: 1, checkpointEvery: undefined } as LayerDefinition<Config>["defaults"],
    required: ["units"],
    ignored: IGNORED,
    normalize(config, label) {
      positive(label, "numLayers", config.numLayers, 1000); // more is a damaged file
      if (config.checkpointEvery !== undefined) positive(label, "checkpointEvery", config.checkpointEvery);
      return kind.normalize(config, label) as Config;
    },
    parameters(config, features) {
      const { numLayers = 1, units } = config;
      if (numLayers === 1) return kind.parameters(config, features);
      const layers = Array.from({ length: numLayers }, (_, k) => Object.entries(kind.parameters(config, k === 0 ? features : units)).map(([name, spec]) => [`${k}/${name}`, spec] as const));
      return Object.fromEntries(layers.flat());
    },
    unstreamable: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end (goBackwards)" : undefined),
    call({ trace, config, label, weights }, x, call) {
      const run: SequenceRun = { trace, label, options: config, call };
      const { numLayers = 1 } = config;
      // between layers, as in PyTorch, when there are several; else on the input, as in Keras
      const [own, between] = numLayers > 1 ? [{ ...config, dropout: 0 }, config.dropout!] : [config, 0];
      const stages = Array.from({ length: numLayers }, (_, k): Stage => ({ kind, config: own, weights: () => weightsOf(weights, k, numLayers) }));
      const names = stateNames(stages);
      const initial = initialStates(run, names, names.map(() => [x.shape[0], config.units]));
      const setting = { between, drops: drawDropout(stages, x.shape) };
      const { output, final } = runSegments(run, stages, x, initial, setting, config.checkpointEvery);
      carryStates(run, names, final);
      if (givesSequences(run)) output.steps = stepsOf(run, x);
      return results(run, output, final);
    },
  });
}

export const simpleRNN = recurrentLayer(simpleRnnCell);
export const lstm = recurrentLayer(lstmCell);
export const gru = recurrentLayer(gruCell);

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
      const shapes = kind.states.map(() => [B, config.units]);
      const run: SequenceRun = { trace, label, options: {}, call };
      const stage: Stage = { kind, config, weights: () => weights };
      const { output, final } = runStages(run, [stage], reshape(x, [B, 1, I]), initialStates(run, kind.states, shapes));
      return [output, ...final];
    },
  });
}

export const simpleRNNCell = cellLayer(simpleRnnCell);
export const lstmCellLayer = cellLayer(lstmCell);
export const gruCellLayer = cellLayer(gruCell);
