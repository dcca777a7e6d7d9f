/** An LSTM layer and its gradients as a person would write them: Float32Arrays, plain loops, no packing, no fusing. */
import { addTransposed, gemm, transpose } from "./gemm.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Weights in Keras' layout: kernel [I, 4H], recurrent [H, 4H], bias [4H], gates i f g o. */
export interface LstmWeights {
  readonly kernel: Float32Array;
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
}

/** A layer over batches [B, T, I] with buffers for one shape. Time comes first inside: rows of step t stand together. */
export class PlainLstm {
  readonly weights: LstmWeights;
  readonly gradients: LstmWeights;
  /** Outputs [T, B, H]. */
  readonly h: Float32Array;
  private readonly gates: Float32Array;
  private readonly c: Float32Array;
  private readonly product: Float32Array;
  private readonly kernelT: Float32Array;
  private readonly recurrentT: Float32Array;
  private readonly B: number;
  private readonly T: number;
  private readonly I: number;
  private readonly H: number;

  constructor(weights: LstmWeights, { B, T, I, H }: { B: number; T: number; I: number; H: number }) {
    this.weights = weights;
    this.gradients = { kernel: new Float32Array(I * 4 * H), recurrent: new Float32Array(H * 4 * H), bias: new Float32Array(4 * H) };
    this.h = new Float32Array(T * B * H);
    this.gates = new Float32Array(T * B * 4 * H);
    this.c = new Float32Array(T * B * H);
    this.product = new Float32Array(B * 4 * H);
    this.kernelT = new Float32Array(I * 4 * H);
    this.recurrentT = new Float32Array(H * 4 * H);
    [this.B, this.T, this.I, this.H] = [B, T, I, H];
  }

  /** @param x  [T, B, I] */
  forward(x: Float32Array): Float32Array {
    const { B, T, I, H, gates, c, h, product, weights, kernelT, recurrentT } = this;
    const G = 4 * H;
    gemm(T * B, G, I, x, transpose(I, G, weights.kernel, kernelT), gates);
    transpose(H, G, weights.recurrent, recurrentT);
    for (let t = 0; t < T; t++) {
      const first = t * B * H;
      if (t > 0) gemm(B, G, H, h.subarray(first - B * H, first), recurrentT, product);
      for (let b = 0; b < B; b++) {
        for (let j = 0; j < H; j++) {
          const g = (t * B + b) * G + j;
          const z = (gate: number): number => gates[g + gate * H] + weights.bias[gate * H + j] + (t > 0 ? product[b * G + gate * H + j] : 0);
          const [zi, zf, zg, zo] = [z(0), z(1), z(2), z(3)];
          const [i, f, n, o] = [sigmoid(zi), sigmoid(zf), Math.tanh(zg), sigmoid(zo)];
          const at = first + b * H + j;
          c[at] = f * (t > 0 ? c[at - B * H] : 0) + i * n;
          h[at] = o * Math.tanh(c[at]);
          gates[g] = i;
          gates[g + H] = f;
          gates[g + 2 * H] = n;
          gates[g + 3 * H] = o;
        }
      }
    }
    return h;
  }

  /**
   * Adds to the gradients of the weights.
   *
   * @param x   [T, B, I]
   * @param dh  [T, B, H] gradient of every output
   * @param dx  [T, B, I] out, when wanted
   */
  backward(x: Float32Array, dh: Float32Array, dx?: Float32Array): void {
    const { B, T, I, H, gates, c, h, weights, gradients } = this;
    const G = 4 * H;
    const carriedH = new Float32Array(B * H);
    const carriedC = new Float32Array(B * H);
    for (let t = T - 1; t >= 0; t--) {
      for (let b = 0; b < B; b++) {
        for (let j = 0; j < H; j++) {
          const g = (t * B + b) * G + j;
          const at = (t * B + b) * H + j;
          const k = b * H + j;
          const [i, f, n, o] = [gates[g], gates[g + H], gates[g + 2 * H], gates[g + 3 * H]];
          const tc = Math.tanh(c[at]);
          const d = dh[at] + carriedH[k];
          const dc = carriedC[k] + d * o * (1 - tc * tc);
          gates[g] = dc * n * i * (1 - i);
          gates[g + H] = t > 0 ? dc * c[at - B * H] * f * (1 - f) : 0;
          gates[g + 2 * H] = dc * i * (1 - n * n);
          gates[g + 3 * H] = d * tc * o * (1 - o);
          carriedC[k] = dc * f;
        }
      }
      const dz = gates.subarray(t * B * G, (t + 1) * B * G);
      gemm(B, H, G, dz, weights.recurrent, carriedH);
      if (t > 0) addTransposed(B, H, G, h.subarray((t - 1) * B * H, t * B * H), dz, gradients.recurrent);
    }
    addTransposed(T * B, I, G, x, gates, gradients.kernel);
    for (let row = 0; row < T * B; row++) for (let n = 0; n < G; n++) gradients.bias[n] += gates[row * G + n];
    if (dx) gemm(T * B, I, G, gates, weights.kernel, dx);
  }
}

/** Adam over one array of weights (Keras' form). */
export class PlainAdam {
  private readonly m: Float32Array;
  private readonly v: Float32Array;

  constructor(size: number) {
    this.m = new Float32Array(size);
    this.v = new Float32Array(size);
  }

  update(weights: Float32Array, gradients: Float32Array, step: number): void {
    const { m, v } = this;
    const rate = 0.001 * Math.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step);
    for (let i = 0; i < weights.length; i++) {
      m[i] = 0.9 * m[i] + 0.1 * gradients[i];
      v[i] = 0.999 * v[i] + 0.001 * gradients[i] * gradients[i];
      weights[i] -= rate * m[i] / (Math.sqrt(v[i]) + 1e-7);
      gradients[i] = 0;
    }
  }
}
