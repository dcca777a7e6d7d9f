// Loops by hand in plain JavaScript (bench/baseline).
import { PlainModel } from "../../baseline/model.ts";
import { Refusal } from "../protocol.mjs";

export const name = () => "plain JavaScript";

/** Outputs of the plain model, whose rows are [T, B], in the order [B, T]. */
function batchFirst(data, { B, T }) {
  const width = data.length / (B * T);
  return data.map((_, k) => data[((Math.floor(k / width) % T) * B + Math.floor(k / width / T)) * width + (k % width)]);
}

export function prepare({ workload, weights, x, y, frames, updates }) {
  const { kind, layers, B, T, features, loss, optimizer } = workload;
  if (layers.some(({ resetAfter }) => resetAfter === false)) throw new Refusal("its GRU resets after the product");
  const model = new PlainModel(
    layers,
    weights.map((arrays) => arrays.map(({ data }) => data)),
    { B, T, features },
  );
  if (kind === "stream") {
    return {
      run: () => model.step(frames[0]),
      outputs: () => Float32Array.from(frames.flatMap((frame) => [...model.step(frame)])),
    };
  }
  if (kind === "predict") {
    const run = () => model.forward(x.data);
    return {
      run,
      outputs: () => (layers.some(({ sequences }) => sequences === false) ? run() : batchFirst(run(), workload)),
    };
  }
  // targets of every step need the order of the outputs
  const target =
    y.data.length === B ? y.data : Int32Array.from(y.data, (_, k) => y.data[(k % B) * T + Math.floor(k / B)]);
  const run = () => model.train(x.data, target, loss, optimizer);
  return { run, outputs: () => Float32Array.from({ length: updates }, run) };
}
