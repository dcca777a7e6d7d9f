/**
 * Softmax and its logarithm, row by row.
 *
 *   y = exp(x − max x) / Σ exp(x − max x)          dx = y ⊙ (dy − Σ y⊙dy)
 *   y = x − max x − ln Σ exp(x − max x)            dx = dy − exp(y)·Σ dy
 *
 * Layout    all [M, N], tight.
 * Aliasing  y may be x; dx may be dy or y.
 * Accuracy  no logit is too large; −Inf has probability 0. A row without a finite largest logit (all −Inf, a +Inf, a
 *           NaN) comes out as NaN.
 * Cost      one exp per element, none in the gradient of softmax.
 */
import { exp } from "../../lib/elementwise/expf";
import { firstLanes, LANES, nmadd, storePartial } from "../../lib/f32x4";
import { log } from "../../lib/elementwise/logf";
import { rowMax, sumExp, sumOf } from "../../lib/reduction/softmax";
import { dot, sum } from "../../lib/reduction/sum";

/**
 * Softmax of each row.
 *
 * @param M  rows
 * @param N  columns, at least 1
 * @param x  in   [M, N]  logits
 * @param y  out  [M, N]  probabilities
 */
export function f32_softmax_fwd(M: usize, N: usize, x: usize, y: usize): void {
  const row = N << 2;
  const whole = (N & ~(LANES - 1)) << 2;
  const rest = N & (LANES - 1);
  for (let m: usize = 0; m < M; m++, x += row, y += row) {
    const top = f32x4.splat(rowMax(N, x));
    let total = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) {
      const e = exp(f32x4.sub(v128.load(x + i), top));
      total = f32x4.add(total, e);
      v128.store(y + i, e);
    }
    let tail = total;
    if (rest) {
      tail = v128.and(exp(f32x4.sub(v128.load(x + whole), top)), firstLanes(rest));
      total = f32x4.add(total, tail);
    }
    const scale = f32x4.splat(1 / sumOf(total));
    for (let i: usize = 0; i < whole; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), scale));
    if (rest) storePartial(y + whole, f32x4.mul(tail, scale), rest);
  }
}

/**
 * dx = y ⊙ (dy − Σ dy⊙y), row by row.
 *
 * @param M   rows
 * @param N   columns, at least 1
 * @param y   in   [M, N]  what the forward kernel wrote
 * @param dy  in   [M, N]
 * @param dx  out  [M, N]
 */
export function f32_softmax_bwd(M: usize, N: usize, y: usize, dy: usize, dx: usize): void {
  const row = N << 2;
  const whole = (N & ~(LANES - 1)) << 2;
  const rest = N & (LANES - 1);
  for (let m: usize = 0; m < M; m++, y += row, dy += row, dx += row) {
    const mean = f32x4.splat(<f32>dot(N, y, dy));
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(dx + i, f32x4.mul(v128.load(y + i), f32x4.sub(v128.load(dy + i), mean)));
    }
    if (!rest) continue;
    storePartial(dx + whole, f32x4.mul(v128.load(y + whole), f32x4.sub(v128.load(dy + whole), mean)), rest);
  }
}

/**
 * Logarithm of the softmax of each row.
 *
 * @param M  rows
 * @param N  columns, at least 1
 * @param x  in   [M, N]  logits
 * @param y  out  [M, N]  logarithms of probabilities
 */
export function f32_log_softmax_fwd(M: usize, N: usize, x: usize, y: usize): void {
  const row = N << 2;
  const whole = (N & ~(LANES - 1)) << 2;
  const rest = N & (LANES - 1);
  for (let m: usize = 0; m < M; m++, x += row, y += row) {
    const shift = rowMax(N, x);
    const top = f32x4.splat(shift);
    const logSum = log(f32x4.splat(sumExp(N, x, shift)));
    // x − top first: exact where it matters, whatever the size of the logits
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(y + i, f32x4.sub(f32x4.sub(v128.load(x + i), top), logSum));
    }
    if (rest) storePartial(y + whole, f32x4.sub(f32x4.sub(v128.load(x + whole), top), logSum), rest);
  }
}

/**
 * dx = dy − eʸ·Σ dy, row by row.
 *
 * @param M   rows
 * @param N   columns, at least 1
 * @param y   in   [M, N]  what the forward kernel wrote
 * @param dy  in   [M, N]
 * @param dx  out  [M, N]
 */
export function f32_log_softmax_bwd(M: usize, N: usize, y: usize, dy: usize, dx: usize): void {
  const row = N << 2;
  const whole = (N & ~(LANES - 1)) << 2;
  const rest = N & (LANES - 1);
  for (let m: usize = 0; m < M; m++, y += row, dy += row, dx += row) {
    const total = f32x4.splat(<f32>sum(N, dy));
    for (let i: usize = 0; i < whole; i += 16) {
      v128.store(dx + i, nmadd(exp(v128.load(y + i)), total, v128.load(dy + i)));
    }
    if (rest) storePartial(dx + whole, nmadd(exp(v128.load(y + whole)), total, v128.load(dy + whole)), rest);
  }
}
