/** The register tiles by a panel of 4 columns: lib/linear/tiles.ts says why each is a function of its own. */
import { tile } from "./tile";

export function tile1x4(
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

export function tile2x4(
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

export function tile3x4(
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

export function tile4x4(
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

export function tile5x4(
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

export function tile6x4(
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
