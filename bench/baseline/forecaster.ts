/** A training step of LSTM(50) → LSTM(50) → Dense(1) on windows, as a person would write it. */
import { PlainAdam, PlainLstm, type LstmWeights } from "./lstm.ts";

/** Arrays by the names that gatewise gives them. */
type Weights = Record<string, { data: Float32Array }>;

const lstmWeights = (weights: Weights, layer: string): LstmWeights => ({
  kernel: weights[`${layer}/kernel`].data.slice(),
  recurrent: weights[`${layer}/recurrent_kernel`].data.slice(),
  bias: weights[`${layer}/bias`].data.slice(),
});

export class PlainForecaster {
  private readonly first: PlainLstm;
  private readonly second: PlainLstm;
  private readonly kernel: Float32Array;
  private readonly bias: Float32Array;
  private readonly dKernel: Float32Array;
  private readonly dBias = new Float32Array(1);
  private readonly optimizers: [weights: Float32Array, gradients: Float32Array, adam: PlainAdam][];
  private readonly shape: { B: number; T: number; H: number };
  private steps = 0;

  constructor(weights: Weights, { B, T, I, H }: { B: number; T: number; I: number; H: number }) {
    this.shape = { B, T, H };
    this.first = new PlainLstm(lstmWeights(weights, "lstm"), { B, T, I, H });
    this.second = new PlainLstm(lstmWeights(weights, "lstm_1"), { B, T, I: H, H });
    this.kernel = weights["dense/kernel"].data.slice();
    this.bias = weights["dense/bias"].data.slice();
    this.dKernel = new Float32Array(H);
    const pairs: [Float32Array, Float32Array][] = [[this.kernel, this.dKernel], [this.bias, this.dBias]];
    for (const { weights: w, gradients: d } of [this.first, this.second]) pairs.push([w.kernel, d.kernel], [w.recurrent, d.recurrent], [w.bias, d.bias]);
    this.optimizers = pairs.map(([w, d]) => [w, d, new PlainAdam(w.length)]);
  }

  /**
   * One update towards the mean squared error.
   *
   * @param x  [T, B, I]
   * @param y  [B]
   * @returns the loss before the update
   */
  step(x: Float32Array, y: Float32Array): number {
    const { B, T, H } = this.shape;
    const h1 = this.first.forward(x);
    const last = this.second.forward(h1).subarray((T - 1) * B * H);
    const dh = new Float32Array(T * B * H);
    let loss = 0;
    for (let b = 0; b < B; b++) {
      let prediction = this.bias[0];
      for (let j = 0; j < H; j++) prediction += last[b * H + j] * this.kernel[j];
      const error = prediction - y[b];
      loss += error * error / B;
      const d = 2 * error / B;
      this.dBias[0] += d;
      for (let j = 0; j < H; j++) {
        this.dKernel[j] += d * last[b * H + j];
        dh[((T - 1) * B + b) * H + j] = d * this.kernel[j];
      }
    }
    const dh1 = new Float32Array(T * B * H);
    this.second.backward(h1, dh, dh1);
    this.first.backward(x, dh1);
    this.steps++;
    for (const [weights, gradients, adam] of this.optimizers) adam.update(weights, gradients, this.steps);
    return loss;
  }
}
