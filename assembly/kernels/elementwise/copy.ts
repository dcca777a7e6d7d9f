/**
 * Moving and converting elements: fill, copy, copies between strided layouts, one-hot rows.
 *
 * A strided copy is given as i32 [rank, (size, stride of x, stride of y) × rank], outermost axis first, strides in
 * elements. x's may be 0 (broadcast) or negative (reversed), y's may be 0 in the adding form (a sum).
 *
 * Aliasing   x and y do not overlap.
 * Cost       rows with stride 1 on both sides move 4 floats at a time, others float by float.
 */
import { LANES, storePartial } from "../../lib/f32x4";

/** Axes that a strided copy may have. */
const MAX_RANK: i32 = 8;

/**
 * Sets every element.
 *
 * @param n      elements
 * @param y      out  [n]
 * @param value
 */
export function f32_fill(n: usize, y: usize, value: f32): void {
  const v = f32x4.splat(value);
  let i: usize = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + (i << 2), v);
  for (; i < n; i++) store<f32>(y + (i << 2), value);
}

/**
 * Copies x to y, which may not overlap it partly.
 *
 * @param n  elements
 * @param x  in   [n]
 * @param y  out  [n]
 */
export function f32_copy(n: usize, x: usize, y: usize): void {
  memory.copy(y, x, n << 2);
}

/** Bits of 1e-30, of infinity, and of all but the sign. */
const TINY: i32 = 0x0da24260;
const INFINITE: i32 = 0x7f800000;
const MAGNITUDE: i32 = 0x7fffffff;

/**
 * Sets to 0 what is smaller than 1e-30: its products with weights would be denormal, which are slow. It looks at bits,
 * since comparing denormals as floats is slow, too.
 *
 * @param n  elements
 * @param x  in/out  [n]
 * @returns the first element that is NaN or infinite; -1 if there is none
 */
export function f32_flush(n: usize, x: usize): i32 {
  const magnitude = i32x4.splat(MAGNITUDE),
    tiny = i32x4.splat(TINY),
    infinite = i32x4.splat(INFINITE);
  let odd = i32x4.splat(0);
  let i: usize = 0;
  for (; i + LANES <= n; i += LANES) {
    const v = v128.load(x + (i << 2));
    const m = v128.and(v, magnitude);
    odd = v128.or(odd, i32x4.ge_s(m, infinite));
    v128.store(x + (i << 2), v128.andnot(v, i32x4.lt_s(m, tiny)));
  }
  if (v128.any_true(odd)) i = 0;
  for (; i < n; i++) {
    const m = load<i32>(x + (i << 2)) & MAGNITUDE;
    if (m >= INFINITE) return <i32>i;
    if (m < TINY) store<i32>(x + (i << 2), 0);
  }
  return -1;
}

/** y = x as floats: n integers in, may run in place. */
export function i32_to_f32(n: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < n; i += LANES) {
    storePartial(y + (i << 2), f32x4.convert_i32x4_s(v128.load(x + (i << 2))), min(LANES, n - i));
  }
}

/** y = x cut off towards 0: n floats in, may run in place; NaN becomes 0, what does not fit the nearest integer. */
export function f32_to_i32(n: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < n; i += LANES) {
    storePartial(y + (i << 2), i32x4.trunc_sat_f32x4_s(v128.load(x + (i << 2))), min(LANES, n - i));
  }
}

/** y[i·sy] = x[i·sx]. */
function copyRow(n: usize, sx: isize, sy: isize, x: usize, y: usize): void {
  if (sx == 1 && sy == 1) {
    for (; n >= LANES; n -= LANES, x += 16, y += 16) v128.store(y, v128.load(x));
    if (n) storePartial(y, v128.load(x), n);
    return;
  }
  if (sx == 0 && sy == 1) {
    f32_fill(n, y, load<f32>(x));
    return;
  }
  for (let i: usize = 0; i < n; i++, x += sx << 2, y += sy << 2) store<f32>(y, load<f32>(x));
}

/** y[i·sy] += x[i·sx]; with sy = 0 the row's sum is taken in f64. */
function addRow(n: usize, sx: isize, sy: isize, x: usize, y: usize): void {
  if (sx == 1 && sy == 1) {
    for (; n >= LANES; n -= LANES, x += 16, y += 16) v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    if (n) storePartial(y, f32x4.add(v128.load(y), v128.load(x)), n);
    return;
  }
  if (sy == 0) {
    let sum: f64 = load<f32>(y);
    for (let i: usize = 0; i < n; i++, x += sx << 2) sum += load<f32>(x);
    store<f32>(y, <f32>sum);
    return;
  }
  for (let i: usize = 0; i < n; i++, x += sx << 2, y += sy << 2) store<f32>(y, load<f32>(y) + load<f32>(x));
}

/** The loops over the axes at `axes`, `rank` of them: the innermost is a row, every other calls itself. */
function walk(acc: bool, axes: usize, rank: i32, x: usize, y: usize): void {
  const n = <usize>load<i32>(axes);
  const sx = <isize>load<i32>(axes, 4);
  const sy = <isize>load<i32>(axes, 8);
  if (rank <= 1) {
    if (acc) addRow(n, sx, sy, x, y);
    else copyRow(n, sx, sy, x, y);
    return;
  }
  for (let i: usize = 0; i < n; i++, x += sx << 2, y += sy << 2) walk(acc, axes + 12, rank - 1, x, y);
}

/**
 * y = x between two layouts.
 *
 * @param spec  in   i32 [1 + 3·rank]  rank 1…8, then the axes
 * @param x     in   its first element
 * @param y     out  its first element
 */
export function f32_copy_strided(spec: usize, x: usize, y: usize): void {
  const rank = load<i32>(spec);
  assert(rank >= 1 && rank <= MAX_RANK, "rank must be 1 to 8");
  walk(false, spec + 4, rank, x, y);
}

/**
 * y += x between two layouts.
 *
 * @param spec  in      i32 [1 + 3·rank]
 * @param x     in      its first element
 * @param y     in/out  its first element
 */
export function f32_copy_strided_acc(spec: usize, x: usize, y: usize): void {
  const rank = load<i32>(spec);
  assert(rank >= 1 && rank <= MAX_RANK, "rank must be 1 to 8");
  walk(true, spec + 4, rank, x, y);
}

/**
 * One row per index: 1 in its column, 0 elsewhere; all 0 for an index outside 0…N−1.
 *
 * @param M      rows
 * @param N      columns
 * @param index  in   i32 [M]
 * @param y      out  [M, N]
 */
export function f32_one_hot(M: usize, N: usize, index: usize, y: usize): void {
  f32_fill(M * N, y, 0);
  for (let m: usize = 0; m < M; m++) {
    const column = <usize>load<u32>(index + (m << 2)); // a negative index is a very large one
    if (column < N) store<f32>(y + ((m * N + column) << 2), 1);
  }
}
