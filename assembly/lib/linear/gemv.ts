/**
 * One row times packed weights: y[N] = x[K] · W + init.
 *
 * What bounds it is loads, one of weights for every product, so terms of x are loaded for as many panels as registers
 * allow: six side by side, 12 accumulators (measured: 15 % faster than four with two terms per turn, on every V8 from
 * Node 20 to 26; two terms per turn would spill). As in lib/linear/tile.ts the loop is tested at its top and sums in
 * the order of the stores, so that older V8 does not spill (measured: twice as fast there, the same in newer ones).
 *
 * A recurrence passes over the same weights at every step. Every other pass goes back, and begins with those that the
 * cache still holds (measured: 1.3 to 1.4 times as fast where all of them are twice the second cache).
 */
import { madd, storePartial } from "../f32x4";
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
 * Six panels of 8 side by side.
 *
 * @param count  columns of the last panel to store, 5…
 * @param K      terms of the sums
 * @param x      in   [K]
 * @param p0     in   6 panels [K, 8]
 * @param init   in   [48]
 * @param y      out  [40 + count]
 */
function sixPanels(count: usize, K: usize, x: usize, p0: usize, init: usize, y: usize): void {
  let s0 = v128.load(init),
    t0 = v128.load(init, 16),
    s1 = v128.load(init, 32),
    t1 = v128.load(init, 48);
  let s2 = v128.load(init, 64),
    t2 = v128.load(init, 80),
    s3 = v128.load(init, 96),
    t3 = v128.load(init, 112);
  let s4 = v128.load(init, 128),
    t4 = v128.load(init, 144),
    s5 = v128.load(init, 160),
    t5 = v128.load(init, 176);
  const bytes = K << 5;
  let p1 = p0 + bytes,
    p2 = p1 + bytes,
    p3 = p2 + bytes,
    p4 = p3 + bytes,
    p5 = p4 + bytes;
  for (const end = x + (K << 2); x != end; x += 4) {
    const u = v128.load32_splat(x);
    s0 = madd(u, v128.load(p0), s0);
    t0 = madd(u, v128.load(p0, 16), t0);
    s1 = madd(u, v128.load(p1), s1);
    t1 = madd(u, v128.load(p1, 16), t1);
    s2 = madd(u, v128.load(p2), s2);
    t2 = madd(u, v128.load(p2, 16), t2);
    s3 = madd(u, v128.load(p3), s3);
    t3 = madd(u, v128.load(p3, 16), t3);
    s4 = madd(u, v128.load(p4), s4);
    t4 = madd(u, v128.load(p4, 16), t4);
    s5 = madd(u, v128.load(p5), s5);
    t5 = madd(u, v128.load(p5, 16), t5);
    p0 += 32;
    p1 += 32;
    p2 += 32;
    p3 += 32;
    p4 += 32;
    p5 += 32;
  }
  storePanel(y, s0, t0, 8);
  storePanel(y + 32, s1, t1, 8);
  storePanel(y + 64, s2, t2, 8);
  storePanel(y + 96, s3, t3, 8);
  storePanel(y + 128, s4, t4, 8);
  storePanel(y + 160, s5, t5, count);
}

/**
 * P panels of 8 side by side, two terms of the sums per turn.
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
  let s0 = v128.load(init),
    t0 = v128.load(init, 16);
  let s1 = P > 1 ? v128.load(init, 32) : zero,
    t1 = P > 1 ? v128.load(init, 48) : zero;
  let s2 = P > 2 ? v128.load(init, 64) : zero,
    t2 = P > 2 ? v128.load(init, 80) : zero;
  let s3 = P > 2 ? v128.load(init, 96) : zero,
    t3 = P > 2 ? v128.load(init, 112) : zero;
  const bytes = K << 5;
  let p1 = p0 + bytes,
    p2 = p1 + bytes,
    p3 = p2 + bytes;
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
  let s = v128.load(init),
    t = f32x4.splat(0);
  const even = x + ((K & ~1) << 2);
  for (; x != even; x += 8, panel += 32) {
    s = madd(v128.load32_splat(x), v128.load(panel), s);
    t = madd(v128.load32_splat(x, 4), v128.load(panel, 16), t);
  }
  if (K & 1) s = madd(v128.load32_splat(x), v128.load(panel), s);
  storePartial(y, f32x4.add(s, t), count);
}

/** What six panels at a time leave: up to 64 columns. @param step  1, or 0 when init is zeros */
function fewPanels(N: usize, K: usize, x: usize, w: usize, init: usize, step: usize, y: usize): void {
  for (; N > 28; N -= min(N, <usize>32), w += K << 7, init += step << 7, y += 128) panels(4, N - 24, K, x, w, init, y);
  for (; N > 12; N -= min(N, <usize>16), w += K << 6, init += step << 6, y += 64) panels(2, N - 8, K, x, w, init, y);
  for (; N > 4; N -= min(N, <usize>8), w += K << 5, init += step << 5, y += 32) panels(1, N, K, x, w, init, y);
  if (N) narrow(N, K, x, w, init, y);
}

/**
 * @param N, K  extents
 * @param x     in   [K]
 * @param w     in   [K, panelWidth(N)] in panels
 * @param init  in   [N] | 0 = zeros; may be y
 * @param y     out  [N]
 * @param back  from the last panels to the first
 */
export function gemv(N: usize, K: usize, x: usize, w: usize, init: usize, y: usize, back: bool): void {
  const step: usize = init ? 1 : 0;
  if (!init) init = ZEROS;
  // a panel of more than 4 columns is 8 wide; eight panels are four and four, since two alone wait for their own sums
  const first = w;
  let last: usize = 8; // columns of the last panel that is one of six
  for (; N > 64 || (N > 44 && N <= 52); N -= min(N, <usize>48), w += K * 192, init += step * 192, y += 192) {
    last = min(N - 40, <usize>8);
    if (!back) sixPanels(last, K, x, w, init, y);
  }
  if (N) fewPanels(N, K, x, w, init, step, y);
  if (!back) return;
  while (w != first) {
    w -= K * 192;
    init -= step * 192;
    y -= 192;
    sixPanels(last, K, x, w, init, y);
    last = 8;
  }
}
