/** A model as a graph: inputs, then calls of layers in the order in which they run. `sequential` is the chain. */
import { GatewiseError, OptionError, ShapeError } from "../base/errors.ts";
import { quoted, shown } from "../base/formatting.ts";
import { describe, type DType } from "../base/shape.ts";
import { rebuild, type Structure } from "../graph/pytree.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isModule, type ModuleBase } from "../module/module_base.ts";

/** Extents without the batch, null for any. */
export type InputShape = readonly (number | null)[];

/** What a model takes. */
export interface GraphInput {
  readonly name: string;
  /** Undefined while a chain has not seen its input. */
  readonly shape: InputShape | undefined;
  readonly dtype: Exclude<DType, "i8">;
}

/** A tensor of the graph: inputs count as the first steps, calls as those after them. */
export interface ValueRef {
  readonly step: number;
  readonly output: number;
}

/** Tensors of the graph that a call takes besides its inputs. */
export interface GraphCallOptions {
  readonly initialState?: readonly ValueRef[] | undefined;
  readonly mask?: ValueRef | undefined;
  readonly lengths?: ValueRef | undefined;
}

/** One use of a layer. */
export interface GraphCall extends GraphCallOptions {
  readonly layer: ModuleBase;
  readonly inputs: readonly ValueRef[];
}

export interface Graph {
  /** Made by `sequential`: whatever the last layer gives is what the model gives. */
  readonly chain: boolean;
  readonly inputs: readonly GraphInput[];
  readonly calls: readonly GraphCall[];
  /** What stands around the outputs: nothing, a list or a record. */
  readonly structure: Structure;
  readonly outputs: readonly ValueRef[];
}

/** Each layer of a graph once, in the order of first use. */
export const layersOf = ({ calls }: Pick<Graph, "calls">): ModuleBase[] => [
  ...new Set(calls.map(({ layer }) => layer)),
];

/** Whether a layer takes a list of tensors as its input. */
export const takesList = (layer: ModuleBase): boolean => layer.inputKind === "list";

/** Type of what a layer takes. */
export const inputTypeOf = (layer: ModuleBase): GraphInput["dtype"] => (layer.inputKind === "tokens" ? "i32" : "f32");

/**
 * Gives layers without a name one by their kind, numbered within the model as in Keras: `lstm`, `lstm_1`.
 *
 * @param taken  names of the model's inputs
 * @throws OptionError for two layers, or a layer and an input, of the same name
 */
export function nameLayers(subject: string, layers: readonly ModuleBase[], taken: readonly string[] = []): void {
  const counts = new Map<string, number>();
  for (const layer of layers) {
    if (layer.layerName) continue;
    const prefix = layer.namePrefix;
    const count = counts.get(prefix) ?? 0;
    counts.set(prefix, count + 1);
    layer.layerName = count === 0 ? prefix : `${prefix}_${count}`;
  }
  const names = [...taken, ...layers.map(({ layerName }) => layerName!)];
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new OptionError(`${subject}: expected layers of different names, got ${quoted(twice)} twice`);
}

/** @throws OptionError for what is no list of layers */
function checkLayers(layers: readonly ModuleBase[]): void {
  if (!Array.isArray(layers) || layers.length === 0)
    throw new OptionError(
      `sequential: expected a list of at least one layer, got ${Array.isArray(layers) ? "an empty one" : typeof layers}`,
    );
  const odd = layers.findIndex((layer) => !isModule(layer));
  if (odd >= 0)
    throw new OptionError(
      `sequential: expected layers, such as layers.dense({ units: 1 }), got ${typeof layers[odd]} at ${odd}`,
    );
}

/** @throws OptionError for states that no layer would take */
function checkStates(layers: readonly ModuleBase[]): void {
  const early = layers.slice(0, -1).find((layer) => layer.givesStates);
  if (early)
    throw new OptionError(
      `${early.describe()}: expected returnState only in the last layer of a sequential, got it before`,
    );
}

