/**
 * The register tiles as functions of their own.
 *
 * They are called, not inlined: older V8 unrolls loops the more the deeper they are nested, and an unrolled tile spills
 * (measured: half the speed). Each is called from two places, or the compiler would inline it after all.
 */
import { MAX_ROWS } from "./tile";
import { tile1x4, tile2x4, tile3x4, tile4x4, tile5x4, tile6x4 } from "./tiles_narrow";
import { tile1x8, tile2x8, tile3x8, tile4x8, tile5x8, tile6x8 } from "./tiles_wide";

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
