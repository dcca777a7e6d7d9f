/** A stack of layers in plain JavaScript: what a person would write to run and to train one model of one shape. */
import { PlainGru, PlainLstm, PlainSimpleRnn } from "./cells.ts";
import { addTransposed, gemm, transpose } from "./gemm.ts";
import { PlainAdam, PlainRmsprop, type PlainOptimizer } from "./optimizers.ts";
import type { PlainRecurrent } from "./recurrent.ts";

export interface PlainLayer {
  readonly type: "embedding" | "simpleRNN" | "lstm" | "gru" | "dense";
  readonly units: number;
  /** Whether a recurrent layer gives every step. */
  readonly sequences?: boolean;
  readonly activation?: "linear" | "sigmoid";
}

export interface PlainShape {
  readonly B: number;
  readonly T: number;
  /** 0 when the input is tokens. */
  readonly features: number;
}

type Loss = "meanSquaredError" | "binaryCrossentropy" | "sparseCategoricalCrossentropy";

/** One layer over rows in the order [T, B]. */
interface Part {
  readonly arrays: readonly [weights: Float32Array, gradients: Float32Array][];
  forward(x: Float32Array): Float32Array;
  /** @returns the gradient of x, where `wanted` */
  backward(x: Float32Array, dy: Float32Array, wanted: boolean): Float32Array | undefined;
  refresh?(): void;
  carry?(): void;
}

function embedding(table: Float32Array, rows: number, E: number): Part {
  const gradient = new Float32Array(table.length);
  const out = new Float32Array(rows * E);
  return {
    arrays: [[table, gradient]],
    forward(x) {
      for (let n = 0; n < x.length; n++) for (let j = 0; j < E; j++) out[n * E + j] = table[x[n] * E + j];
      return out;
    },
    backward(x, dy) {
      for (let n = 0; n < x.length; n++) for (let j = 0; j < E; j++) gradient[x[n] * E + j] += dy[n * E + j];
      return undefined;
    },
  };
}

function recurrent(
  layer: PlainRecurrent,
  { B, T, I, H }: { B: number; T: number; I: number; H: number },
  sequences: boolean,
): Part {
  const { weights, gradients } = layer;
  return {
    arrays: [
      [weights.kernel, gradients.kernel],
      [weights.recurrent, gradients.recurrent],
      [weights.bias, gradients.bias],
    ],
    forward: (x) => (sequences ? layer.forward(x) : layer.forward(x).subarray((T - 1) * B * H)),
    backward(x, dy, wanted) {
      const dh = new Float32Array(T * B * H);
      dh.set(dy, dh.length - dy.length);
      const dx = wanted ? new Float32Array(T * B * I) : undefined;
      layer.backward(x, dh, dx);
      return dx;
    },
    refresh: () => layer.refresh(),
    carry: () => layer.carry(),
  };
}

function dense(kernel: Float32Array, bias: Float32Array, rows: number, activation: string | undefined): Part {
  const [I, N] = [kernel.length / bias.length, bias.length];
  const [dKernel, dBias, out] = [new Float32Array(kernel.length), new Float32Array(N), new Float32Array(rows * N)];
  const kernelT = transpose(I, N, kernel);
  return {
    arrays: [
      [kernel, dKernel],
      [bias, dBias],
    ],
    forward(x) {
      gemm(rows, N, I, x, kernelT, out);
      for (let k = 0; k < out.length; k++) out[k] += bias[k % N];
      if (activation === "sigmoid") for (let k = 0; k < out.length; k++) out[k] = 1 / (1 + Math.exp(-out[k]));
      return out;
    },
    backward(x, dy) {
      // dy is the gradient before the activation: the losses below see to it
      addTransposed(rows, I, N, x, dy, dKernel);
      for (let k = 0; k < dy.length; k++) dBias[k % N] += dy[k];
      const dx = new Float32Array(rows * I);
      gemm(rows, I, N, dy, kernel, dx);
      return dx;
    },
    refresh: () => void transpose(I, N, kernel, kernelT),
  };
}

