/**
 * Rows of floats to integers (lib/int8/q8_panel.ts): symmetric, a scale per row.
 *
 * Adding 1.5·2²³ leaves the nearest integer, ties to even, in the low bits of the float, the same in every engine. A
 * row of zeros, or of nothing that a float could divide by, has scale 0; one that holds NaN or ∞ has scale NaN, and so
 * does what it is multiplied to.
 */
import { loadPartial } from "../f32x4";
import { BLOCK, limbBytes, limbsOf, ROW_SCALES, TILE_SUMS } from "./q8_panel";

const MAGIC: f32 = 12582912.0; // 1.5·2²³

/** Below it a row counts as zeros. */
const TINY: f32 = 1e-30;

/** Magnitudes of four floats as integers, which are in the same order, NaN above all. */
// @ts-ignore: decorator
@inline
function magnitudes(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x7fffffff));
}

/**
 * max |x| over a row; NaN when there is one. Of integers, since f32x4.max takes several instructions (measured: half of
 * the time of a row).
 */
function largest(K: usize, x: usize): f32 {
  let m = i32x4.splat(0),
    n = m;
  const end = x + (K << 2);
  for (; x + 32 <= end; x += 32) {
    m = i32x4.max_s(m, magnitudes(v128.load(x)));
    n = i32x4.max_s(n, magnitudes(v128.load(x, 16)));
  }
  for (; x < end; x += 16) m = i32x4.max_s(m, magnitudes(loadPartial(x, (end - x) >> 2)));
  m = i32x4.max_s(m, n);
  m = i32x4.max_s(m, v128.shuffle<i32>(m, m, 2, 3, 0, 1));
  return reinterpret<f32>(max(i32x4.extract_lane(m, 0), i32x4.extract_lane(m, 1)));
}

/** Four integers, offset as `magic` says, in the low bits of the lanes. */
// @ts-ignore: decorator
@inline
function integers(x: v128, inverse: v128, magic: v128): v128 {
  return f32x4.add(f32x4.mul(x, inverse), magic);
}

/** Sixteen small lanes of four vectors as bytes. */
// @ts-ignore: decorator
@inline
function bytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Up to 16 integers of one row. */
// @ts-ignore: decorator
@inline
function storeIntegers(bits: usize, a: v128, b: v128, c: v128, d: v128, q: usize, limb: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const low = i32x4.splat(127);
    v128.store(q, bytes(v128.and(a, low), v128.and(b, low), v128.and(c, low), v128.and(d, low)));
    if (bits != 14) return;
    const high = i32x4.splat(127 << 7);
    v128.store(
      q + limb,
      bytes(
        i32x4.shr_u(v128.and(a, high), 7),
        i32x4.shr_u(v128.and(b, high), 7),
        i32x4.shr_u(v128.and(c, high), 7),
        i32x4.shr_u(v128.and(d, high), 7),
      ),
    );
  } else {
    const zero = v128.splat<f32>(MAGIC);
    v128.store(q, i16x8.narrow_i32x4_s(i32x4.sub(a, zero), i32x4.sub(b, zero)));
    v128.store(q, i16x8.narrow_i32x4_s(i32x4.sub(c, zero), i32x4.sub(d, zero)), 16);
  }
}

/** One row; returns its scale. */
function quantizeRow(K: usize, x: usize, bits: usize, q: usize): f32 {
  const levels: f32 = bits == 14 ? 8191 : 63;
  const m = largest(K, x);
  const empty = m < TINY;
  const inverse = f32x4.splat(empty ? 0 : levels / m);
  const magic = f32x4.splat(MAGIC + (ASC_FEATURE_RELAXED_SIMD ? levels + 1 : 0));
  const limb = limbBytes(K);
  const step: usize = ASC_FEATURE_RELAXED_SIMD ? 16 : 32;
  const zero = f32x4.splat(0);
  const end = x + (K << 2);
  for (; x + 64 <= end; x += 64, q += step) {
    storeIntegers(
      bits,
      integers(v128.load(x), inverse, magic),
      integers(v128.load(x, 16), inverse, magic),
      integers(v128.load(x, 32), inverse, magic),
      integers(v128.load(x, 48), inverse, magic),
      q,
      limb,
    );
  }
  if (x < end) {
    const left = (end - x) >> 2;
    storeIntegers(
      bits,
      integers(loadPartial(x, left), inverse, magic),
      integers(left > 4 ? loadPartial(x + 16, left - 4) : zero, inverse, magic),
      integers(left > 8 ? loadPartial(x + 32, left - 8) : zero, inverse, magic),
      integers(left > 12 ? loadPartial(x + 48, left - 12) : zero, inverse, magic),
      q,
      limb,
    );
  }
  return empty ? 0 : m < Infinity ? m / levels : NaN;
}

/**
 * Rows to integers.
 *
 * @param M, K     extents, M at most BLOCK
 * @param x, ldx   in   [M, K]
 * @param bits     7 or 14
 * @param scratch  out  the scales, room for a tile's sums, the rows
 */
export function quantizeRows(M: usize, K: usize, x: usize, ldx: usize, bits: usize, scratch: usize): void {
  assert(M <= BLOCK && (bits == 7 || bits == 14), "at most a block of rows, 7 or 14 bits");
  const bytes = limbsOf(bits) * limbBytes(K);
  let q = scratch + ROW_SCALES + TILE_SUMS;
  for (; M; M--, x += ldx << 2, scratch += 4, q += bytes) store<f32>(scratch, quantizeRow(K, x, bits, q));
}
