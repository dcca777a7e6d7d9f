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
  const a = v128.load(p),
    b = v128.load(p, 16),
    x = v128.load(p, 32);
  let x0 = x,
    x1 = x,
    x2 = x,
    x3 = x,
    x4 = x,
    x5 = x,
    x6 = x,
    x7 = x,
    x8 = x,
    x9 = x,
    x10 = x,
    x11 = x;
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
  const x = v128.load(p),
    end = weights + bytes;
  let s0 = f32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0,
    s4 = s0,
    s5 = s0,
    s6 = s0,
    s7 = s0,
    s8 = s0,
    s9 = s0;
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

// @ts-ignore: decorator
@inline
function dot(w: v128, x: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum);
  return i32x4.add(i32x4.dot_i16x8_s(w, x), sum);
}

/** Sixteen int8 weights, or eight of them as int16. */
// @ts-ignore: decorator
@inline
function int8(weights: usize, i: usize): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.load(weights + (i << 4)) : v128.load8x8_s(weights + (i << 3));
}

/**
 * The same for int8 weights: ten sums over weights that are read once each, by the dot products of the build.
 *
 * @param bytes    multiple of 160
 * @param weights  in      [bytes]
 * @param limbs    1, or 2 products with each weight
 * @param p        in/out  [2, 4]  x, and where the sum ends
 */
export function dot_weights(bytes: usize, weights: usize, limbs: usize, p: usize): void {
  const x = v128.load(p),
    end = weights + bytes,
    turn: usize = ASC_FEATURE_RELAXED_SIMD ? 160 : 80;
  let s0 = i32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0,
    s4 = s0,
    s5 = s0,
    s6 = s0,
    s7 = s0,
    s8 = s0,
    s9 = s0;
  if (limbs == 1) {
    for (; weights < end; weights += turn) {
      s0 = dot(int8(weights, 0), x, s0);
      s1 = dot(int8(weights, 1), x, s1);
      s2 = dot(int8(weights, 2), x, s2);
      s3 = dot(int8(weights, 3), x, s3);
      s4 = dot(int8(weights, 4), x, s4);
      s5 = dot(int8(weights, 5), x, s5);
      s6 = dot(int8(weights, 6), x, s6);
      s7 = dot(int8(weights, 7), x, s7);
      s8 = dot(int8(weights, 8), x, s8);
      s9 = dot(int8(weights, 9), x, s9);
    }
  } else {
    const y = v128.load(p, 32);
    for (; weights < end; weights += turn >> 1) {
      const a = int8(weights, 0),
        b = int8(weights, 1),
        c = int8(weights, 2),
        d = int8(weights, 3),
        e = int8(weights, 4);
      s0 = dot(a, x, s0);
      s1 = dot(a, y, s1);
      s2 = dot(b, x, s2);
      s3 = dot(b, y, s3);
      s4 = dot(c, x, s4);
      s5 = dot(c, y, s5);
      s6 = dot(d, x, s6);
      s7 = dot(d, y, s7);
      s8 = dot(e, x, s8);
      s9 = dot(e, y, s9);
    }
  }
  const left = i32x4.add(i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3)), i32x4.add(s4, s5));
  v128.store(p, i32x4.add(left, i32x4.add(i32x4.add(s6, s7), i32x4.add(s8, s9))), 16);
}
