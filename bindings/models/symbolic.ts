/** Functional models: layers applied to symbolic tensors, which have a shape and no values. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import type { DType, Shape } from "../base/shape.ts";
import type { Structure } from "../graph/pytree.ts";
import { isRecord } from "../graph/pytree.ts";
import { isTensor, type Tensor } from "../graph/tensor.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { Trace } from "../graph/trace.ts";
import {
  callLayer,
  checkInputShape,
  layersOf,
  nameLayers,
  namingInputs,
  takesList,
  type Graph,
  type GraphInput,
  type InputShape,
  type ValueRef,
} from "./graph.ts";

/** Options of `input`. */
export interface InputOptions {
  /** Extents without the batch, null for any: `[null, 8]` for sequences of 8 features, `[null]` for tokens. */
  shape: InputShape;
  /** What records of inputs call it; `input`, `input_1`, … when absent. */
  name?: string | undefined;
  /** `"i32"` for tokens. @default "f32" */
  dtype?: "f32" | "i32" | undefined;
}

/** What a layer may be applied with, besides its input. */
export interface ApplyOptions {
  /** States that a recurrent layer starts from, [batch, units] each: `[h, c]` for an LSTM. */
  initialState?: readonly SymbolicTensor[] | undefined;
  /** Nonzero where a step is valid [batch, time]. */
  mask?: SymbolicTensor | undefined;
  /** Valid steps of each row [batch]. */
  lengths?: SymbolicTensor | undefined;
}

const APPLY_OPTIONS = ["initialState", "mask", "lengths"] satisfies (keyof ApplyOptions)[];

/** Symbolic tensors for what `call` gives: one, or a list of them. */
export type Applied<R> = 0 extends 1 & R // any
  ? any
  : R extends Tensor
    ? SymbolicTensor
    : SymbolicTensor[];

/** One use of a layer. */
interface Application {
  readonly layer: ModuleBase;
  readonly inputs: readonly SymbolicTensor[];
  readonly options: ApplyOptions;
  /** Later ones have larger numbers, so that they are an order in which all can run. */
  readonly serial: number;
}

/** A tensor of a model that is being described: it has a shape, no values. */
export class SymbolicTensor {
  /** Extents with the batch in front, null for any. */
  readonly shape: readonly (number | null)[];
  /** Floats or integers. */
  readonly dtype: DType;
  /** Name of an input. */
  readonly name: string | undefined;
  /** What made it; undefined for an input. @internal */
  readonly source: Application | undefined;
  /** Which of the outputs it is. @internal */
  readonly output: number;

  /** @internal */
  constructor(
    shape: readonly (number | null)[],
    dtype: DType,
    { name, source, output = 0 }: { name?: string | undefined; source?: Application; output?: number },
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.name = name;
    this.source = source;
    this.output = output;
  }
}

const INPUT_OPTIONS = ["shape", "name", "dtype"] satisfies (keyof InputOptions)[];

/**
 * An input of a functional model.
 *
 * @throws OptionError, ShapeError for options that are none
 * @example
 * const x = input({ shape: [null, 8] });
 */
export function input(options: InputOptions): SymbolicTensor {
  checkOptions("input", options, INPUT_OPTIONS);
  const { shape, name, dtype = "f32" } = options;
  checkInputShape("input", shape);
  if (dtype !== "f32" && dtype !== "i32")
    throw new OptionError(`input: expected dtype "f32" or "i32", got ${shown(dtype)}`);
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw new OptionError(`input: expected a name of at least one letter, got ${shown(name)}`);
  return new SymbolicTensor([null, ...shape.map((extent) => extent ?? null)], dtype, { name });
}

let applications = 0;

/** @throws OptionError for what is no symbolic tensor */
function checkSymbolic(subject: string, what: string, value: unknown): asserts value is SymbolicTensor {
  if (value instanceof SymbolicTensor) return;
  const hint = isTensor(value)
    ? "a traced tensor; inside a traced function, use call"
    : `${shown(value)}; input({ shape }) makes one`;
  throw new OptionError(`${subject}: expected ${what} as a symbolic tensor, got ${hint}`);
}

const described = ({ name, shape, source }: SymbolicTensor): string =>
  `${name ? `"${name}"` : (source?.layer.describe() ?? "an input")} [${shape.map(String).join(", ")}]`;

