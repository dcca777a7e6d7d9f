/** The smallest module with weights, and a loss for it. */
import { Module, layers, ops, type Tensor } from "../../bindings/index.ts";

export class Line extends Module {
  dense = layers.dense({ units: 2 });
  override call(x: Tensor): Tensor {
    return this.dense.call(x);
  }
}

export const mse = (y: Tensor, p: Tensor): Tensor => ops.mean(ops.square(ops.sub(p, y)));
