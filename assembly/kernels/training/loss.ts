/**
 * Fused losses, one number per element.
 *
 *   sigmoid_xent   −t·ln σ(x) − (1−t)·ln(1 − σ(x))    dx = dloss·(σ(x) − t)
 *                    = max(x, 0) − x·t + ln(1 + e^(−|x|))
 *   squared_error  (x − t)²                           dx = 2·dloss·(x − t)
 *
 * Layout    everything [n].
 * Aliasing  loss may be x or targets; dx may be any input.
 * Accuracy  sigmoid_xent: no finite logit overflows, small losses keep their digits.
 * Cost      sigmoid_xent an exp and a log, its gradient a sigmoid; three operations otherwise.
 */
import { exp } from "../../lib/elementwise/expf";
import { LANES, storePartial } from "../../lib/f32x4";
import { log1pUnit } from "../../lib/elementwise/logf";
import { sigmoid } from "../../lib/elementwise/tanhf";

/**
 * Binary cross-entropy of logits.
 *
 * @param n        elements
 * @param x        in   [n]  logits
 * @param targets  in   [n]  0…1
 * @param loss     out  [n]
 */
export function f32_sigmoid_xent_fwd(n: usize, x: usize, targets: usize, loss: usize): void {
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < n; i += LANES) {
    const v = v128.load(x + (i << 2));
    const linear = f32x4.sub(f32x4.pmax(v, zero), f32x4.mul(v, v128.load(targets + (i << 2))));
    const soft = log1pUnit(exp(f32x4.neg(f32x4.abs(v))));
    storePartial(loss + (i << 2), f32x4.add(linear, soft), n - i);
  }
}

/**
 * dx = dloss ⊙ (σ(x) − targets).
 *
 * @param n        elements
 * @param x        in   [n]  logits
 * @param targets  in   [n]
 * @param dloss    in   [n]
 * @param dx       out  [n]
 */
export function f32_sigmoid_xent_bwd(n: usize, x: usize, targets: usize, dloss: usize, dx: usize): void {
  for (let i: usize = 0; i < n; i += LANES) {
    const e = f32x4.sub(sigmoid(v128.load(x + (i << 2))), v128.load(targets + (i << 2)));
    storePartial(dx + (i << 2), f32x4.mul(e, v128.load(dloss + (i << 2))), n - i);
  }
}

/**
 * Squared difference.
 *
 * @param n        elements
 * @param x        in   [n]
 * @param targets  in   [n]
 * @param loss     out  [n]
 */
export function f32_squared_error_fwd(n: usize, x: usize, targets: usize, loss: usize): void {
  for (let i: usize = 0; i < n; i += LANES) {
    const e = f32x4.sub(v128.load(x + (i << 2)), v128.load(targets + (i << 2)));
    storePartial(loss + (i << 2), f32x4.mul(e, e), n - i);
  }
}

/**
 * dx = 2·dloss ⊙ (x − targets).
 *
 * @param n        elements
 * @param x        in   [n]
 * @param targets  in   [n]
 * @param dloss    in   [n]
 * @param dx       out  [n]
 */
export function f32_squared_error_bwd(n: usize, x: usize, targets: usize, dloss: usize, dx: usize): void {
  for (let i: usize = 0; i < n; i += LANES) {
    const e = f32x4.sub(v128.load(x + (i << 2)), v128.load(targets + (i << 2)));
    storePartial(dx + (i << 2), f32x4.mul(f32x4.add(e, e), v128.load(dloss + (i << 2))), n - i);
  }
}