/** See {@link Module.apply}. */
export function applyLayer(
  layer: ModuleBase,
  given: SymbolicTensor | readonly SymbolicTensor[],
  options: ApplyOptions = {},
): SymbolicTensor | SymbolicTensor[] {
  const subject = layer.describe();
  if (layer.layerType?.startsWith("cells."))
    throw new OptionError(
      `${subject}: expected a layer to apply, got a cell, which is one step; use layers.rnn({ cell })`,
    );
  checkOptions(subject, options, APPLY_OPTIONS);
  const inputs = Array.isArray(given) ? (given as readonly SymbolicTensor[]) : [given as SymbolicTensor];
  if (inputs.length === 0) throw new ShapeError(`${subject}: expected at least one input, got an empty list`);
  for (const tensor of inputs) checkSymbolic(subject, "its input", tensor);
  if (layer.layerType && !takesList(layer) && inputs.length > 1)
    throw new ShapeError(`${subject}: expected one input, got a list of ${inputs.length}`);
  const { initialState, mask, lengths } = options;
  for (const tensor of initialState ?? []) checkSymbolic(subject, "initialState", tensor);
  if (mask !== undefined) checkSymbolic(subject, "mask", mask);
  if (lengths !== undefined) checkSymbolic(subject, "lengths", lengths);
  const source: Application = { layer, inputs, options, serial: applications++ };
  const outputs = namingInputs(inputs.map(described), () => outputsOf(source)).map(
    ({ shape, dtype }, output) => new SymbolicTensor(shape, dtype, { source, output }),
  );
  return outputs.length === 1 ? outputs[0] : outputs;
}

/** Shapes and types of what a layer gives: recorded twice, with other extents wherever any will do, which tells these apart. */
function outputsOf(source: Application): { shape: (number | null)[]; dtype: DType }[] {
  const first = record(source, 1);
  let second: Tensor[];
  try {
    second = record(source, 2);
  } catch {
    second = first; // a layer that wants the very extents it was given first: only the batch is free
  }
  return first.map(({ shape, dtype }, i) => ({
    shape: shape.map((extent, axis) => (axis === 0 || second[i].shape[axis] !== extent ? null : extent)),
    dtype,
  }));
}

/** Records a layer, and nothing else. @param any  extent wherever any will do */
function record({ layer, inputs, options: { initialState, mask, lengths } }: Application, any: number): Tensor[] {
  const trace = new Trace(layer.backend);
  const concrete = ({ shape, dtype }: SymbolicTensor): Tensor =>
    trace.pinned(shape.map((extent) => extent ?? any) as Shape, dtype);
  const options =
    initialState || mask || lengths
      ? {
          initialState: initialState?.map(concrete),
          mask: mask && concrete(mask),
          lengths: lengths && concrete(lengths),
        }
      : undefined;
  const result = trace.run(() => callLayer(layer, inputs.map(concrete), options));
  const outputs = Array.isArray(result) ? (result as unknown[]) : [result];
  const odd = outputs.find((output) => !isTensor(output));
  if (odd !== undefined)
    throw new OptionError(`${layer.describe()}: expected call to give a tensor, or a list of them, got ${shown(odd)}`);
  return outputs as Tensor[];
}

/** Tensors by name: one, a list, or a record of them. */
export type SymbolicTensors = SymbolicTensor | readonly SymbolicTensor[] | Readonly<Record<string, SymbolicTensor>>;

/** What `functional` is given. */
export interface FunctionalSpec<O extends SymbolicTensors = SymbolicTensors> {
  /** A list, whose names are those of the tensors, or a record. */
  inputs: SymbolicTensors;
  /** What the model gives: one, a list or a record. */
  outputs: O;
}

/** Tensors in the structure of symbolic ones; a list of one is one. */
export type TensorsOf<O> = 0 extends 1 & O // any
  ? Tensor
  : O extends SymbolicTensor | readonly [SymbolicTensor]
    ? Tensor
    : O extends readonly SymbolicTensor[]
      ? Tensor[]
      : { [K in keyof O]: Tensor };

