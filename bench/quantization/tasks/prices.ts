import { layers, sequential, type NDArray } from "../../../bindings/index.ts";
import { Random } from "../../../bindings/base/random.ts";
import { readData, type Task } from "./task.ts";

const [T, BATCH, SEEN] = [10, 64, 0.8];

/** Two LSTMs predict a price from those of the ten days before; the last fifth is unseen. */
export function prices(): Task {
  const lines = readData("power_prices.csv").trim().split("\n").slice(1);
  const series = Float32Array.from(lines, (line) => Number(line.split(",")[1]));
  const split = Math.floor(series.length * SEEN);
  const [least, most] = [Math.min(...series.subarray(0, split)), Math.max(...series.subarray(0, split))];
  const scaled = series.map((price) => (price - least) / (most - least));
  /** Windows [n, T, 1] that start at `first` on, and the prices that follow [n, 1]. */
  function windows(first: number, end: number): { x: NDArray<Float32Array>; y: NDArray<Float32Array> } {
    const n = end - first - T;
    const x = Float32Array.from({ length: n * T }, (_, i) => scaled[first + Math.floor(i / T) + (i % T)]);
    return { x: { data: x, shape: [n, T, 1] }, y: { data: scaled.slice(first + T, end), shape: [n, 1] } };
  }
  const [seen, unseen] = [windows(0, split), windows(split, series.length)];
  const model = sequential(
    [layers.lstm({ units: 50, returnSequences: true }), layers.lstm({ units: 50 }), layers.dense({ units: 1 })],
    { seed: 3, inputShape: [T, 1] },
  );
  model.compile({ optimizer: "adam", loss: "mse" });
  const random = new Random(3);
  return {
    name: "LSTM(50) → LSTM(50) on daily prices, RMSE",
    model,
    train() {
      const rows = Array.from({ length: BATCH }, () => random.below(seen.y.data.length));
      const x = Float32Array.from({ length: BATCH * T }, (_, i) => seen.x.data[rows[Math.floor(i / T)] * T + (i % T)]);
      const y = Float32Array.from(rows, (row) => seen.y.data[row]);
      model.trainOnBatch({ data: x, shape: [BATCH, T, 1] }, { data: y, shape: [BATCH, 1] });
    },
    score(each) {
      const { data } = each.predict(unseen.x);
      const squares = data.reduce((sum, value, i) => sum + (value - unseen.y.data[i]) ** 2, 0);
      return Math.sqrt(squares / data.length) * (most - least);
    },
  };
}
