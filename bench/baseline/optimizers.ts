/** Updates over one array of weights, as Keras writes them. Each clears the gradients it has used. */
export interface PlainOptimizer {
  update(weights: Float32Array, gradients: Float32Array, step: number): void;
}

export class PlainAdam implements PlainOptimizer {
  private readonly m: Float32Array;
  private readonly v: Float32Array;

  constructor(size: number) {
    this.m = new Float32Array(size);
    this.v = new Float32Array(size);
  }

  update(weights: Float32Array, gradients: Float32Array, step: number): void {
    const { m, v } = this;
    const rate = (0.001 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    for (let i = 0; i < weights.length; i++) {
      m[i] = 0.9 * m[i] + 0.1 * gradients[i];
      v[i] = 0.999 * v[i] + 0.001 * gradients[i] * gradients[i];
      weights[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-7);
      gradients[i] = 0;
    }
  }
}

export class PlainRmsprop implements PlainOptimizer {
  private readonly v: Float32Array;

  constructor(size: number) {
    this.v = new Float32Array(size);
  }

  update(weights: Float32Array, gradients: Float32Array): void {
    const { v } = this;
    for (let i = 0; i < weights.length; i++) {
      v[i] = 0.9 * v[i] + 0.1 * gradients[i] * gradients[i];
      weights[i] -= (0.001 * gradients[i]) / Math.sqrt(v[i] + 1e-7);
      gradients[i] = 0;
    }
  }
}
