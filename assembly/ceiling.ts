/** What benchmarks compare with: multiply-adds at the pace of the registers. Part of no module that ships. */

/** Its own, so that what becomes of the kernels' does not become of what they are held to. */
// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * Twelve chains x ← x·a + b, as many as fit the registers beside a and b: 48 multiply-adds a turn, none known before.
 *
 * @param turns
 * @param p  in/out  [3, 4]  a, b, and where x starts and its sum ends
 */
export function madd_chains(turns: usize, p: usize): void {
  const a = v128.load(p), b = v128.load(p, 16), x = v128.load(p, 32);
  let x0 = x, x1 = x, x2 = x, x3 = x, x4 = x, x5 = x, x6 = x, x7 = x, x8 = x, x9 = x, x10 = x, x11 = x;
  for (; turns; turns--) {
    x0 = madd(x0, a, b);
    x1 = madd(x1, a, b);
    x2 = madd(x2, a, b);
    x3 = madd(x3, a, b);
    x4 = madd(x4, a, b);
    x5 = madd(x5, a, b);
    x6 = madd(x6, a, b);
    x7 = madd(x7, a, b);
    x8 = madd(x8, a, b);
    x9 = madd(x9, a, b);
    x10 = madd(x10, a, b);
    x11 = madd(x11, a, b);
  }
  const left = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(x4, x5));
  const right = f32x4.add(f32x4.add(f32x4.add(x6, x7), f32x4.add(x8, x9)), f32x4.add(x10, x11));
  v128.store(p, f32x4.add(left, right), 32);
}

/**
 * Ten sums over weights that are read once each, as a product of one row reads them: no splats, no x, no stores.
 *
 * @param bytes    multiple of 160
 * @param weights  in      [bytes / 4]
 * @param p        in/out  [2, 4]  x, and where the sum ends
 */
export function madd_weights(bytes: usize, weights: usize, p: usize): void {
  const x = v128.load(p), end = weights + bytes;
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;
  while (weights < end) {
    s0 = madd(v128.load(weights), x, s0);
    s1 = madd(v128.load(weights, 16), x, s1);
    s2 = madd(v128.load(weights, 32), x, s2);
    s3 = madd(v128.load(weights, 48), x, s3);
    s4 = madd(v128.load(weights, 64), x, s4);
    s5 = madd(v128.load(weights, 80), x, s5);
    s6 = madd(v128.load(weights, 96), x, s6);
    s7 = madd(v128.load(weights, 112), x, s7);
    s8 = madd(v128.load(weights, 128), x, s8);
    s9 = madd(v128.load(weights, 144), x, s9);
    weights += 160;
  }
  const left = f32x4.add(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), f32x4.add(s4, s5));
  const right = f32x4.add(f32x4.add(s6, s7), f32x4.add(s8, s9));
  v128.store(p, f32x4.add(left, right), 16);
}
