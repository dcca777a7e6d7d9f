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
  /** How many results were 0, 1, 2 and more floats off. */
  counts: [number, number, number, number];
}

export const nothingYet = (): Worst => ({ ulp: 0, at: 0, counts: [0, 0, 0, 0] });

/** A float whose bits are these. */
export function floatOf(pattern: number): number {
  bits[0] = pattern;
  return float[0]!;
}

/**
 * Compares y with f(x), f in double and then rounded. A result below 2⁻¹²⁶ may also be 0, and where it is not, counts
 * by its absolute error: kernels are free to flush what leaves the normal range.
 */
export function compare(f: (x: number) => number, x: Block<Float32Array>, y: Block<Float32Array>, worst: Worst): void {
  const patterns = new Int32Array(y.data.buffer, y.ptr, y.data.length);
  for (let i = 0; i < patterns.length; i++) {
    const exact = f(x.data[i]!);
    float[0] = exact;
    let distance = Math.abs(place(bits[0]!) - place(patterns[i]!));
    if (distance > 0) {
      const [want, got] = [float[0]!, y.data[i]!];
      if (Number.isNaN(want) || Number.isNaN(got)) distance = Number.isNaN(want) && Number.isNaN(got) ? 0 : Infinity;
      else if (Math.abs(want) < SMALLEST_NORMAL && Math.abs(got) < 2 * SMALLEST_NORMAL && want * got >= 0) distance = 0;
    }
    worst.counts[Math.min(distance, 3) as 0]++;
    if (distance > worst.ulp) {
      worst.ulp = distance;
      worst.at = x.data[i]!;
    }
  }
}
