/**
 * Sums whose error does not grow with the count: a block is added in float, the blocks in double.
 *
 *   row       16 partial sums over a block of 512 floats
 *   columns   16 at a time, top to bottom, 32 rows to a block; nothing but registers is needed
 */
import { loadPartial, madd, storePartial } from "../f32x4";

/** Floats of a row that are added in float. */
const BLOCK: usize = 512;
/** Rows of a column likewise. */
const BLOCK_ROWS: usize = 32;

/** acc + a, or acc + a ⊙ b: `dotted` is a literal. */
// @ts-ignore: decorator
@inline
function add(dotted: bool, acc: v128, a: usize, b: usize): v128 {
  return dotted ? madd(v128.load(a), v128.load(b), acc) : f32x4.add(acc, v128.load(a));
}

// @ts-ignore: decorator
@inline
function sumBlock(dotted: bool, n: usize, a: usize, b: usize): f64 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; n >= 16; n -= 16, a += 64, b += 64) {
    s0 = add(dotted, s0, a, b);
    s1 = add(dotted, s1, a + 16, b + 16);
    s2 = add(dotted, s2, a + 32, b + 32);
    s3 = add(dotted, s3, a + 48, b + 48);
  }
  for (; n >= 4; n -= 4, a += 16, b += 16) s0 = add(dotted, s0, a, b);
  if (n) {
    const tail = loadPartial(a, n);
    s1 = f32x4.add(s1, dotted ? f32x4.mul(tail, loadPartial(b, n)) : tail);
  }
  const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const d = f64x2.add(f64x2.promote_low_f32x4(s), f64x2.promote_low_f32x4(high(s)));
  return f64x2.extract_lane(d, 0) + f64x2.extract_lane(d, 1);
}

/** The upper two lanes moved down. */
// @ts-ignore: decorator
@inline
function high(v: v128): v128 {
  return i64x2.shuffle(v, v, 1, 1);
}

/** Σ x[i]. */
export function sum(n: usize, x: usize): f64 {
  let total: f64 = 0;
  for (; n > BLOCK; n -= BLOCK, x += BLOCK << 2) total += sumBlock(false, BLOCK, x, x);
  return total + sumBlock(false, n, x, x);
}

/** Σ a[i]·b[i]. */
export function dot(n: usize, a: usize, b: usize): f64 {
  let total: f64 = 0;
  for (; n > BLOCK; n -= BLOCK, a += BLOCK << 2, b += BLOCK << 2) total += sumBlock(true, BLOCK, a, b);
  return total + sumBlock(true, n, a, b);
}

/** Σ x[i]², every square in double: it neither overflows nor vanishes. */
export function sumOfSquares(n: usize, x: usize): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  for (; n > 0; x += 16) {
    const v = loadPartial(x, n);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(high(v));
    s0 = f64x2.add(s0, f64x2.mul(a, a));
    s1 = f64x2.add(s1, f64x2.mul(b, b));
    n -= min<usize>(n, 4);
  }
  const s = f64x2.add(s0, s1);
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** v in double at y or, with `acc`, added to what is there: `count` (1…4) floats of a sum held in two halves. */
// @ts-ignore: decorator
@inline
function storeSums(acc: bool, y: usize, low: v128, up: v128, count: usize): void {
  if (acc) {
    const before = loadPartial(y, count);
    low = f64x2.add(low, f64x2.promote_low_f32x4(before));
    up = f64x2.add(up, f64x2.promote_low_f32x4(high(before)));
  }
  const sums = i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(up), 0, 2);
  storePartial(y, sums, count);
}

/**
 * The sums of 16 columns, or of up to four (`whole` = false, `count` of them), down `rows` rows, `stride` bytes apart.
 * 16 floats are a cache line: with rows 4096 bytes apart a line is gone before the next tile would come back to it
 * (measured: more than twice as fast as tiles of 8).
 */
// @ts-ignore: decorator
@inline
function sumTile(acc: bool, whole: bool, rows: usize, count: usize, x: usize, stride: usize, y: usize): void {
  const zero = f64x2.splat(0);
  let d0 = zero,
    d1 = zero,
    d2 = zero,
    d3 = zero,
    d4 = zero,
    d5 = zero,
    d6 = zero,
    d7 = zero;
  while (rows) {
    let s0 = zero,
      s1 = zero,
      s2 = zero,
      s3 = zero;
    for (const end = rows - min(rows, BLOCK_ROWS); rows > end; rows--, x += stride) {
      s0 = f32x4.add(s0, v128.load(x));
      if (!whole) continue;
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
    }
    d0 = f64x2.add(d0, f64x2.promote_low_f32x4(s0));
    d1 = f64x2.add(d1, f64x2.promote_low_f32x4(high(s0)));
    if (!whole) continue;
    d2 = f64x2.add(d2, f64x2.promote_low_f32x4(s1));
    d3 = f64x2.add(d3, f64x2.promote_low_f32x4(high(s1)));
    d4 = f64x2.add(d4, f64x2.promote_low_f32x4(s2));
    d5 = f64x2.add(d5, f64x2.promote_low_f32x4(high(s2)));
    d6 = f64x2.add(d6, f64x2.promote_low_f32x4(s3));
    d7 = f64x2.add(d7, f64x2.promote_low_f32x4(high(s3)));
  }
  storeSums(acc, y, d0, d1, count);
  if (!whole) return;
  storeSums(acc, y + 16, d2, d3, 4);
  storeSums(acc, y + 32, d4, d5, 4);
  storeSums(acc, y + 48, d6, d7, 4);
}

/** y[n] = or, with the literal `acc`, += Σ over the rows of x[m, n]; row stride ldx in floats. */
// @ts-ignore: decorator
@inline
export function sumColumns(acc: bool, rows: usize, N: usize, x: usize, ldx: usize, y: usize): void {
  const stride = ldx << 2;
  for (; N >= 16; N -= 16, x += 64, y += 64) sumTile(acc, true, rows, 4, x, stride, y);
  for (; N > 4; N -= 4, x += 16, y += 16) sumTile(acc, false, rows, 4, x, stride, y);
  if (N) sumTile(acc, false, rows, N, x, stride, y);
}
