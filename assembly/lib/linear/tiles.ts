/**
 * The register tiles as functions of their own.
 *
 * They are called, not inlined: older V8 unrolls loops the more the deeper they are nested, and an unrolled tile spills
 * (measured: half the speed). Each is called from two places, or the compiler would inline it after all.
 */
import { MAX_ROWS, tile } from "./tile";

function tile1x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(1, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile2x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(2, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile3x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(3, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile4x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(4, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile5x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(5, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile6x8(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(6, 8, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile1x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(1, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile2x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(2, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile3x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(3, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile4x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(4, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile5x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(5, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

function tile6x4(
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  tile(6, 4, count, K, a, rs, cs, panel, init, is, c, os);
}

/** The tile of `rows` (1…MAX_ROWS) by NR (literal). */
// @ts-ignore: decorator
@inline
export function tileOf(
  rows: usize,
  NR: i32,
  count: usize,
  K: usize,
  a: usize,
  rs: usize,
  cs: usize,
  panel: usize,
  init: usize,
  is: usize,
  c: usize,
  os: usize,
): void {
  if (NR == 8) {
    if (MAX_ROWS > 5 && rows == 6) tile6x8(count, K, a, rs, cs, panel, init, is, c, os);
    else if (MAX_ROWS > 4 && rows == 5) tile5x8(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 4) tile4x8(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 3) tile3x8(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 2) tile2x8(count, K, a, rs, cs, panel, init, is, c, os);
    else tile1x8(count, K, a, rs, cs, panel, init, is, c, os);
  } else {
    if (MAX_ROWS > 5 && rows == 6) tile6x4(count, K, a, rs, cs, panel, init, is, c, os);
    else if (MAX_ROWS > 4 && rows == 5) tile5x4(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 4) tile4x4(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 3) tile3x4(count, K, a, rs, cs, panel, init, is, c, os);
    else if (rows == 2) tile2x4(count, K, a, rs, cs, panel, init, is, c, os);
    else tile1x4(count, K, a, rs, cs, panel, init, is, c, os);
  }
}
