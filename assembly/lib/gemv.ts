/**
 * One row times packed weights: y[N] = x[K] · W + init.
 *
 * Four panels at once, two terms of the sums per turn: 8 accumulators, 8 loads and 2 splats fit the registers even of
 * engines that move all loads of a turn to its top (measured: 8×1 runs at a third there, 10×2 gains nothing).
 */
import { madd, storePartial } from "./f32x4";

/** Two accumulators of a panel, stored: count 5…8 columns. */
// @ts-ignore: decorator
@inline
function storePanel(y: usize, lo: v128, hi: v128, count: usize): void {
  v128.store(y, lo);
  if (count >= 8) v128.store(y, hi, 16);
  else storePartial(y + 16, hi, count - 4);
}

/**
 * @param P      literal: panels side by side, 4, 2 or 1
 * @param count  columns of the last of them to store, 5…8
 * @param K      terms of the sums
 * @param x      in   [K]
 * @param panel  in   P panels [K, 8]
 * @param init   in   [8·P] | 0 = zeros
 * @param y      out  [8·(P−1) + count]
 */
// @ts-ignore: decorator
@inline
function panelsOf8(P: i32, count: usize, K: usize, x: usize, panel: usize, init: usize, y: usize): void {
  const zero = f32x4.splat(0);
  let s0 = zero, t0 = zero, s1 = zero, t1 = zero, s2 = zero, t2 = zero, s3 = zero, t3 = zero;
  if (init) {
    s0 = v128.load(init);
    t0 = v128.load(init, 16);
    if (P > 1) s1 = v128.load(init, 32);
    if (P > 1) t1 = v128.load(init, 48);
    if (P > 2) s2 = v128.load(init, 64);
    if (P > 2) t2 = v128.load(init, 80);
    if (P > 2) s3 = v128.load(init, 96);
    if (P > 2) t3 = v128.load(init, 112);
  }
  const stride = K << 5;
  let p0 = panel, p1 = p0 + stride, p2 = p1 + stride, p3 = p2 + stride;
  const end = x + (K << 2);
  // an odd term goes first: after the turns, it made older engines spill in them (measured: half the speed)
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
    const v = v128.load32_splat(x, 4);
    s0 = madd(u, v128.load(p0), s0);
    t0 = madd(u, v128.load(p0, 16), t0);
    if (P > 1) s1 = madd(u, v128.load(p1), s1);
    if (P > 1) t1 = madd(u, v128.load(p1, 16), t1);
    if (P > 2) s2 = madd(u, v128.load(p2), s2);
    if (P > 2) t2 = madd(u, v128.load(p2, 16), t2);
    if (P > 2) s3 = madd(u, v128.load(p3), s3);
    if (P > 2) t3 = madd(u, v128.load(p3, 16), t3);
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
  if (P == 1) {
    storePanel(y, s0, t0, count);
    return;
  }
  storePanel(y, s0, t0, 8);
  if (P == 2) storePanel(y + 32, s1, t1, count);
  if (P == 4) {
    storePanel(y + 32, s1, t1, 8);
    storePanel(y + 64, s2, t2, 8);
    storePanel(y + 96, s3, t3, count);
  }
}

/** The narrow last panel: y[count] = x[K] · panel[K, 4] + init, count 1…4; even and odd terms apart, for the latency. */
// @ts-ignore: decorator
@inline
function panelOf4(count: usize, K: usize, x: usize, panel: usize, init: usize, y: usize): void {
  let s = init ? v128.load(init) : f32x4.splat(0);
  let t = f32x4.splat(0);
  const end = x + (K << 2);
  const even = x + ((K & ~1) << 2);
  for (; x != even; x += 8, panel += 32) {
    s = madd(v128.load32_splat(x), v128.load(panel), s);
    t = madd(v128.load32_splat(x, 4), v128.load(panel, 16), t);
  }
  if (x != end) s = madd(v128.load32_splat(x), v128.load(panel), s);
  storePartial(y, f32x4.add(s, t), count);
}

/**
 * @param N, K    extents
 * @param x       in   [K]
 * @param panels  in   [K, panelWidth(N)] in panels
 * @param init    in   [N] | 0 = zeros; may be y
 * @param y       out  [N]
 */
export function gemv(N: usize, K: usize, x: usize, panels: usize, init: usize, y: usize): void {
  let n: usize = 0;
  // what is left decides how many panels go side by side; a panel with more than 4 columns is 8 wide
  while (N - n > 4) {
    const left = N - n;
    const at = init ? init + (n << 2) : 0;
    if (left > 28) {
      panelsOf8(4, left - 24, K, x, panels, at, y + (n << 2));
      panels += K << 7;
      n += 32;
    } else if (left > 12) {
      panelsOf8(2, left - 8, K, x, panels, at, y + (n << 2));
      panels += K << 6;
      n += 16;
    } else {
      panelsOf8(1, left, K, x, panels, at, y + (n << 2));
      panels += K << 5;
      n += 8;
    }
    if (n >= N) return;
  }
  if (n < N) panelOf4(N - n, K, x, panels, init ? init + (n << 2) : 0, y + (n << 2));
}
