/** Where an int8 weight lies: twin of assembly/lib/q8_panel.ts, which draws it. */
import { panelWidth } from "./panel.ts";

/** Rows of a matrix that stand together: longer ones are cut. */
const CHUNK = 2048;

/** Rows of activations that are quantised before they are multiplied. */
const BLOCK = 96;

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** One piece of a packed matrix: rows `first`…, its −Σ at byte `sums`, its panels at byte `panels`. */
export interface Chunk {
  readonly first: number;
  readonly rows: number;
  readonly sums: number;
  readonly panels: number;
}

/** The pieces of a packed [K, N], behind the scales of its columns. */
export function chunks(K: number, N: number): Chunk[] {
  const Np = panelWidth(N);
  const list: Chunk[] = [];
  let at = Np * 4;
  for (let first = 0; first < K || first === 0; first += CHUNK) {
    const rows = Math.min(K - first, CHUNK);
    list.push({ first, rows, sums: at, panels: at + Np * 4 });
    at += Np * (4 + up(rows, 4));
  }
  return list;
}

/** Bytes of a packed [K, N]. */
export function packedBytes(K: number, N: number): number {
  const { panels, rows } = chunks(K, N).at(-1)!;
  return panels + panelWidth(N) * up(rows, 4);
}

/** Byte offset, in a chunk's panels, of its row k in column n. */
export function int8Offset(rows: number, N: number, k: number, n: number): number {
  const first = n - (n % 8);
  const width = N - first > 4 ? 8 : 4;
  return first * up(rows, 4) + (k >> 2) * 4 * width + (n % 8) * 4 + (k & 3);
}

/** Bytes of scratch for products of M rows of K. */
export const scratchBytes = (M: number, K: number): number => 4 * BLOCK + 192 + 2 * up(K, 16) * Math.min(M, BLOCK);
