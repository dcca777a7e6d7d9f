/**
 * Rows by index: gathers, and the scatter that is a gather's gradient.
 *
 *   gather  y[m] = x[index[m]]        scatter  y[index[m]] += x[m], in the order of m
 *
 * An index below 0 reads zeros and writes nothing.
 *
 * Layout    x, y row-major, row strides ldx, ldy in elements.
 * Padding   rows are read to the next multiple of 4 floats and written exactly.
 * Aliasing  none, but i32_gather's y may be its index.
 * Cost      gather: one load and one store per 4 floats, scatter a load and an addition more.
 */
import { LANES, storePartial } from "../../lib/f32x4";

/** Copies W ≥ 4 floats; the last four overlap those before them when W is no multiple of 4. */
// @ts-ignore: decorator
@inline
function copyRow(W: usize, from: usize, to: usize): void {
  const last = (W - LANES) << 2;
  let i: usize = 0;
  for (; i + 48 <= last; i += 64) {
    const a = v128.load(from + i);
    const b = v128.load(from + i, 16);
    const c = v128.load(from + i, 32);
    const d = v128.load(from + i, 48);
    v128.store(to + i, a);
    v128.store(to + i, b, 16);
    v128.store(to + i, c, 32);
    v128.store(to + i, d, 48);
  }
  for (; i < last; i += 16) v128.store(to + i, v128.load(from + i));
  v128.store(to + last, v128.load(from + last));
}

/**
 * Picks rows.
 *
 * @param M      rows of y
 * @param live   in   [1] | 0      rows that count; the others of y are left alone
 * @param W      columns
 * @param x      in   [.., W]
 * @param ldx    row stride of x
 * @param index  in   [M]  i32     row of x, below 0 for zeros
 * @param y      out  [M, W]
 * @param ldy    row stride of y
 */
export function f32_gather_rows(
  M: usize,
  live: usize,
  W: usize,
  x: usize,
  ldx: usize,
  index: usize,
  y: usize,
  ldy: usize,
): void {
  if (live) M = min(M, <usize>load<i32>(live));
  if (W == 0) return;
  for (let m: usize = 0; m < M; m++, index += 4, y += ldy << 2) {
    const row = load<i32>(index);
    const from = x + ((<usize>row * ldx) << 2);
    if (W == 1) store<f32>(y, row < 0 ? 0 : load<f32>(from));
    else if (row < 0) memory.fill(y, 0, W << 2);
    else if (W < LANES) storePartial(y, v128.load(from), W);
    else copyRow(W, from, y);
  }
}

/**
 * Adds rows to rows, several to one where an index repeats.
 *
 * @param M      rows of x
 * @param live   in      [1] | 0   rows that count
 * @param W      columns
 * @param x      in      [M, W]
 * @param ldx    row stride of x
 * @param index  in      [M]  i32  row of y, below 0 to skip
 * @param y      in/out  [.., W]
 * @param ldy    row stride of y
 */
export function f32_scatter_rows_acc(
  M: usize,
  live: usize,
  W: usize,
  x: usize,
  ldx: usize,
  index: usize,
  y: usize,
  ldy: usize,
): void {
  if (live) M = min(M, <usize>load<i32>(live));
  const whole = (W & ~(LANES - 1)) << 2;
  const rest = W & (LANES - 1);
  for (let m: usize = 0; m < M; m++, index += 4, x += ldx << 2) {
    const row = load<i32>(index);
    if (row < 0) continue;
    const to = y + ((<usize>row * ldy) << 2);
    for (let i: usize = 0; i < whole; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(x + i)));
    if (rest) storePartial(to + whole, f32x4.add(v128.load(to + whole), v128.load(x + whole)), rest);
  }
}

/**
 * Picks integers.
 *
 * @param M      elements of y
 * @param live   in   [1] | 0  elements that count; the others of y are left alone
 * @param x      in   [..]
 * @param index  in   [M]      element of x, below 0 for 0
 * @param y      out  [M]
 */
export function i32_gather(M: usize, live: usize, x: usize, index: usize, y: usize): void {
  if (live) M = min(M, <usize>load<i32>(live));
  for (let m: usize = 0; m < M; m++) {
    const i = load<i32>(index + (m << 2));
    store<i32>(y + (m << 2), i < 0 ? 0 : load<i32>(x + ((<usize>i) << 2)));
  }
}
