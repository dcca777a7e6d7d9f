/** Numbers written into Keras' own tests, and fixtures of Keras 2.0, whose hard sigmoid is another. */
import type { ArrayInput, Module, NDArray, Tensor } from "../../../bindings/index.ts";
import { jit } from "../../../bindings/index.ts";
import { kerasLayer, setOrdered, type KerasObject } from "./objects.ts";
import { assertNumbers } from "../case.ts";

interface Written {
  name: string;
  layer: KerasObject;
  weights: { shape: number[]; values: never[] }[];
  steps: {
    do: "call" | "reset_state";
    x: number[][][];
    mask?: boolean[][];
    initial_state?: number[][] | number[][][];
  }[];
  compare: { output: number[]; batch_index?: number };
  expected: never[];
  atol: number;
}

const numbers = (nested: readonly unknown[]): number[] => nested.flat(Infinity) as number[];

/** An array for each state; a single one stands by itself. */
function statesOf(given: number[][] | number[][][] | undefined): ArrayInput[] | undefined {
  if (!given) return undefined;
  const states = Array.isArray(given[0][0]) ? (given as number[][][]) : [given as number[][]];
  return states.map((state) => ({ data: numbers(state), shape: [state.length, state[0].length] }));
}

/** Calls a layer as `predict` does, with states and a mask too. */
function caller(layer: Module): (x: ArrayInput, mask?: ArrayInput, states?: ArrayInput[]) => NDArray[] {
  const call = jit(layer, (x: Tensor, mask?: Tensor, initialState?: Tensor[]) =>
    [layer.call(x, { mask, initialState })].flat(),
  );
  return (x, mask, states) => call(x, mask, states) as NDArray[];
}

function runWritten({ name, layer: object, weights, steps, compare, expected, atol }: Written): void {
  const layer = kerasLayer(object);
  const call = caller(layer);
  call(steps[0].x); // builds the layer
  setOrdered(
    layer,
    weights.map(({ values, shape }) => ({ data: numbers(values), shape })),
  );
  layer.resetStates();
  let outputs: NDArray[] = [];
  for (const { do: job, x, mask, initial_state: states } of steps) {
    if (job === "reset_state") layer.resetStates();
    else
      outputs = call(
        x,
        mask?.map((row) => row.map(Number)),
        statesOf(states),
      );
  }
  const { data, shape } = outputs[compare.output[0] ?? 0];
  const row = data.length / shape[0];
  const seen =
    compare.batch_index === undefined
      ? data
      : data.subarray(compare.batch_index * row, (compare.batch_index + 1) * row);
  assertNumbers(name, seen, numbers(expected), Math.max(atol, 1e-5));
  layer.dispose();
}

interface Flat {
  data: number[];
  shape: number[];
}

interface Fixture {
  name: string;
  layer: KerasObject;
  weights: Flat[];
  input: Flat;
  calls: number;
  expected: Flat;
}

/** Keras 2's hard sigmoid has a name of its own here. */
function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renamed(item)]));
  return value === "hard_sigmoid" ? "hard_sigmoid_keras2" : value;
}

function runFixture({ name, layer: object, weights, input, calls, expected }: Fixture): void {
  const layer = kerasLayer(renamed(object) as KerasObject);
  const call = caller(layer);
  const tokens = object.class_name === "Embedding";
  const x = { data: tokens ? Int32Array.from(input.data) : Float32Array.from(input.data), shape: [1, ...input.shape] };
  call(x); // builds the layer
  setOrdered(layer, weights);
  layer.resetStates();
  let outputs: NDArray[] = [];
  for (let i = 0; i < calls; i++) outputs = call(x);
  assertNumbers(name, outputs[0].data, expected.data, 1e-5);
  layer.dispose();
}

/** What runs the cases of each file. */
export const WRITTEN: Readonly<Record<string, (written: any) => void>> = {
  "keras-cases.json": runWritten,
  "keras2-cases.json": runFixture,
};
