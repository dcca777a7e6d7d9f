/**
 * Reductions: sums, dot products, largest elements, and the copies that are their gradients.
 *
 * A reduction over one axis sees its operand as [outer, n, inner] and gives [outer, inner].
 *
 * Aliasing   nothing overlaps.
 * Accuracy   sums as in lib/reduction/sum.ts: the error does not grow with the count.
 */
import { argmax, beats4 } from "../../lib/reduction/argmax";
import { LANES, storePartial } from "../../lib/f32x4";
import { dot, sum, sumColumns, sumOfSquares } from "../../lib/reduction/sum";
import { f32_fill } from "../elementwise/copy";

/**
 * Sums over the middle axis.
 *
 * @param outer
 * @param n      how many are added; 0 gives 0
 * @param inner
 * @param x      in   [outer, n, inner]
 * @param y      out  [outer, inner]
 */
export function f32_rsum(outer: usize, n: usize, inner: usize, x: usize, y: usize): void {
  for (let o: usize = 0; o < outer; o++, x += (n * inner) << 2, y += inner << 2) {
    if (inner == 1) store<f32>(y, <f32>sum(n, x));
    else sumColumns(false, n, inner, x, inner, y);
  }
}

/**
 * Adds the sum of all rows: the gradient of a bias.
 *
 * @param M     rows
 * @param live  in      [1] | 0  rows that count
 * @param N     columns
 * @param x     in      [M, N]
 * @param ldx   row stride of x
 * @param y     in/out  [N]
 */
export function f32_rsum_rows_acc(M: usize, live: usize, N: usize, x: usize, ldx: usize, y: usize): void {
  if (live) M = min(M, <usize>load<i32>(live));
  sumColumns(true, M, N, x, ldx, y);
}

/**
 * The copies that are the gradient of a sum.
 *
 * @param outer
 * @param n      copies
 * @param inner
 * @param x      in   [outer, inner]
 * @param y      out  [outer, n, inner]
 */
export function f32_repeat(outer: usize, n: usize, inner: usize, x: usize, y: usize): void {
  for (let o: usize = 0; o < outer; o++, x += inner << 2) {
    if (inner == 1) {
      f32_fill(n, y, load<f32>(x));
      y += n << 2;
    } else {
      for (let k: usize = 0; k < n; k++, y += inner << 2) memory.copy(y, x, inner << 2);
    }
  }
}

/**
 * Largest elements along the middle axis: NaN where there is one.
 *
 * @param outer
 * @param n      ≥ 1
 * @param inner
 * @param x      in   [outer, n, inner]
 * @param y      out  [outer, inner]
 * @param arg    out  i32 [outer, inner]  where along n, the first of equals
 */
export function f32_rmax_fwd(outer: usize, n: usize, inner: usize, x: usize, y: usize, arg: usize): void {
  assert(n > 0, "the largest of nothing");
  const stride = inner << 2;
  for (let o: usize = 0; o < outer; o++, x += n * stride, y += stride, arg += stride) {
    if (inner == 1) {
      const at = argmax(n, x);
      store<f32>(y, load<f32>(x + (at << 2)));
      store<i32>(arg, <i32>at);
      continue;
    }
    for (let i: usize = 0; i < inner; i += LANES)
      maxColumns(n, min(LANES, inner - i), x + (i << 2), stride, y + (i << 2), arg + (i << 2));
  }
}

/** Four columns of f32_rmax_fwd, of which `count` are stored. */
function maxColumns(n: usize, count: usize, x: usize, stride: usize, y: usize, arg: usize): void {
  let best = v128.load(x);
  let where = i32x4.splat(0);
  for (let k: usize = 1; k < n; k++) {
    x += stride;
    const v = v128.load(x);
    const won = beats4(v, best);
    best = v128.bitselect(v, best, won);
    where = v128.bitselect(i32x4.splat(<i32>k), where, won);
  }
  storePartial(y, best, count);
  storePartial(arg, where, count);
}

/**
 * The gradient goes to where the largest element was.
 *
 * @param outer
 * @param n
 * @param inner
 * @param arg    in   i32 [outer, inner]
 * @param dy     in   [outer, inner]
 * @param dx     out  [outer, n, inner]
 */
export function f32_rmax_bwd(outer: usize, n: usize, inner: usize, arg: usize, dy: usize, dx: usize): void {
  f32_fill(outer * n * inner, dx, 0);
  for (let o: usize = 0; o < outer; o++, dx += (n * inner) << 2) {
    for (let i: usize = 0; i < inner; i++, arg += 4, dy += 4) {
      store<f32>(dx + ((<usize>load<i32>(arg) * inner + i) << 2), load<f32>(dy));
    }
  }
}

/** y (i32 [M]) = where each row of x [M, N], N ≥ 1, is largest: the first of equals. */
export function i32_rargmax(M: usize, N: usize, x: usize, y: usize): void {
  assert(N > 0, "the largest of nothing");
  for (let m: usize = 0; m < M; m++) store<i32>(y + (m << 2), <i32>argmax(N, x + ((m * N) << 2)));
}

/** y[0] = Σ a[i]·b[i]. */
export function f32_rdot(n: usize, a: usize, b: usize, y: usize): void {
  store<f32>(y, <f32>dot(n, a, b));
}

/** y[0], a double, += Σ x[i]². */
export function f32_rsumsq_acc(n: usize, x: usize, y: usize): void {
  store<f64>(y, load<f64>(y) + sumOfSquares(n, x));
}
