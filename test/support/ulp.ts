/** How far results are from the correctly rounded ones, counted in floats. */
import type { Block } from "./builds.ts";

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);
const SMALLEST_NORMAL = 2 ** -126;

/** Place of a float among all floats: neighbours differ by 1, both zeros are 0. */
const place = (pattern: number): number => (pattern < 0 ? -0x80000000 - pattern : pattern);

export interface Worst {
  /** The largest distance found; Infinity where only one of the two was NaN. */
  ulp: number;
  /** For which x. */
  at: number;
  /** How many results were compared, and how many were 1, 2, 3 or more floats off (from index 1 on). */
  total: number;
  counts: [never: 0, one: number, two: number, more: number];
}

export const nothingYet = (): Worst => ({ ulp: 0, at: 0, total: 0, counts: [0, 0, 0, 0] });

/** A float whose bits are these. */
export function floatOf(pattern: number): number {
  bits[0] = pattern;
  return float[0]!;
}

/** The distance between two different bit patterns of results, see compare. */
function distance(want: number, got: number): number {
  const [w, g] = [floatOf(want), floatOf(got)];
  if (Number.isNaN(w) || Number.isNaN(g)) return Number.isNaN(w) && Number.isNaN(g) ? 0 : Infinity;
  if (Math.abs(w) < SMALLEST_NORMAL && Math.abs(g) < 2 * SMALLEST_NORMAL && w * g >= 0) return 0;
  return Math.abs(place(want) - place(got));
}

/**
 * Compares y with f(x), where f is computed in double precision and rounded. If that is below 2⁻¹²⁶, any y of that size
 * is right: kernels may flush subnormal results to zero.
 */
export function compare(f: (x: number) => number, x: Block<Float32Array>, y: Block<Float32Array>, worst: Worst): void {
  const inputs = x.data;
  const results = new Float32Array(inputs.length);
  for (let i = 0; i < results.length; i++) results[i] = f(inputs[i]!);
  const want = new Int32Array(results.buffer);
  const got = new Int32Array(y.data.buffer, y.ptr, results.length);
  for (let i = 0; i < got.length; i++) {
    if (want[i] === got[i]) continue;
    const ulp = distance(want[i]!, got[i]!);
    if (ulp === 0) continue;
    worst.counts[Math.min(ulp, 3) as 0]++;
    if (ulp > worst.ulp) {
      worst.ulp = ulp;
      worst.at = x.data[i]!;
    }
  }
  worst.total += got.length;
}