/** @throws ShapeError for what is no inputShape */
export function checkInputShape(subject: string, shape: InputShape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${subject}: expected an inputShape such as [null, 8], got ${shown(shape)}`);
  if (shape.every((extent) => extent === null || extent === undefined || (Number.isInteger(extent) && extent > 0)))
    return;
  throw new ShapeError(
    `${subject}: expected an inputShape of positive integers and nulls, got [${Array.from(shape, shown).join(", ")}]`,
  );
}

/** One layer after the other. @throws OptionError for what is no list of layers, or layers of the same name */
export function chainOf(layers: readonly ModuleBase[], shape: InputShape | undefined): Graph {
  checkLayers(layers);
  nameLayers("sequential", layers);
  checkStates(layers);
  return {
    chain: true,
    inputs: [{ name: "input", shape, dtype: inputTypeOf(layers[0]) }],
    calls: layers.map((layer, i) => ({ layer, inputs: [{ step: i, output: 0 }] })),
    structure: { kind: "leaf", index: 0 },
    outputs: [{ step: layers.length, output: 0 }],
  };
}

/** What a step of a graph is called. */
export const stepName = ({ inputs, calls }: Graph, step: number): string =>
  step < inputs.length ? inputs[step].name : calls[step - inputs.length].layer.layerName!;

/** Which of its layers needs the whole sequence, and why; undefined for a graph that runs step by step. */
export function wholeSequenceIn(graph: Graph): string | undefined {
  for (const { layer, initialState, lengths } of graph.calls) {
    if (layer.unstreamable) return layer.unstreamable;
    if (initialState) return `${layer.describe()}: its initial states come from other tensors`;
    if (lengths) return `${layer.describe()}: its lengths come from another tensor`;
  }
  const state = [...graph.calls.flatMap(({ inputs }) => inputs), ...graph.outputs].find(({ output }) => output > 0);
  return state && `${stepName(graph, state.step)}: its final states are used`;
}

/** What each layer is applied to, by its name: `lstm, x`; of a layer that is used several times the uses apart. */
export function joinsOf(graph: Graph): Map<string, string> {
  const joins = new Map<string, string>();
  for (const { layer, inputs, initialState = [], mask, lengths } of graph.calls) {
    const refs = [...inputs, ...initialState, ...[mask, lengths].filter((ref) => ref !== undefined)];
    const use = refs.map(({ step }) => stepName(graph, step)).join(", ");
    const before = joins.get(layer.layerName!);
    joins.set(layer.layerName!, before === undefined ? use : `${before}; ${use}`);
  }
  return joins;
}

/** Runs `fn`. @throws what it throws, with the inputs of the layer added to the message */
export function namingInputs<R>(inputs: readonly string[], fn: () => R): R {
  try {
    return fn();
  } catch (error) {
    if (error instanceof GatewiseError) error.message += `; its input is ${inputs.join(" and ")}`;
    throw error;
  }
}

/** Calls a layer as its kind wants it: with a list, or with each input as an argument. */
export function callLayer(layer: ModuleBase, inputs: readonly Tensor[], options: object | undefined): unknown {
  const args: unknown[] = takesList(layer) ? [inputs] : [...inputs];
  return (layer as AnyCall).call(...args, ...(options ? [options] : []));
}

type AnyCall = { call(...args: unknown[]): unknown };

/** Records a chain: each layer takes all that the one before gives. @param more  for the first layer, such as initial states */
const runChain = ({ calls }: Graph, input: unknown, more: readonly unknown[]): unknown =>
  calls.reduce((value, { layer }, i) => (layer as AnyCall).call(value, ...(i === 0 ? more : [])), input);

/** Records every call of a graph. @returns what the model gives */
export function runGraph(graph: Graph, inputs: readonly Tensor[], more: readonly unknown[]): unknown {
  if (graph.chain) return runChain(graph, inputs[0], more);
  const values: unknown[][] = inputs.map((input) => [input]);
  const at = ({ step, output }: ValueRef): Tensor => values[step][output] as Tensor;
  const optionsOf = ({ initialState, mask, lengths }: GraphCall): object | undefined =>
    initialState || mask || lengths
      ? { initialState: initialState?.map(at), mask: mask && at(mask), lengths: lengths && at(lengths) }
      : undefined;
  for (const call of graph.calls) {
    const result = namingInputs(call.inputs.map(nameOf(graph, values)), () =>
      callLayer(call.layer, call.inputs.map(at), optionsOf(call)),
    );
    values.push(Array.isArray(result) ? (result as unknown[]) : [result]);
  }
  return rebuild(graph.structure, (i) => at(graph.outputs[i]));
}

/** Says where a tensor comes from, and its shape. */
const nameOf =
  (graph: Graph, values: readonly unknown[][]) =>
  ({ step, output }: ValueRef): string =>
    `"${stepName(graph, step)}" ${describe((values[step][output] as Tensor).shape)}`;
