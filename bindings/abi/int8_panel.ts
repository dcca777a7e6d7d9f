/** Where an int8 weight lies: twin of assembly/lib/int8/q8_panel.ts, which draws it. */
import { panelStart, panelWidth, widthAt } from "./panel.ts";

/** Rows of a matrix that are packed together; longer matrices are cut into chunks. */
const CHUNK = 2048;

/** Terms of a sum that stand side by side. */
const GROUP = 4;

/** Rows of activations that are quantised at a time. */
const BLOCK = 96;

/** Terms that a row of quantised activations is padded to. */
const ROW = 16;

/** Bytes for the sums of a tile. */
const TILE_SUMS = 192;

const FLOAT = 4;

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** A piece of a packed matrix: rows `first`…, at byte `sums` −Σ of its columns, at byte `panels` its panels. */
export interface Int8Chunk {
  readonly first: number;
  readonly rows: number;
  readonly sums: number;
  readonly panels: number;
}

/** The chunks of a packed [K, N]. The scales of the columns lie in front of the first. */
export function int8Chunks(K: number, N: number): Int8Chunk[] {
  const columns = panelWidth(N);
  const list: Int8Chunk[] = [];
  let at = columns * FLOAT;
  for (let first = 0; first < K || first === 0; first += CHUNK) {
    const rows = Math.min(K - first, CHUNK);
    list.push({ first, rows, sums: at, panels: at + columns * FLOAT });
    at += columns * (FLOAT + up(rows, GROUP));
  }
  return list;
}

/** Bytes of a packed [K, N]: where the last of its chunks ends, without a list of them, which a file might make long. */
export function int8PackedBytes(K: number, N: number): number {
  const last = K % CHUNK || Math.min(K, CHUNK);
  const whole = Math.max(Math.ceil(K / CHUNK) - 1, 0);
  return panelWidth(N) * (FLOAT + whole * (FLOAT + CHUNK) + FLOAT + up(last, GROUP));
}

/** Byte offset of row k, column n in the panels of a chunk with so many rows. */
export function int8Offset(rows: number, N: number, k: number, n: number): number {
  const [first, term] = [panelStart(n), k % GROUP];
  return first * up(rows, GROUP) + (k - term) * widthAt(N, n) + (n - first) * GROUP + term;
}

/** Bytes of scratch for the product of A [M, K] with int8 weights. */
export const int8ScratchBytes = (M: number, K: number): number =>
  BLOCK * FLOAT + TILE_SUMS + 2 * up(K, ROW) * Math.min(M, BLOCK);
