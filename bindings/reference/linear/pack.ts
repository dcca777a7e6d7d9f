/** Weights to panels, gates to and from panel order: twin of assembly/kernels/linear/pack.ts. */
import { gateColumn, panelOffset, panelWidth } from "../../abi/panel.ts";
import { liveRows, matrix, type Views } from "../views.ts";

export const pack = (views: Views) => ({
  f32_pack_nn(K: number, N: number, w: number, ldw: number, panels: number): void {
    const P = views.f32(panels, K * panelWidth(N)).fill(0);
    const W = matrix(views, w, K, N, ldw);
    for (let k = 0; k < K; k++) {
      for (let n = 0; n < N; n++) P[panelOffset(K, N, k, n)] = W[k * ldw + n];
    }
  },

  f32_pack_gates_nn(K: number, G: number, H: number, w: number, ldw: number, panels: number): void {
    const N = G * panelWidth(H);
    const P = views.f32(panels, K * panelWidth(N)).fill(0);
    const W = matrix(views, w, K, G * H, ldw);
    for (let k = 0; k < K; k++) {
      for (let g = 0; g < G; g++) {
        for (let j = 0; j < H; j++) P[panelOffset(K, N, k, gateColumn(G, H, g, j))] = W[k * ldw + g * H + j];
      }
    }
  },

  f32_permute_gates(M: number, G: number, H: number, x: number, ldx: number, y: number, ldy: number): void {
    const width = G * panelWidth(H);
    const X = matrix(views, x, M, G * H, ldx);
    const Y = matrix(views, y, M, width, ldy);
    for (let m = 0; m < M; m++) {
      Y.fill(0, m * ldy, m * ldy + width);
      for (let g = 0; g < G; g++) {
        for (let j = 0; j < H; j++) Y[m * ldy + gateColumn(G, H, g, j)] = X[m * ldx + g * H + j];
      }
    }
  },

  f32_unpermute_gate(
    M: number,
    live: number,
    G: number,
    H: number,
    g: number,
    x: number,
    ldx: number,
    y: number,
    ldy: number,
  ): void {
    const rows = liveRows(views, live, M);
    const X = matrix(views, x, rows, G * panelWidth(H), ldx);
    const Y = matrix(views, y, rows, H, ldy);
    for (let m = 0; m < rows; m++) {
      for (let j = 0; j < H; j++) Y[m * ldy + j] = X[m * ldx + gateColumn(G, H, g, j)];
    }
  },
});

export const packTraining = (views: Views) => ({
  f32_pack_nt(K: number, N: number, w: number, ldw: number, panels: number): void {
    const P = views.f32(panels, K * panelWidth(N)).fill(0);
    const W = matrix(views, w, N, K, ldw);
    for (let k = 0; k < K; k++) {
      for (let n = 0; n < N; n++) P[panelOffset(K, N, k, n)] = W[n * ldw + k];
    }
  },

  f32_pack_gates_nt(G: number, H: number, N: number, w: number, ldw: number, panels: number): void {
    const K = G * panelWidth(H);
    const P = views.f32(panels, K * panelWidth(N)).fill(0);
    const W = matrix(views, w, N, G * H, ldw);
    for (let n = 0; n < N; n++) {
      for (let g = 0; g < G; g++) {
        for (let j = 0; j < H; j++) P[panelOffset(K, N, gateColumn(G, H, g, j), n)] = W[n * ldw + g * H + j];
      }
    }
  },

  f32_unpermute_gates_acc(M: number, G: number, H: number, x: number, ldx: number, y: number, ldy: number): void {
    const X = matrix(views, x, M, G * panelWidth(H), ldx);
    const Y = matrix(views, y, M, G * H, ldy);
    for (let m = 0; m < M; m++) {
      for (let g = 0; g < G; g++) {
        for (let j = 0; j < H; j++) Y[m * ldy + g * H + j] += X[m * ldx + gateColumn(G, H, g, j)];
      }
    }
  },
});
