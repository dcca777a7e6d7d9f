/** Runs a saved model in all ways there are and describes each result, to compare two versions of the package. */
import { createHash } from "node:crypto";
import type { ArrayRecord, History, Module, NDArray, Model } from "../../../bindings/index.ts";
import type { Gatewise, Input, OlderModel, Training } from "./model.ts";

/** Results by name, each described by {@link describeArrays}. */
export type Recording = Record<string, string>;

type Numbers = Pick<NDArray, "shape"> & { readonly data: Float32Array | Float64Array };

/**
 * Arrays as a line of text: their size, their first numbers, and a hash of names, shapes and all bits. The
 * order of names makes no difference.
 */
export function describeArrays(arrays: Readonly<Record<string, Numbers>>): string {
  const hash = createHash("sha256");
  const rows = Object.entries(arrays).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data, shape }] of rows) {
    hash.update(`${name} ${shape.join("×")}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const size = rows.length === 1 ? `[${rows[0][1].shape.join(", ")}]` : `${rows.length} arrays`;
  const first = rows.flatMap(([, { data }]) => [...data.subarray(0, 3)]).slice(0, 3);
  return `${size} ${first.map((value) => value.toPrecision(6)).join(", ")} … ${hash.digest("hex").slice(0, 24)}`;
}

const listed = (outputs: readonly NDArray[]): ArrayRecord =>
  Object.fromEntries(outputs.map((array, i) => [`${i}`, array]));

/** The outputs of `predict`. */
export const describeOutputs = (outputs: NDArray | readonly NDArray[]): string =>
  describeArrays(listed([outputs].flat()));

const numbers = (values: readonly number[]): Record<string, Numbers> => ({
  "": { data: Float64Array.from(values), shape: [values.length] },
});

const described = (prefix: string, arrays: ArrayRecord): Recording =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [`${prefix} ${name}`, describeArrays({ "": array })]),
  );

/** Rows first … end − 1 of an array. */
function rowsOf({ data, shape: [rows, ...extents] }: Input, first: number, end: number): Input {
  const width = data.length / rows;
  return { data: data.slice(first * width, end * width), shape: [end - first, ...extents] };
}

/** The model of a file. The caller disposes it. */
export function openOlder(gatewise: Gatewise, older: OlderModel, bytes: Uint8Array): Module {
  if (!older.subclass) return gatewise.loadModel(bytes);
  const model = older.make(gatewise);
  model.load(bytes);
  return model;
}

function predictions(model: Module, { x, steps, stateful }: OlderModel): Recording {
  const results: Recording = { predict: describeOutputs(model.predict(x)) };
  if (steps) results["predict with padding"] = describeOutputs(model.predict(x, steps));
  if (!stateful) return results;
  results["predict from the states left"] = describeOutputs(model.predict(x));
  (model as Model).resetStates();
  return results;
}

/** One row by `process`, a block and single steps, then all rows side by side by `step`. */
function streamed(model: Model, x: Input): Recording {
  const [rows, steps] = x.shape;
  const width = x.data.length / (rows * steps);
  const one = model.stream({ block: 4 });
  const processed = one.process(rowsOf(x, 0, 1).data);
  const states = one.getState();
  one.dispose();
  const all = model.stream({ batch: rows });
  const frame = (t: number): number[] =>
    Array.from({ length: rows * width }, (_, i) => x.data[(Math.floor(i / width) * steps + t) * width + (i % width)]);
  const stepped = [0, 1, 2].map((t): NDArray => ({ data: all.step(frame(t)).slice(), shape: [all.outputSize] }));
  all.dispose();
  return {
    "stream.process": describeArrays({ "": { data: processed, shape: [processed.length] } }),
    "stream.getState": describeArrays(states),
    "stream.step": describeArrays(listed(stepped)),
  };
}

/** Losses, metrics and weights of a training that goes on from the file. */
async function trained(model: Module, x: Input, { y, compile, fit }: Training): Promise<Recording> {
  model.compile(compile);
  const first = model.trainOnBatch(x, y);
  const { history } = (await model.fit(x, y, { epochs: 2, batchSize: 2, ...fit })) as History;
  const scores = model.evaluate(x, y) as Record<string, number>;
  return {
    trainOnBatch: describeArrays(numbers(Object.values(first))),
    ...Object.fromEntries(
      Object.entries(history).map(([name, values]) => [`history ${name}`, describeArrays(numbers(values))]),
    ),
    evaluate: describeArrays(numbers(Object.values(scores))),
    ...described("trained", model.getWeights()),
  };
}

/** Everything that a saved model computes on the build that is in use. */
export async function recordModel(gatewise: Gatewise, older: OlderModel, bytes: Uint8Array): Promise<Recording> {
  const fresh = older.make(gatewise);
  const initial = describeArrays(fresh.getWeights());
  fresh.dispose();
  const model = openOlder(gatewise, older, bytes);
  try {
    const training = older.training?.(gatewise);
    const results: Recording = {
      "initial weights": initial,
      "loaded weights": describeArrays(model.getWeights()),
      ...predictions(model, older),
    };
    if (older.streams) Object.assign(results, streamed(model as Model, older.x));
    results.inspect = describeArrays(model.inspect(older.x));
    if (training) Object.assign(results, await trained(model, older.x, training));
    return results;
  } finally {
    model.dispose();
  }
}

/** The file of a model: after two updates where it is trained, with the state of its optimizer. */
export function saveOlder(gatewise: Gatewise, older: OlderModel): Uint8Array {
  const model = older.make(gatewise);
  try {
    const training = older.training?.(gatewise);
    if (!training) return model.save();
    model.compile(training.compile);
    for (let update = 0; update < 2; update++) model.trainOnBatch(older.x, training.y);
    return model.save({ optimizer: true });
  } finally {
    model.dispose();
  }
}
