// ONNX Runtime, Web and native: one thread, all of its optimizations, input tensors made once.
import { Refusal } from "../protocol.mjs";
import { onnxModel } from "./onnx.mjs";

/** x [B, T, …] in the order [T, B, …]. */
function timeFirst({ shape: [B, T], data }) {
  const width = data.length / (B * T);
  return data.map((_, k) => {
    const [row, column] = [Math.floor(k / width), k % width];
    return data[((row % B) * T + Math.floor(row / B)) * width + column];
  });
}

const batchFirst = (data, { B, T }) => timeFirst({ shape: [T, B], data });

export async function prepareOrt({ InferenceSession, Tensor }, options, { workload, weights, x, frames }) {
  if (workload.kind === "train") throw new Refusal("it does not train");
  const { bytes, states } = onnxModel(workload, weights);
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "all", ...options });
  const tensor = (data, shape) => new Tensor(data instanceof Int32Array ? "int32" : "float32", data, shape);
  const release = () => session.release();
  const { B, T, features, layers } = workload;
  if (workload.kind === "predict") {
    const feeds = { x: tensor(timeFirst(x), features > 0 ? [T, B, features] : [T, B]) };
    const run = () => session.run(feeds);
    const inOrder = (data) => (layers.some(({ sequences }) => sequences === false) ? data : batchFirst(data, workload));
    return { isAsync: true, run, release, outputs: async () => inOrder((await run()).y.data) };
  }
  const feeds = Object.fromEntries(
    states.map(({ input, units }) => [input, tensor(new Float32Array(units), [1, 1, units])]),
  );
  const shape = features > 0 ? [1, 1, features] : [1, 1];
  async function step(frame) {
    feeds.x = tensor(frame, shape);
    const results = await session.run(feeds);
    for (const { input, output } of states) feeds[input] = results[output];
    return results.y.data;
  }
  async function outputs() {
    const all = [];
    for (const frame of frames) all.push(...(await step(frame)));
    return Float32Array.from(all);
  }
  return { isAsync: true, run: () => step(frames[0]), release, outputs };
}
