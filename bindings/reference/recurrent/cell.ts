/**
 * What the twins of the cells share: the time line of packed rows, states from step to step, products with panels.
 *
 * Rows are sorted longest first and packed time-major: the `rows` alive at a step are the first ones of the batch, they
 * lie side by side, and row b of one step continues row b of the step before.
 */
import { panelOffset, gateColumn, panelWidth } from "../../abi/panel.ts";
import type { Views } from "../views.ts";

/** Where the rows of one time step lie. */
export interface Step {
  /** Rows alive. */
  readonly rows: number;
  /** Packed row of the first of them. */
  readonly at: number;
  /** Packed row of the first row of the step before; −1 at the first step. */
  readonly before: number;
}

/** The steps of a sequence: `active[t]` rows each, or all B. */
export function timeline(views: Views, T: number, B: number, active: number): Step[] {
  const alive = active ? views.i32(active, T) : new Int32Array(T).fill(B);
  const steps: Step[] = [];
  let at = 0;
  let before = -1;
  for (const rows of alive) {
    steps.push({ rows, at, before });
    before = at;
    at += rows;
  }
  return steps;
}

/** Packed rows of all steps together. */
export function packedRows(steps: Step[]): number {
  return steps.reduce((sum, { rows }) => sum + rows, 0);
}

/** An array that may be absent. */
export function optional(views: Views, ptr: number, n: number): Float32Array | undefined {
  return ptr ? views.f32(ptr, n) : undefined;
}

/** State [rows, H] of the step before, out of the states of every step: the initial state, or zeros, at the first. */
export function stateBefore(step: Step, H: number, states: Float32Array, initial?: Float32Array): ArrayLike<number> {
  const { rows, before } = step;
  if (before >= 0) return states.subarray(before * H, (before + rows) * H);
  return initial ?? new Float64Array(rows * H);
}

/** x ⊙ mask, or x. */
export function masked(n: number, x: ArrayLike<number>, mask?: Float32Array): ArrayLike<number> {
  if (!mask) return x;
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) y[i] = x[i] * mask[i];
  return y;
}

/** A[rows, K] · W for W [K, N] in panels. */
export function times(rows: number, K: number, N: number, a: ArrayLike<number>, panels: Float32Array): Float64Array {
  const y = new Float64Array(rows * N);
  for (let n = 0; n < N; n++) {
    const first = panelOffset(K, N, 0, n);
    const stride = panelOffset(K, N, 1, n) - first;
    for (let b = 0; b < rows; b++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[b * K + k] * panels[first + k * stride];
      y[b * N + n] = sum;
    }
  }
  return y;
}

/** Copies the state of each row after its last step; rows without any step keep the initial state, or zeros. */
export function finalStates(
  views: Views,
  steps: Step[],
  B: number,
  H: number,
  states: Float32Array,
  initial: Float32Array | undefined,
  out: number,
): void {
  if (!out) return;
  const y = views.f32(out, B * H);
  for (let b = 0; b < B; b++) {
    const last = steps.filter(({ rows }) => rows > b).at(-1);
    for (let j = 0; j < H; j++) {
      y[b * H + j] = last ? states[(last.at + b) * H + j] : initial ? initial[b * H + j] : 0;
    }
  }
}

/** Where the gates of unit j are in a row of G gates that begins at `row`, in their order. */
export const gateColumns = (G: number, H: number, j: number, row = 0): number[] =>
  Array.from({ length: G }, (_, g) => row + gateColumn(G, H, g, j));

/** Zeros the columns of one row of gates that belong to no unit. */
export function clearPadding(G: number, H: number, gates: Float32Array, row: number): void {
  for (let j = H; j < panelWidth(H); j++) {
    for (const column of gateColumns(G, H, j, row)) gates[column] = 0;
  }
}
