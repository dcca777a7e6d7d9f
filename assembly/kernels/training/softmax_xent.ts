/**
 * Cross-entropy of softmax(x), one number per row, without the probabilities in between.
 *
 *   loss = −Σ t·ln p,  p = softmax(x)        dx = dloss·(p·Σt − t)        t one-hot (sparse: a label) or any weights
 *
 * Layout    logits and targets [M, N], tight; labels [M] i32; loss, dloss and lse [M].
 * lse       ln Σ exp(x − max x): relative to the largest logit, which backward finds again, so that a common offset of
 *           the logits, however large, costs no digits.
 * Aliasing  dx may be x.
 * Accuracy  no finite logit overflows; t = 0 contributes nothing, even where x = −Inf. Rows of logits without a finite
 *           largest one give NaN, as in softmax.ts.
 * Cost      one exp per logit in each direction.
 */
import { exp } from "../../lib/elementwise/expf";
import { firstLanes, LANES, madd, storePartial } from "../../lib/f32x4";
import { log } from "../../lib/elementwise/logf";
import { rowMax, sumExp, sumOf } from "../../lib/reduction/softmax";
import { sum } from "../../lib/reduction/sum";

// @ts-ignore: decorator
@inline
function ln(x: f32): f32 {
  return f32x4.extract_lane(log(f32x4.splat(x)), 0);
}

/**
 * Cross-entropy of logits and labels.
 *
 * @param M       rows
 * @param N       classes, at least 1
 * @param x       in   [M, N]  logits
 * @param labels  in   [M]     0…N−1, or below 0 for a row that does not count (loss 0)
 * @param loss    out  [M]
 * @param lse     out  [M]     for backward
 */
export function f32_softmax_xent_sparse_fwd(
  M: usize,
  N: usize,
  x: usize,
  labels: usize,
  loss: usize,
  lse: usize,
): void {
  for (let m: usize = 0; m < M; m++, x += N << 2) {
    const label = load<i32>(labels + (m << 2));
    assert(label < <i32>N, "labels must be below N");
    let logSum: f32 = 0;
    let value: f32 = 0;
    if (label >= 0) {
      const top = rowMax(N, x);
      logSum = ln(sumExp(N, x, top));
      value = logSum - (load<f32>(x + ((<usize>label) << 2)) - top);
    }
    store<f32>(lse + (m << 2), logSum);
    store<f32>(loss + (m << 2), value);
  }
}

/** dx = scale·softmax(x) for one row. */
function scaledSoftmax(N: usize, x: usize, logSum: f32, scale: f32, dx: usize): void {
  const top = f32x4.splat(rowMax(N, x));
  const l = f32x4.splat(logSum);
  const s = f32x4.splat(scale);
  for (; N >= LANES; N -= LANES, x += 16, dx += 16) {
    v128.store(dx, f32x4.mul(s, exp(f32x4.sub(f32x4.sub(v128.load(x), top), l))));
  }
  if (N) storePartial(dx, f32x4.mul(s, exp(f32x4.sub(f32x4.sub(v128.load(x), top), l))), N);
}

/**
 * dx = dloss·(softmax(x) − one-hot label), row by row.
 *
 * @param M       rows
 * @param N       classes, at least 1
 * @param x       in   [M, N]  logits
 * @param labels  in   [M]     below 0: the row's gradient is 0
 * @param lse     in   [M]     from forward
 * @param dloss   in   [M]
 * @param dx      out  [M, N]
 */
export function f32_softmax_xent_sparse_bwd(
  M: usize,
  N: usize,
  x: usize,
  labels: usize,
  lse: usize,
  dloss: usize,
  dx: usize,
): void {
  for (let m: usize = 0; m < M; m++, x += N << 2, dx += N << 2) {
    const label = load<i32>(labels + (m << 2));
    if (label < 0) {
      memory.fill(dx, 0, N << 2);
      continue;
    }
    const d = load<f32>(dloss + (m << 2));
    scaledSoftmax(N, x, load<f32>(lse + (m << 2)), d, dx);
    const hit = dx + ((<usize>label) << 2);
    store<f32>(hit, load<f32>(hit) - d);
  }
}

/**
 * Cross-entropy of logits and a distribution over classes.
 *
 * @param M        rows
 * @param N        classes, at least 1
 * @param x        in   [M, N]  logits
 * @param targets  in   [M, N]  probabilities or any weights
 * @param loss     out  [M]
 * @param lse      out  [M]     for backward
 */
export function f32_softmax_xent_dense_fwd(
  M: usize,
  N: usize,
  x: usize,
  targets: usize,
  loss: usize,
  lse: usize,
): void {
  const row = N << 2;
  const zero = f32x4.splat(0);
  for (let m: usize = 0; m < M; m++, x += row, targets += row) {
    const top = rowMax(N, x);
    const logSum = ln(sumExp(N, x, top));
    let total = zero;
    for (let n: usize = 0; n < N; n += LANES) {
      const i = n << 2;
      const t = v128.load(targets + i);
      const surprise = f32x4.sub(f32x4.splat(logSum), f32x4.sub(v128.load(x + i), f32x4.splat(top)));
      const counts = v128.and(f32x4.ne(t, zero), firstLanes(min(N - n, LANES)));
      total = f32x4.add(total, v128.and(f32x4.mul(t, surprise), counts));
    }
    store<f32>(lse + (m << 2), logSum);
    store<f32>(loss + (m << 2), sumOf(total));
  }
}

/**
 * dx = dloss·(softmax(x)·Σ targets − targets), row by row.
 *
 * @param M        rows
 * @param N        classes, at least 1
 * @param x        in   [M, N]  logits
 * @param targets  in   [M, N]
 * @param lse      in   [M]     from forward
 * @param dloss    in   [M]
 * @param dx       out  [M, N]
 */
export function f32_softmax_xent_dense_bwd(
  M: usize,
  N: usize,
  x: usize,
  targets: usize,
  lse: usize,
  dloss: usize,
  dx: usize,
): void {
  const row = N << 2;
  for (let m: usize = 0; m < M; m++, x += row, targets += row, dx += row) {
    const d = load<f32>(dloss + (m << 2));
    scaledSoftmax(N, x, load<f32>(lse + (m << 2)), d * <f32>sum(N, targets), dx);
    const minus = f32x4.splat(-d);
    for (let n: usize = 0; n < N; n += LANES) {
      const i = n << 2;
      storePartial(dx + i, madd(v128.load(targets + i), minus, v128.load(dx + i)), min(N - n, LANES));
    }
  }
}
