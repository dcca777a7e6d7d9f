/**
 * Weights to column panels, and gates to and from panel order (lib/linear/panel.ts draws both).
 *
 * Packing is pure movement. It costs 0.3–0.7 % of a training step, 3 % of one of 50 µs (measured), so panels are
 * derived whenever the weights have changed and never stored.
 *
 * Padding   columns and rows that only fill a panel are written as 0.
 * Aliasing  none.
 */
import { loadPartial, storePartial } from "../../lib/f32x4";
import { gateColumn, panelWidth, widthAt } from "../../lib/linear/panel";

/** Up to 8 columns of K rows, ld bytes apart, to one panel of width 8 or 4. */
function packPanel(K: usize, columns: usize, w: usize, ld: usize, panel: usize, width: usize): void {
  if (columns == 8) {
    for (const end = panel + (K << 5); panel != end; panel += 32, w += ld) {
      v128.store(panel, v128.load(w));
      v128.store(panel, v128.load(w, 16), 16);
    }
    return;
  }
  const right = columns > 4 ? columns - 4 : 0;
  const left = columns - right;
  for (let k: usize = 0; k < K; k++, w += ld, panel += width << 2) {
    v128.store(panel, loadPartial(w, left));
    if (width == 8) v128.store(panel, right ? loadPartial(w + 16, right) : f32x4.splat(0), 16);
  }
}

/**
 * Up to four rows of w to columns of a panel: `rows` × `terms`, with 0 in what is left of 4 × 4, of which `height` rows
 * are written. Strides in bytes.
 */
function transpose(rows: usize, terms: usize, height: usize, w: usize, ld: usize, to: usize, step: usize): void {
  const zero = f32x4.splat(0);
  const a = loadPartial(w, terms);
  const b = rows > 1 ? loadPartial(w + ld, terms) : zero;
  const c = rows > 2 ? loadPartial(w + 2 * ld, terms) : zero;
  const d = rows > 3 ? loadPartial(w + 3 * ld, terms) : zero;
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5),
    cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  if (height > 1) v128.store(to + step, v128.shuffle<i64>(ab, cd, 1, 3));
  if (height < 3) return;
  const ef = v128.shuffle<f32>(a, b, 2, 6, 3, 7),
    gh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to + 2 * step, v128.shuffle<i64>(ef, gh, 0, 2));
  if (height > 3) v128.store(to + 3 * step, v128.shuffle<i64>(ef, gh, 1, 3));
}

/**
 * Packs w as it lies.
 *
 * @param K, N    extents
 * @param w       in   [K, N]
 * @param ldw     row stride of w
 * @param panels  out  [K, panelWidth(N)] in panels
 */
export function f32_pack_nn(K: usize, N: usize, w: usize, ldw: usize, panels: usize): void {
  for (let n: usize = 0; n < N; n += 8) {
    const width = widthAt(N, n);
    packPanel(K, min(width, N - n), w + (n << 2), ldw << 2, panels, width);
    panels += (K * width) << 2;
  }
}

/**
 * Packs the transpose of w.
 *
 * @param K, N    extents of the transpose
 * @param w       in   [N, K]
 * @param ldw     row stride of w
 * @param panels  out  [K, panelWidth(N)] in panels
 */
export function f32_pack_nt(K: usize, N: usize, w: usize, ldw: usize, panels: usize): void {
  const ld = ldw << 2;
  for (let n: usize = 0; n < N; n += 8) {
    const width = widthAt(N, n);
    for (let j: usize = 0; j < width; j += 4) {
      const rows = min<usize>(4, N - n - j);
      let from = w + (n + j) * ld,
        to = panels + (j << 2);
      for (let left = K; left > 0; left -= min<usize>(4, left), from += 16, to += width << 4) {
        transpose(rows, min<usize>(4, left), min<usize>(4, left), from, ld, to, width << 2);
      }
    }
    panels += (K * width) << 2;
  }
}

/**
 * Packs a gated weight with its columns in panel order.
 *
 * @param K, G, H  rows, gates, units
 * @param w        in   [K, G·H]
 * @param ldw      row stride of w
 * @param panels   out  [K, G·panelWidth(H)] in panels
 */