/** The tensors of one, a list or a record, with the keys of a record. */
function tensorsOf(what: string, given: SymbolicTensors): { tensors: SymbolicTensor[]; keys: string[] | undefined } {
  const keyed = !(given instanceof SymbolicTensor) && !Array.isArray(given) && isRecord(given);
  const tensors = given instanceof SymbolicTensor ? [given] : Array.isArray(given) || keyed ? Object.values(given) : [];
  for (const tensor of tensors) checkSymbolic("functional", what, tensor);
  if (tensors.length === 0)
    throw new OptionError(
      `functional: expected ${what} as a tensor, or a list or a record of them, got ${shown(given)}`,
    );
  return { tensors: tensors as SymbolicTensor[], keys: keyed ? Object.keys(given) : undefined };
}

/** Every use of a layer that outputs depend on, in an order in which they can run. */
function applicationsOf(outputs: readonly SymbolicTensor[]): Application[] {
  const found = new Set<Application>();
  const waiting = [...outputs];
  for (let tensor = waiting.pop(); tensor; tensor = waiting.pop()) {
    const { source } = tensor;
    if (!source || found.has(source)) continue;
    found.add(source);
    waiting.push(...argumentsOf(source));
  }
  return [...found].sort((a, b) => a.serial - b.serial);
}

const argumentsOf = ({ inputs, options: { initialState = [], mask, lengths } }: Application): SymbolicTensor[] => [
  ...inputs,
  ...initialState,
  ...(mask ? [mask] : []),
  ...(lengths ? [lengths] : []),
];

/** Names of the inputs: the keys of a record, else their own, else `input`, `input_1`, … */
function inputNames(tensors: readonly SymbolicTensor[], keys: readonly string[] | undefined): string[] {
  let unnamed = 0;
  return tensors.map(({ name }, i) => {
    const own = keys?.[i] ?? name;
    if (own !== undefined) return own;
    const count = unnamed++;
    return count === 0 ? "input" : `input_${count}`;
  });
}

function structureOf(given: SymbolicTensors, keys: readonly string[] | undefined): Structure {
  const leaf = (index: number): Structure => ({ kind: "leaf", index });
  const items = given instanceof SymbolicTensor ? 1 : Object.keys(given).length;
  if (!keys && items === 1) return leaf(0); // a list of one is one, as in Keras
  if (!keys) return { kind: "list", items: (given as readonly SymbolicTensor[]).map((_, i) => leaf(i)) };
  return { kind: "record", items: keys.map((key, i) => [key, leaf(i)]) };
}

/** The graph between inputs and outputs. @throws OptionError for outputs that depend on an input that is not listed */
export function graphOf({ inputs, outputs }: FunctionalSpec): Graph {
  const { tensors: given, keys: inputKeys } = tensorsOf("inputs", inputs);
  const { tensors: results, keys: outputKeys } = tensorsOf("outputs", outputs);
  const computed = given.find(({ source }) => source);
  if (computed)
    throw new OptionError(
      `functional: expected inputs made by input({ shape }), got an output of ${computed.source!.layer.describe()}`,
    );
  const applied = applicationsOf(results);
  const names = inputNames(given, inputKeys);
  const steps = new Map<SymbolicTensor | Application, number>(given.map((tensor, i) => [tensor, i]));
  applied.forEach((application, i) => steps.set(application, given.length + i));
  const ref = (tensor: SymbolicTensor): ValueRef => {
    const step = steps.get(tensor.source ?? tensor);
    if (step === undefined)
      throw new OptionError(
        `functional: expected inputs to list every input that outputs depend on, got none for ${described(tensor)}`,
      );
    return { step, output: tensor.output };
  };
  const graph: Graph = {
    chain: false,
    inputs: given.map(({ shape, dtype }, i): GraphInput => ({
      name: names[i],
      shape: shape.slice(1),
      dtype: dtype as GraphInput["dtype"],
    })),
    calls: applied.map(({ layer, inputs: taken, options: { initialState, mask, lengths } }) => ({
      layer,
      inputs: taken.map(ref),
      initialState: initialState?.map(ref),
      mask: mask && ref(mask),
      lengths: lengths && ref(lengths),
    })),
    structure: structureOf(outputs, outputKeys),
    outputs: results.map(ref),
  };
  if (graph.calls.length === 0) throw new OptionError("functional: expected outputs of at least one layer, got inputs");
  nameLayers("functional", layersOf(graph), names);
  return graph;
}
