// Counts the arithmetic of a workload.
import { GATES } from "./workloads.mjs";

/**
 * Matrix products per call as [rows, weights, times]: the rows that a weight serves once it is read, the number of
 * weights, and how often the product runs. A layer over tokens projects each token once. Training adds the products of
 * the gradients.
 */
function productsOf({ kind, B, T, layers, features }) {
  const training = kind === "train";
  let [I, rows] = [features, B * T];
  return layers.flatMap((layer, i) => {
    const [inputs, H, G] = [I, layer.units, GATES[layer.type] ?? 1];
    I = H;
    if (layer.type === "embedding") {
      rows = Math.min(layer.tokens, rows);
      return [];
    }
    // forward, the weights' gradient, and the input's unless that is the data
    const passes = training ? (i === 0 ? 2 : 3) : 1;
    const projection = [rows, inputs * G * H, passes];
    rows = layer.sequences === false ? B : B * T;
    return layer.type === "dense" ? [projection] : [projection, [B, H * G * H, training ? 3 * T : T]];
  });
}

/** The arithmetic per call, for bench/support/bound.ts. */
export function arithmetic(workload) {
  const { kind, B, T, layers } = workload;
  const products = productsOf(workload);
  const macs = (list) => list.reduce((sum, [rows, weights, times]) => sum + rows * weights * times, 0);
  const single = products.filter(([rows]) => rows === 1);
  const perUnit = { simpleRNN: 1, lstm: kind === "train" ? 6 : 5, gru: 3 };
  return {
    blocked: macs(products.filter(([rows]) => rows > 1)),
    single: macs(single),
    bytes: single.reduce((sum, [, weights]) => sum + 4 * weights, 0),
    curves: layers.reduce((sum, { type, units }) => sum + B * T * units * (perUnit[type] ?? 0), 0),
  };
}
