/** The register tiles by a panel of 8 columns: lib/linear/tiles.ts says why each is a function of its own. */
import { tile } from "./tile";

export function tile1x8(
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

export function tile2x8(
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

export function tile3x8(
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

export function tile4x8(
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

export function tile5x8(
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

export function tile6x8(
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