/** Losses with the gradient of what goes into the last activation; y has the order of the outputs. */
const LOSSES: Record<Loss, (p: Float32Array, y: ArrayLike<number>, d: Float32Array) => number> = {
  meanSquaredError(p, y, d) {
    let sum = 0;
    for (let k = 0; k < p.length; k++) {
      sum += (p[k] - y[k]) ** 2;
      d[k] = (2 * (p[k] - y[k])) / p.length;
    }
    return sum / p.length;
  },
  binaryCrossentropy(p, y, d) {
    let sum = 0;
    for (let k = 0; k < p.length; k++) {
      sum -= y[k] * Math.log(p[k]) + (1 - y[k]) * Math.log(1 - p[k]);
      d[k] = (p[k] - y[k]) / p.length;
    }
    return sum / p.length;
  },
  sparseCategoricalCrossentropy(p, y, d) {
    const [rows, N] = [y.length, p.length / y.length];
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const logits = p.subarray(row * N, (row + 1) * N);
      const top = Math.max(...logits);
      let sum = 0;
      for (let n = 0; n < N; n++) sum += d[row * N + n] = Math.exp(logits[n] - top);
      for (let n = 0; n < N; n++) d[row * N + n] = (d[row * N + n] / sum - Number(n === y[row])) / rows;
      loss += (Math.log(sum) + top - logits[y[row]]) / rows;
    }
    return loss;
  },
};

const CELLS = { simpleRNN: PlainSimpleRnn, lstm: PlainLstm, gru: PlainGru };

export class PlainModel {
  private readonly parts: readonly Part[];
  private readonly inputs: Float32Array[] = [];
  private readonly shape: PlainShape;
  private readonly time: Float32Array;
  private optimizers: PlainOptimizer[] = [];
  private steps = 0;

  /** @param weights  arrays of each layer in Keras' layout; they are used as they are and changed by training */
  constructor(layers: readonly PlainLayer[], weights: readonly (readonly Float32Array[])[], shape: PlainShape) {
    const { B, T, features } = shape;
    this.shape = shape;
    this.time = new Float32Array(B * T * Math.max(features, 1));
    let [I, rows] = [features, B * T];
    this.parts = layers.map(({ type, units: H, sequences = false, activation }, i) => {
      const inputs = I;
      I = H;
      if (type === "embedding") return embedding(weights[i][0], rows, H);
      if (type === "dense") return dense(weights[i][0], weights[i][1], rows, activation);
      const [kernel, recurrentKernel, bias] = weights[i];
      const sizes = { B, T, I: inputs, H };
      if (!sequences) rows = B;
      return recurrent(new CELLS[type]({ kernel, recurrent: recurrentKernel, bias }, sizes), sizes, sequences);
    });
  }

  /**
   * @param x  [B, T, features], or tokens [B, T]
   * @returns the last layer's output, rows in the order [T, B]
   */
  forward(x: ArrayLike<number>): Float32Array {
    const { B, T, features } = this.shape;
    const F = Math.max(features, 1);
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++) for (let f = 0; f < F; f++) this.time[(t * B + b) * F + f] = x[(b * T + t) * F + f];
    let value = this.time;
    this.parts.forEach((part, i) => {
      this.inputs[i] = value;
      value = part.forward(value);
    });
    return value;
  }

  /** One frame [features] or one token, after those before it. */
  step(x: ArrayLike<number>): Float32Array {
    const out = this.forward(x);
    for (const part of this.parts) part.carry?.();
    return out;
  }

  /**
   * One update by Keras' defaults.
   *
   * @param y  one number per output, or per row with tokens, rows in the order [T, B]
   * @returns the loss before the update
   */
  train(x: ArrayLike<number>, y: ArrayLike<number>, loss: Loss, optimizer: "adam" | "rmsprop"): number {
    const out = this.forward(x);
    let gradient: Float32Array | undefined = new Float32Array(out.length);
    const value = LOSSES[loss](out, y, gradient);
    for (let i = this.parts.length - 1; i >= 0; i--)
      gradient = this.parts[i].backward(this.inputs[i], gradient!, i > 0);
    const arrays = this.parts.flatMap((part) => part.arrays);
    if (this.optimizers.length === 0)
      this.optimizers = arrays.map(([w]) => new (optimizer === "adam" ? PlainAdam : PlainRmsprop)(w.length));
    this.steps++;
    arrays.forEach(([w, d], k) => this.optimizers[k].update(w, d, this.steps));
    for (const part of this.parts) part.refresh?.();
    return value;
  }
}
