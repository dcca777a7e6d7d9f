/**
 * A recurrent layer and its gradients as a person would write them: Float32Arrays, plain loops, no packing, no fusing.
 * Time comes first: x [T, B, I], h [T, B, H], rows of step t stand together. The cells are in `cells.ts`.
 */
import { addTransposed, gemm, transpose } from "./gemm.ts";

/** Weights in Keras' layout: kernel [I, G·H], recurrent [H, G·H], bias [G·H], gates i f g o or z r n. */
export interface RecurrentWeights {
  readonly kernel: Float32Array;
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
}

export interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly I: number;
  readonly H: number;
}

export abstract class PlainRecurrent {
  readonly weights: RecurrentWeights;
  readonly gradients: RecurrentWeights;
  /** Outputs [T, B, H]. */
  readonly h: Float32Array;
  protected readonly sizes: Sizes;
  /** Gates [T, B, G·H]: what step t makes of x·W, and after backward the gradient of that. */
  protected readonly gates: Float32Array;
  /** h(t−1)·U [B, G·H]; zeros where no step went before. In backward its gradient. */
  protected readonly product: Float32Array;
  /** Gradient of h(t−1) that does not go through the product [B, H]. */
  protected readonly direct: Float32Array;
  private readonly kernelT: Float32Array;
  private readonly recurrentT: Float32Array;
  private readonly G: number;
  private carried: Float32Array | undefined;

  constructor(gates: number, weights: RecurrentWeights, sizes: Sizes) {
    const { B, T, I, H } = sizes;
    this.G = gates * H;
    this.sizes = sizes;
    this.weights = weights;
    this.gradients = {
      kernel: new Float32Array(I * this.G),
      recurrent: new Float32Array(H * this.G),
      bias: new Float32Array(weights.bias.length),
    };
    this.h = new Float32Array(T * B * H);
    this.gates = new Float32Array(T * B * this.G);
    this.product = new Float32Array(B * this.G);
    this.direct = new Float32Array(B * H);
    this.kernelT = transpose(I, this.G, weights.kernel);
    this.recurrentT = transpose(H, this.G, weights.recurrent);
  }

  /** To be called when the weights have changed. */
  refresh(): void {
    const { I, H } = this.sizes;
    transpose(I, this.G, this.weights.kernel, this.kernelT);
    transpose(H, this.G, this.weights.recurrent, this.recurrentT);
  }

  /** Lets the next forward start where the last one ended: a stream. */
  carry(): void {
    const { B, T, H } = this.sizes;
    this.carried ??= new Float32Array(B * H);
    this.carried.set(this.h.subarray((T - 1) * B * H));
  }

  /** h before step t, or nothing where no step went before. */
  protected before(t: number): Float32Array | undefined {
    const n = this.sizes.B * this.sizes.H;
    return t > 0 ? this.h.subarray((t - 1) * n, t * n) : this.carried;
  }

  /** Makes gates and h of step t from `gates` and `product`. */
  protected abstract step(t: number, before: Float32Array | undefined): void;

  /** From the gradient of h(t) those of x·W (`gates`), of h(t−1)·U (`product`) and of h(t−1) besides it (`direct`). */
  protected abstract stepBack(t: number, dh: Float32Array, before: Float32Array | undefined): void;

  /** @param x  [T, B, I] */
  forward(x: Float32Array): Float32Array {
    const { B, T, I, H } = this.sizes;
    gemm(T * B, this.G, I, x, this.kernelT, this.gates);
    for (let t = 0; t < T; t++) {
      const before = this.before(t);
      if (before) gemm(B, this.G, H, before, this.recurrentT, this.product);
      else this.product.fill(0);
      this.step(t, before);
    }
    return this.h;
  }

  /**
   * Adds to the gradients of the weights.
   *
   * @param x   [T, B, I]
   * @param dh  [T, B, H] gradient of every output, overwritten
   * @param dx  [T, B, I] out, when wanted
   */
  backward(x: Float32Array, dh: Float32Array, dx?: Float32Array): void {
    const { gates, product, direct, gradients, weights, G } = this;
    const { B, T, I, H } = this.sizes;
    const passed = new Float32Array(B * H);
    for (let t = T - 1; t >= 0; t--) {
      const now = dh.subarray(t * B * H, (t + 1) * B * H);
      if (t < T - 1) for (let i = 0; i < B * H; i++) now[i] += passed[i] + direct[i];
      const before = this.before(t);
      this.stepBack(t, now, before);
      if (before) addTransposed(B, H, G, before, product, gradients.recurrent);
      gemm(B, H, G, product, weights.recurrent, passed);
    }
    addTransposed(T * B, I, G, x, gates, gradients.kernel);
    for (let row = 0; row < T * B; row++) for (let n = 0; n < G; n++) gradients.bias[n] += gates[row * G + n];
    if (dx) gemm(T * B, I, G, gates, weights.kernel, dx);
  }
}