export function f32_pack_gates_nn(K: usize, G: usize, H: usize, w: usize, ldw: usize, panels: usize): void {
  for (let j: usize = 0; j < H; j += 8) {
    // a block of 8 units fills G whole panels; the narrow last block puts two gates side by side in each
    const width = widthAt(H, j);
    const units = min(width, H - j);
    for (let g: usize = 0; g < G; g++) {
      const column = g * width;
      const w4 = G * width - (column & ~7) > 4 ? <usize>8 : 4;
      let to = panels + ((K * (column & ~7) + (column & 7)) << 2);
      let from = w + ((g * H + j) << 2);
      if (width == 8) {
        packPanel(K, units, from, ldw << 2, to, 8);
      } else {
        for (let k: usize = 0; k < K; k++, from += ldw << 2, to += w4 << 2) v128.store(to, loadPartial(from, units));
      }
    }
    panels += (K * G * width) << 2;
  }
}

/**
 * Packs the transpose of a gated weight, its rows in panel order: the right operand of dgates · Uᵀ.
 *
 * @param G, H, N  gates, units, columns of the transpose
 * @param w        in   [N, G·H]
 * @param ldw      row stride of w
 * @param panels   out  [G·panelWidth(H), panelWidth(N)] in panels; rows of padding 0
 */
export function f32_pack_gates_nt(G: usize, H: usize, N: usize, w: usize, ldw: usize, panels: usize): void {
  const ld = ldw << 2;
  for (let n: usize = 0; n < N; n += 8) {
    const width = widthAt(N, n);
    for (let i: usize = 0; i < width; i += 4) {
      const rows = min<usize>(4, N - n - i);
      let to = panels + (i << 2);
      for (let j: usize = 0; j < H; j += 8) {
        const units = widthAt(H, j);
        for (let g: usize = 0; g < G; g++) {
          const from = w + (n + i) * ld + ((g * H + j) << 2);
          for (let u: usize = 0; u < units; u += 4, to += width << 4) {
            transpose(rows, min<usize>(4, H - j - u), 4, from + (u << 2), ld, to, width << 2);
          }
        }
      }
    }
    panels += (G * panelWidth(H) * width) << 2;
  }
}

/**
 * Rows of gates to panel order.
 *
 * @param M, G, H  rows, gates, units
 * @param x        in   [M, G·H]
 * @param ldx      row stride of x
 * @param y        out  [M, G·panelWidth(H)], padding 0
 * @param ldy      row stride of y
 */
export function f32_permute_gates(M: usize, G: usize, H: usize, x: usize, ldx: usize, y: usize, ldy: usize): void {
  for (let m: usize = 0; m < M; m++, x += ldx << 2, y += ldy << 2) {
    let to = y;
    for (let j: usize = 0; j < H; j += 8) {
      const width = widthAt(H, j);
      for (let g: usize = 0; g < G; g++, to += width << 2) {
        packPanel(1, min(width, H - j), x + ((g * H + j) << 2), 0, to, width);
      }
    }
  }
}

/**
 * Adds rows in panel order to rows in gate order: the way back for gradients.
 *
 * @param M, G, H  rows, gates, units
 * @param x        in      [M, G·panelWidth(H)]
 * @param ldx      row stride of x
 * @param y        in/out  [M, G·H]
 * @param ldy      row stride of y
 */
export function f32_unpermute_gates_acc(
  M: usize,
  G: usize,
  H: usize,
  x: usize,
  ldx: usize,
  y: usize,
  ldy: usize,
): void {
  for (let m: usize = 0; m < M; m++, x += ldx << 2, y += ldy << 2) {
    let from = x;
    for (let j: usize = 0; j < H; j += 8) {
      const width = widthAt(H, j);
      for (let g: usize = 0; g < G; g++) {
        for (let u: usize = 0; u < width; u += 4, from += 16) {
          const to = y + ((g * H + j + u) << 2),
            count = H - j - u;
          if (count >= 4) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
          else storePartial(to, f32x4.add(loadPartial(to, count), v128.load(from)), count);
        }
      }
    }
  }
}

/**
 * One gate of rows in panel order, as rows of units.
 *
 * @param M        rows
 * @param live     in   [1] | 0     rows that count
 * @param G, H, g  gates, units, which gate
 * @param x        in   [M, G·panelWidth(H)]
 * @param ldx      row stride of x
 * @param y        out  [M, H]
 * @param ldy      row stride of y
 */
export function f32_unpermute_gate(
  M: usize,
  live: usize,
  G: usize,
  H: usize,
  g: usize,
  x: usize,
  ldx: usize,
  y: usize,
  ldy: usize,
): void {
  if (live) M = min(M, <usize>load<i32>(live));
  for (let m: usize = 0; m < M; m++, x += ldx << 2, y += ldy << 2) {
    for (let j: usize = 0; j < H; j += 4) {
      storePartial(y + (j << 2), v128.load(x + (gateColumn(G, H, g, j) << 2)), min(H - j, <usize>4));
    }
  }
}
