/**
 * One row times packed weights: y[N] = x[K] · W + init.
 *
 * Four panels side by side, two terms of the sums per turn: 8 accumulators. As in lib/tile.ts the loop is tested at its
 * top and sums in the order of the stores, so that older V8 does not spill (measured: twice as fast there, the same in
 * newer ones). What bounds it is loads: 8 of weights for 8 products.
 */
import { madd, storePartial } from "./f32x4";
import { ZEROS } from "./panel";

/** Two accumulators of a panel to `count` (5…) columns. */
// @ts-ignore: decorator
@inline
function storePanel(y: usize, lo: v128, hi: v128, count: usize): void {
  v128.store(y, lo);
  if (count >= 8) v128.store(y, hi, 16);
  else storePartial(y + 16, hi, count - 4);
}

/**
 * P panels of 8 side by side.
 *
 * @param P      literal 4, 2 or 1
 * @param count  columns of the last panel to store, 5…
 * @param K      terms of the sums
 * @param x      in   [K]
 * @param p0     in   P panels [K, 8]
 * @param init   in   [8·P]
 * @param y      out  [8·(P−1) + count]
 */
// @ts-ignore: decorator
@inline
function panels(P: i32, count: usize, K: usize, x: usize, p0: usize, init: usize, y: usize): void {
  const zero = f32x4.splat(0);
  let s0 = v128.load(init), t0 = v128.load(init, 16);
  let s1 = P > 1 ? v128.load(init, 32) : zero, t1 = P > 1 ? v128.load(init, 48) : zero;
  let s2 = P > 2 ? v128.load(init, 64) : zero, t2 = P > 2 ? v128.load(init, 80) : zero;
  let s3 = P > 2 ? v128.load(init, 96) : zero, t3 = P > 2 ? v128.load(init, 112) : zero;
  const bytes = K << 5;
  let p1 = p0 + bytes, p2 = p1 + bytes, p3 = p2 + bytes;
  const end = x + (K << 2);
  // the odd term goes first: behind the loop it would stand between the sums and their stores
  if (K & 1) {
    const u = v128.load32_splat(x);
    s0 = madd(u, v128.load(p0), s0);
    t0 = madd(u, v128.load(p0, 16), t0);
    if (P > 1) s1 = madd(u, v128.load(p1), s1);
    if (P > 1) t1 = madd(u, v128.load(p1, 16), t1);
    if (P > 2) s2 = madd(u, v128.load(p2), s2);
    if (P > 2) t2 = madd(u, v128.load(p2, 16), t2);
    if (P > 2) s3 = madd(u, v128.load(p3), s3);
    if (P > 2) t3 = madd(u, v128.load(p3, 16), t3);
    x += 4;
    p0 += 32;
    if (P > 1) p1 += 32;
    if (P > 2) p2 += 32;
    if (P > 2) p3 += 32;
  }
  while (x != end) {
    const u = v128.load32_splat(x);
    s0 = madd(u, v128.load(p0), s0);
    t0 = madd(u, v128.load(p0, 16), t0);
    if (P > 1) s1 = madd(u, v128.load(p1), s1);
    if (P > 1) t1 = madd(u, v128.load(p1, 16), t1);
    if (P > 2) s2 = madd(u, v128.load(p2), s2);
    if (P > 2) t2 = madd(u, v128.load(p2, 16), t2);
    if (P > 2) s3 = madd(u, v128.load(p3), s3);
    if (P > 2) t3 = madd(u, v128.load(p3, 16), t3);
    const v = v128.load32_splat(x, 4);
    s0 = madd(v, v128.load(p0, 32), s0);
    t0 = madd(v, v128.load(p0, 48), t0);
    if (P > 1) s1 = madd(v, v128.load(p1, 32), s1);
    if (P > 1) t1 = madd(v, v128.load(p1, 48), t1);
    if (P > 2) s2 = madd(v, v128.load(p2, 32), s2);
    if (P > 2) t2 = madd(v, v128.load(p2, 48), t2);
    if (P > 2) s3 = madd(v, v128.load(p3, 32), s3);
    if (P > 2) t3 = madd(v, v128.load(p3, 48), t3);
    x += 8;
    p0 += 64;
    if (P > 1) p1 += 64;
    if (P > 2) p2 += 64;
    if (P > 2) p3 += 64;
  }
  storePanel(y, s0, t0, P > 1 ? 8 : count);
  if (P > 1) storePanel(y + 32, s1, t1, P > 2 ? 8 : count);
  if (P > 2) storePanel(y + 64, s2, t2, 8);
  if (P > 2) storePanel(y + 96, s3, t3, count);
}

/** The narrow last panel, columns 1…4 of it: even and odd terms apart, for the latency. */
// @ts-ignore: decorator
@inline
function narrow(count: usize, K: usize, x: usize, panel: usize, init: usize, y: usize): void {
  let s = v128.load(init), t = f32x4.splat(0);
  const even = x + ((K & ~1) << 2);
  for (; x != even; x += 8, panel += 32) {
    s = madd(v128.load32_splat(x), v128.load(panel), s);
    t = madd(v128.load32_splat(x, 4), v128.load(panel, 16), t);
  }
  if (K & 1) s = madd(v128.load32_splat(x), v128.load(panel), s);
  storePartial(y, f32x4.add(s, t), count);
}

/**
 * @param N, K  extents
 * @param x     in   [K]
 * @param w     in   [K, panelWidth(N)] in panels
 * @param init  in   [N] | 0 = zeros; may be y
 * @param y     out  [N]
 */
export function gemv(N: usize, K: usize, x: usize, w: usize, init: usize, y: usize): void {
  const step: usize = init ? 1 : 0;
  if (!init) init = ZEROS;
  // a panel of more than 4 columns is 8 wide
  for (; N > 28; N -= min(N, <usize>32), w += K << 7, init += step << 7, y += 128) panels(4, N - 24, K, x, w, init, y);
  for (; N > 12; N -= min(N, <usize>16), w += K << 6, init += step << 6, y += 64) panels(2, N - 8, K, x, w, init, y);
  for (; N > 4; N -= min(N, <usize>8), w += K << 5, init += step << 5, y += 32) panels(1, N, K, x, w, init, y);
  if (N) narrow(N, K, x, w, init, y);
}
