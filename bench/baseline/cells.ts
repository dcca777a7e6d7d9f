/** The three cells in plain JavaScript: what a step does between the products, and its gradient. */
import { PlainRecurrent, type RecurrentWeights, type Sizes } from "./recurrent.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** h = tanh(x·W + h(t−1)·U + b) */
export class PlainSimpleRnn extends PlainRecurrent {
  constructor(weights: RecurrentWeights, sizes: Sizes) {
    super(1, weights, sizes);
  }

  protected step(t: number): void {
    const {
      gates,
      product,
      h,
      weights: { bias },
      sizes: { B, H },
    } = this;
    for (let b = 0; b < B; b++) {
      for (let j = 0; j < H; j++) {
        const at = (t * B + b) * H + j;
        h[at] = Math.tanh(gates[at] + product[b * H + j] + bias[j]);
      }
    }
  }

  protected stepBack(t: number, dh: Float32Array): void {
    const {
      gates,
      product,
      h,
      sizes: { B, H },
    } = this;
    for (let i = 0; i < B * H; i++) {
      const at = t * B * H + i;
      product[i] = gates[at] = dh[i] * (1 - h[at] * h[at]);
    }
  }
}

/** i f o = σ, g = tanh of x·W + h(t−1)·U + b;  c = f⊙c(t−1) + i⊙g,  h = o⊙tanh(c) */
export class PlainLstm extends PlainRecurrent {
  private readonly c: Float32Array;
  private readonly dc: Float32Array;
  private firstC: Float32Array | undefined;

  constructor(weights: RecurrentWeights, sizes: Sizes) {
    super(4, weights, sizes);
    this.c = new Float32Array(this.h.length);
    this.dc = new Float32Array(sizes.B * sizes.H);
  }

  override carry(): void {
    super.carry();
    this.firstC ??= new Float32Array(this.dc.length);
    this.firstC.set(this.c.subarray(this.c.length - this.dc.length));
  }

  /** c before step t at a place, 0 where no step went before. */
  private cellBefore(t: number, k: number): number {
    return t > 0 ? this.c[(t - 1) * this.dc.length + k] : (this.firstC?.[k] ?? 0);
  }

  protected step(t: number): void {
    const {
      gates,
      product,
      h,
      c,
      weights: { bias },
      sizes: { B, H },
    } = this;
    for (let b = 0; b < B; b++) {
      for (let j = 0; j < H; j++) {
        const g = (t * B + b) * 4 * H + j;
        const p = b * 4 * H + j;
        const i = sigmoid(gates[g] + product[p] + bias[j]);
        const f = sigmoid(gates[g + H] + product[p + H] + bias[H + j]);
        const n = Math.tanh(gates[g + 2 * H] + product[p + 2 * H] + bias[2 * H + j]);
        const o = sigmoid(gates[g + 3 * H] + product[p + 3 * H] + bias[3 * H + j]);
        const at = (t * B + b) * H + j;
        c[at] = f * this.cellBefore(t, b * H + j) + i * n;
        h[at] = o * Math.tanh(c[at]);
        gates[g] = i;
        gates[g + H] = f;
        gates[g + 2 * H] = n;
        gates[g + 3 * H] = o;
      }
    }
  }

  protected stepBack(t: number, dh: Float32Array): void {
    const {
      gates,
      product,
      c,
      dc,
      sizes: { B, T, H },
    } = this;
    if (t === T - 1) dc.fill(0);
    for (let b = 0; b < B; b++) {
      for (let j = 0; j < H; j++) {
        const g = (t * B + b) * 4 * H + j;
        const k = b * H + j;
        const [i, f, n, o] = [gates[g], gates[g + H], gates[g + 2 * H], gates[g + 3 * H]];
        const tc = Math.tanh(c[t * B * H + k]);
        const d = dc[k] + dh[k] * o * (1 - tc * tc);
        gates[g] = d * n * i * (1 - i);
        gates[g + H] = d * this.cellBefore(t, k) * f * (1 - f);
        gates[g + 2 * H] = d * i * (1 - n * n);
        gates[g + 3 * H] = dh[k] * tc * o * (1 - o);
        dc[k] = d * f;
      }
    }
    product.set(gates.subarray(t * product.length, (t + 1) * product.length));
  }
}

/** z r = σ(x·W + h(t−1)·U + b),  n = tanh(xn + r⊙(h(t−1)·Un + bn)),  h = z⊙h(t−1) + (1 − z)⊙n; bias [2, 3·H] */
export class PlainGru extends PlainRecurrent {
  /** h(t−1)·Un + bn of every step [T, B, H]. */
  private readonly hn: Float32Array;

  constructor(weights: RecurrentWeights, sizes: Sizes) {
    super(3, weights, sizes);
    this.hn = new Float32Array(this.h.length);
  }

  protected step(t: number, before: Float32Array | undefined): void {
    const {
      gates,
      product,
      h,
      hn,
      weights: { bias },
      sizes: { B, H },
    } = this;
    for (let b = 0; b < B; b++) {
      for (let j = 0; j < H; j++) {
        const g = (t * B + b) * 3 * H + j;
        const p = b * 3 * H + j;
        const at = (t * B + b) * H + j;
        hn[at] = product[p + 2 * H] + bias[5 * H + j];
        const z = sigmoid(gates[g] + product[p] + bias[j] + bias[3 * H + j]);
        const r = sigmoid(gates[g + H] + product[p + H] + bias[H + j] + bias[4 * H + j]);
        const n = Math.tanh(gates[g + 2 * H] + bias[2 * H + j] + r * hn[at]);
        h[at] = z * (before?.[b * H + j] ?? 0) + (1 - z) * n;
        gates[g] = z;
        gates[g + H] = r;
        gates[g + 2 * H] = n;
      }
    }
  }

  protected stepBack(t: number, dh: Float32Array, before: Float32Array | undefined): void {
    const {
      gates,
      product,
      direct,
      hn,
      gradients: { bias },
      sizes: { B, H },
    } = this;
    for (let b = 0; b < B; b++) {
      for (let j = 0; j < H; j++) {
        const g = (t * B + b) * 3 * H + j;
        const p = b * 3 * H + j;
        const k = b * H + j;
        const [z, r, n] = [gates[g], gates[g + H], gates[g + 2 * H]];
        direct[k] = dh[k] * z;
        const dn = dh[k] * (1 - z) * (1 - n * n);
        product[p] = gates[g] = dh[k] * ((before?.[k] ?? 0) - n) * z * (1 - z);
        product[p + H] = gates[g + H] = dn * hn[t * B * H + k] * r * (1 - r);
        product[p + 2 * H] = dn * r;
        gates[g + 2 * H] = dn;
        for (let gate = 0; gate < 3; gate++) bias[(3 + gate) * H + j] += product[p + gate * H];
      }
    }
  }
}
